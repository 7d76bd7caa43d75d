"""The Optuna study of a run: the only source of truth about its trials. Only the driver writes to it."""

from __future__ import annotations

import json
import math
import statistics
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from autoaug.errors import RunError
from autoaug.policy.models import Policy
from autoaug.results import TrialSummary
from autoaug.search.samplers import quiet_optuna
from autoaug.search.space import SearchSpace
from autoaug.search.storage import STUDY_NAME, answering, disconnect, open_study
from autoaug.search.strategies import OUTCOME, REQUEST, Draw, Fixed, History, Strategy, TrialRecord
from autoaug.search.trial_records import (
    TrialRequest,
    observed,
    outcome_of,
    outcome_of_duplicate,
    probe_name,
    probe_notes,
    read_probe_result,
    read_trial,
    record_of,
    request_of,
    summary,
)
from autoaug.training.result import TrialResult
from autoaug.utils.facts import Facts, changes
from autoaug.utils.redaction import redacted
from autoaug.utils.seeds import derive_seed
from autoaug.utils.signals import uninterrupted

#: One of this many trials that reach a rung continues.
_REDUCTION = 2


@dataclass(frozen=True)
class _Ending:
    """How a trial ended: its state, its recorded outcome, and, if it is complete, one value per objective."""

    state: TrialState
    outcome: Mapping[str, Any]
    values: Sequence[float] | None = None


class SearchStudy:
    """Begins trials and records their results. The study can be resumed after any interruption.

    Args:
        storage: the path of an SQLite file, created if missing, or a database URL.
        space: the space that policies are drawn from.
        strategy: proposes the trials.
        seed: the seed of the run.
        name: the name of the study in a shared database.
        facts: what all trials depend on, besides their policies.

    Attributes:
        foreign: how many trials of the study are ignored because they are damaged or were added by other programs.

    Raises:
        RunError: the storage cannot be used, or its study has another space, strategy or seed, or other facts.
    """

    def __init__(
        self,
        storage: Path | str,
        space: SearchSpace,
        strategy: Strategy,
        seed: int,
        name: str = STUDY_NAME,
        facts: Facts | None = None,
    ) -> None:
        self.strategy = strategy
        self.space, self.seed = space, seed
        self._name = str(storage)
        self._storage, self._study = open_study(storage, name, strategy)
        self._study_id = self._study._study_id
        self._check_same(storage, facts or {})
        trials = self._study.get_trials(deepcopy=False)
        own = [record for trial in trials if (record := read_trial(trial, len(strategy.objectives))) is not None]
        self.foreign = len(trials) - len(own)
        self._records: dict[int, TrialRecord] = {record.number: record for record in own}
        self._alike: dict[object, list[int]] = defaultdict(list)  # an index: a full scan takes milliseconds
        for record in own:
            self._alike[record.key].append(record.number)
        self._probe_results: dict[str, Mapping[str, Any] | None] = {
            name: result
            for key, value in self._study.user_attrs.items()
            if (name := probe_name(key)) and (result := read_probe_result(value)) is not None
        }

    def _check_same(self, storage: Path | str, facts: Facts) -> None:
        """Record the inputs of the study; raise `RunError` if it was begun with others."""
        own = {
            "space": self.space.model_dump_json(exclude_defaults=True),
            "strategy": self.strategy.name,
            "seed": self.seed,
            "facts": dict(facts),
        }
        noted = self._study.user_attrs
        for what, value in own.items():
            if what not in noted:
                self._study.set_user_attr(what, value)
            elif differing := _difference(what, noted[what], value):
                raise RunError(
                    f"the study in {redacted(str(storage))} was begun with {differing}; undo the change, or "
                    "begin a new run"
                )

    @contextmanager
    def connected(self) -> Iterator[None]:
        """For the time of a search: its storage fails with a `RunError`, and its connections are closed in the end."""
        try:
            with answering(self._name):
                yield
        finally:
            disconnect(self._storage)

    @uninterrupted()
    def begin_session(self) -> int:
        """Record that a driver begins or resumes; return the number of the session."""
        session = int(self._study.user_attrs.get("sessions", 0)) + 1
        self._study.set_user_attr("sessions", session)
        return session

    def history(self) -> History:
        """All trials and probe results so far."""
        return History(list(self._records.values()), self._probe_results)

    def all(self) -> list[TrialRequest]:
        """Every trial that has begun, by number."""
        return [request_of(record) for record in self._records.values()]

    def interrupted(self) -> list[TrialRequest]:
        """Trials that were running when an earlier driver ended; they are rerun under their old numbers."""
        return [request_of(record) for record in self._records.values() if record.is_running]

    @uninterrupted()
    def begin(self, step: Draw | Fixed) -> TrialRequest:
        """Begin the trial that a strategy proposes. The number of earlier trials sets the name and seed of a draw."""
        count = len(self._records)
        drawn = None
        if isinstance(step, Draw):
            seed = derive_seed(self.seed, "sampler", count)
            drawn, policy = _draw(step, self.space, seed, self._study.directions)
            step = Fixed(f"trial-{count}", policy, step.data_fraction, stage=step.stage)
        template = create_trial(
            state=TrialState.RUNNING,
            params=drawn.params if drawn else {},
            distributions=drawn.distributions if drawn else {},
            user_attrs={REQUEST: _request_notes(step)},
            system_attrs=_kept(drawn.system_attrs) if drawn else {},
        )
        trial_id = self._storage.create_new_trial(self._study_id, template)
        template.number = self._storage.get_trial_number_from_id(trial_id)
        record = self._records[template.number] = record_of(observed(template, trial_id))
        self._alike[record.key].append(record.number)
        return request_of(record)

    def duplicate(self, request: TrialRequest) -> TrialRecord | None:
        """The first trial that did not fail with the same policy, data fraction and seed; None if that is `request`
        itself.
        """
        alike = (self._records[number] for number in self._alike[self._records[request.number].key])
        first = next(record for record in alike if record.frozen.state != TrialState.FAIL)
        return None if first.number == request.number else first

    @uninterrupted()
    def report(self, number: int, result: TrialResult) -> bool:
        """Record the newest rung; return whether to prune the trial. A pruning strategy ends the worse half of the
        trials that reached a rung, but never a baseline: others are compared with its full-length score.
        """
        self._note(number, {rung.step: rung.score for rung in result.curve})
        record = self._records[number]
        if record.is_baseline or not self.strategy.prunes or not result.curve:
            return False
        rung = result.curve[-1]
        values = [v for r in self._records.values() if (v := r.frozen.intermediate_values.get(rung.step)) is not None]
        return sum(value > rung.score for value in values) >= max(1, math.ceil(len(values) / _REDUCTION))

    @uninterrupted()
    def tell(self, number: int, result: TrialResult, session: int, full_length: int) -> TrialSummary:
        """Record how a trial ended."""
        outcome = outcome_of(result, session)
        measured = {
            "score": result.score,
            "robustness": result.robustness,
            "compute": result.sample_passes / full_length,
        }
        values = [measured[name] for name in self.strategy.objectives]
        curve = {rung.step: rung.score for rung in result.curve}
        if result.status == "complete" and all(map(math.isfinite, values)):
            return self._note_end(number, curve, _Ending(TrialState.COMPLETE, outcome, values))
        state = TrialState.PRUNED if result.status == "pruned" else TrialState.FAIL
        return self._note_end(number, curve, _Ending(state, outcome))

    @uninterrupted()
    def tell_as(self, number: int, duplicate: int) -> TrialSummary:
        """End a trial with the result of its `duplicate`, at no cost."""
        record = self._records[duplicate]
        known = record.frozen
        ending = _Ending(known.state, outcome_of_duplicate(record), known.values)
        return self._note_end(number, known.intermediate_values, ending)

    def _note_end(self, number: int, curve: Mapping[int, float], ending: _Ending) -> TrialSummary:
        self._note(number, curve, ending)
        return summary(self._records[number])

    def _note(self, number: int, curve: Mapping[int, float], ending: _Ending | None = None) -> None:
        """Write what is new in a trial, to the storage and to memory. Each write is a transaction of its own: the
        outcome comes first and the state last, so that a trial that counts as ended has all of its costs.
        """
        frozen = copy(self._records[number].frozen)
        trial_id = frozen._trial_id
        if ending is not None:
            self._storage.set_trial_user_attr(trial_id, OUTCOME, ending.outcome)
            frozen.user_attrs = {**frozen.user_attrs, OUTCOME: ending.outcome}
        # A trial that is rerun after an interruption reports its rungs again, with the same values.
        for step, score in curve.items():
            if frozen.intermediate_values.get(step) != score:
                self._storage.set_trial_intermediate_value(trial_id, step, score)
        frozen.intermediate_values = {**frozen.intermediate_values, **curve}
        if ending is not None:
            self._storage.set_trial_state_values(trial_id, ending.state, ending.values)
            frozen.state, frozen.values, frozen.datetime_complete = ending.state, ending.values, datetime.now()
        self._records[number] = record_of(frozen)

    def begin_probe(self, name: str) -> None:
        """Remember that a probe is running. Nothing is written: an interrupted probe leaves no trace."""
        self._probe_results[name] = None

    @uninterrupted()
    def tell_probe(self, name: str, result: TrialResult, session: int) -> None:
        """Record the result of a probe, or why it failed, and what it cost."""
        notes = probe_notes(result, session)
        self._study.set_user_attr(f"probe:{name}", json.dumps(notes))
        self._probe_results[name] = notes

    def ended(self) -> list[TrialRecord]:
        """Trials that have ended, by number."""
        return [record for record in self._records.values() if not record.is_running]

    def importance(self) -> dict[str, float]:
        """The fraction of the variance of the score that each choice explains (fANOVA; Hutter et al., 2014), over the
        complete drawn trials on the share of the data on which most were; empty if there are too few. More data score
        higher, whatever the choices.
        """
        complete = [record for record in self.ended() if record.values and record.is_drawn]
        usual = statistics.mode(record.data_fraction for record in complete) if complete else 1.0
        drawn = [record.frozen for record in complete if record.data_fraction == usual]
        shared = set.intersection(*(set(t.params) for t in drawn)) if drawn else set()
        if len(drawn) < 8 or len({t.values[0] for t in drawn}) < 2 or not shared:
            return {}
        with quiet_optuna():
            study = optuna.create_study(direction="maximize")
            for t in drawn:
                study.add_trial(create_trial(params=t.params, distributions=t.distributions, value=t.values[0]))
            return optuna.importance.get_param_importances(
                study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0), params=sorted(shared)
            )


def _request_notes(step: Fixed) -> dict[str, Any]:
    """The attributes recorded for a new trial."""
    policy = step.policy.model_copy(update={"name": step.name})
    return {
        "name": step.name,
        "stage": str(step.stage),
        "data_fraction": step.data_fraction,
        "seed_index": step.seed_index,
        "is_baseline": step.is_baseline,
        "span": (step.start, step.stop),
        "policy": policy.model_dump_json(exclude_defaults=True),
        "fingerprint": policy.fingerprint(),
    }


def _draw(step: Draw, space: SearchSpace, seed: int, directions: list[StudyDirection]) -> tuple[FrozenTrial, Policy]:
    """Draw in an in-memory study that holds only the observed trials. The ten-thousandth draw is as fast as the first,
    whatever the storage, and nothing is written before the draw is complete.
    """
    with warnings.catch_warnings(), quiet_optuna():
        warnings.simplefilter("ignore")  # about fixed values of conditional dimensions that do not apply
        storage = InMemoryStorage()
        mirror = optuna.create_study(storage=storage, directions=directions, sampler=step.sampler(seed))
        study = storage.get_study_id_from_name(mirror.study_name)
        for record in step.observed:  # add_trials would validate each trial again
            storage.create_new_trial(study, record.frozen)
        if step.fixed:
            mirror.enqueue_trial(dict(step.fixed))
        trial = mirror.ask()
        policy = step.draw(space, trial)
    return mirror.get_trials(deepcopy=False)[trial.number], policy


def _kept(system_attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The sampler's attributes of a trial, without TPE's for incomplete trials: ours are drawn completely."""
    return {name: value for name, value in system_attrs.items() if not name.startswith("tpe:")}


def _difference(what: str, noted: Any, value: Any) -> str:
    """How the recorded input differs from the present `value`, as text; empty if it does not."""
    if what == "facts":
        return changes(noted, value)
    if noted == value:
        return ""
    if what != "space":
        return f"{what} {noted!r}, not {value!r}"
    before, after = json.loads(noted), json.loads(value)
    if before == after:
        return ""
    differing = changes({**dict.fromkeys(after), **before}, {**dict.fromkeys(before), **after})
    return f"another space ({differing or 'with its entries in another order'})"
