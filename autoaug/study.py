"""The Optuna study of a run: the only source of truth on its trials. Only the driver writes it."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from autoaug.errors import RunError
from autoaug.facts import Facts, changes
from autoaug.interruption import uninterrupted
from autoaug.policy import Policy
from autoaug.redaction import shown
from autoaug.result import TrialResult, TrialSummary
from autoaug.seeds import derive_seed
from autoaug.space import SearchSpace
from autoaug.storage import STUDY_NAME, open_study
from autoaug.strategies import ASKED, Draw, Fixed, History, Past, Strategy
from autoaug.study_trials import OUTCOME, Asked, asked_of, past_of, read_finding, read_trial, summary

#: Of two trials that reach a rung, one goes on.
_REDUCTION = 2


class SearchStudy:
    """Begin trials and tell results; whatever happens in between, the study can be continued.

    Args:
        storage: the path of an SQLite file, made where it is missing, or a database URL.
        space: that policies are drawn from.
        strategy: which asks for trials.
        seed: of the run.
        name: of the study in a database that is shared.
        facts: what all trials depend on, beside their policies.

    Attributes:
        foreign: how many trials of the study are left aside, since somebody else added them, or they are damaged.

    Raises:
        RunError: the storage cannot be used, or holds a study of another space, strategy or seed, or of other facts.
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
        self._space, self.seed = space, seed
        self._storage, self._study = open_study(storage, name, strategy)
        self._study_id = self._study._study_id
        self._check_same(storage, facts or {})
        trials = self._study.get_trials(deepcopy=False)
        own = [past for trial in trials if (past := read_trial(trial, len(strategy.objectives))) is not None]
        self.foreign = len(trials) - len(own)
        self._past: dict[int, Past] = {past.number: past for past in own}
        self._ids = {t.number: t._trial_id for t in trials}
        self._twins: dict[object, int] = {}
        for past in own:
            self._twins.setdefault(past.key, past.number)
        self._findings: dict[str, Mapping[str, Any] | None] = {
            key.removeprefix("found:"): found
            for key, value in self._study.user_attrs.items()
            if key.startswith("found:") and (found := read_finding(value)) is not None
        }

    def _check_same(self, storage: Path | str, facts: Facts) -> None:
        """Note what the study is of; raise `RunError` where it was begun as another."""
        own = {
            "space": self._space.model_dump_json(exclude_defaults=True),
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
                    f"the study in {shown(str(storage))} was begun with {differing}; begin a new run, or restore "
                    "config.yaml"
                )

    @uninterrupted()
    def begin_session(self) -> int:
        """Note that a driver begins (again); returns the number of the session."""
        session = int(self._study.user_attrs.get("sessions", 0)) + 1
        self._study.set_user_attr("sessions", session)
        return session

    def history(self) -> History:
        """All that is known."""
        return History(list(self._past.values()), self._findings)

    def all(self) -> list[Asked]:
        """Every trial that has begun, by number."""
        return [asked_of(past) for past in self._past.values()]

    def interrupted(self) -> list[Asked]:
        """Trials that were running when an earlier driver ended: they are run again under their old numbers."""
        return [asked_of(past) for past in self._past.values() if past.is_running]

    @uninterrupted()
    def begin(self, step: Draw | Fixed) -> Asked:
        """Begin the trial that a strategy asks for. Its name and its chance follow from how many there were before."""
        count = len(self._past)
        if isinstance(step, Fixed):
            drawn = None
            name, policy, repeat, is_baseline = step.name, step.policy, step.repeat, step.is_baseline
            span = step.since, step.until
        else:
            drawn, policy = _draw(step, self._space, derive_seed(self.seed, "sampler", count), self._study.directions)
            name, repeat, is_baseline, span = f"trial-{count}", 0, False, (0.0, 1.0)
        policy = policy.model_copy(update={"name": name})
        asked = {
            "name": name,
            "stage": step.stage,
            "share": step.share,
            "repeat": repeat,
            "baseline": is_baseline,
            "span": span,
            "policy": policy.model_dump_json(exclude_defaults=True),
            "fingerprint": policy.fingerprint(),
        }
        template = create_trial(
            state=TrialState.RUNNING,
            params=drawn.params if drawn else {},
            distributions=drawn.distributions if drawn else {},
            user_attrs={ASKED: asked},
            system_attrs=_kept(drawn.system_attrs) if drawn else {},
        )
        made = self._storage.create_new_trial(self._study_id, template)
        number = template.number = self._storage.get_trial_number_from_id(made)
        self._ids[number], self._past[number] = made, past_of(template)
        self._twins.setdefault(self._past[number].key, number)
        return asked_of(self._past[number])

    def twin(self, asked: Asked) -> Past | None:
        """The first trial of the same policy, share and repeat; None if it is `asked` itself, or failed."""
        past = self._past[self._twins[self._past[asked.number].key]]
        if past.frozen.state == TrialState.FAIL:
            self._twins[past.key] = asked.number
            return None
        return None if past.number == asked.number else past

    @uninterrupted()
    def report(self, number: int, result: TrialResult) -> bool:
        """Note the newest rung; returns whether the trial should be pruned: where the strategy prunes, of those that
        reached a rung, the worse half. Baselines never are: their full-length scores are what the others are measured
        against.
        """
        self._note(number, curve={rung.step: rung.accuracy for rung in result.curve})
        past = self._past[number]
        if past.is_baseline or not self.strategy.prunes or not result.curve:
            return False
        rung = result.curve[-1]
        values = [v for p in self._past.values() if (v := p.frozen.intermediate_values.get(rung.step)) is not None]
        return sum(value > rung.accuracy for value in values) >= max(1, math.ceil(len(values) / _REDUCTION))

    @uninterrupted()
    def tell(self, number: int, result: TrialResult, session: int, full_length: int) -> TrialSummary:
        """Note how a trial ended."""
        outcome = {
            "started": result.started,
            "ended": result.ended,
            "augmentation_seconds": result.augmentation_seconds,
            "samples_seen": result.samples_seen,
            "passes": result.passes,
            "reason": result.reason,
            "note": result.note,
            "session": session,
        }
        measured = {
            "accuracy": result.accuracy,
            "robustness": result.robustness,
            "compute": result.passes / full_length,
        }
        values = [measured[name] for name in self.strategy.objectives]
        curve = {rung.step: rung.accuracy for rung in result.curve}
        if result.status == "complete" and all(map(math.isfinite, values)):
            self._note(number, outcome, curve, TrialState.COMPLETE, values)
        else:
            self._note(number, outcome, curve, TrialState.PRUNED if result.status == "pruned" else TrialState.FAIL)
        return summary(self._past[number].frozen)

    @uninterrupted()
    def tell_as(self, number: int, twin: int) -> TrialSummary:
        """End a trial as its `twin` ended, which cost nothing."""
        known = self._past[twin].frozen
        paid = known.user_attrs[OUTCOME]
        free = {"started": paid["ended"], "augmentation_seconds": 0.0, "samples_seen": 0, "passes": 0}
        outcome = {**paid, **free, "note": f"the policy of trial {twin}, not trained again"}
        self._note(number, outcome, known.intermediate_values, known.state, known.values)
        return summary(self._past[number].frozen)

    def _note(
        self,
        number: int,
        outcome: Mapping[str, Any] | None = None,
        curve: Mapping[int, float] | None = None,
        state: TrialState = TrialState.RUNNING,
        values: Sequence[float] | None = None,
    ) -> None:
        """Write what is new of a trial, and remember it. The outcome comes first and the state last, so that a trial
        that counts as ended has all of its costs; each is a transaction of its own.
        """
        trial, frozen = self._ids[number], copy(self._past[number].frozen)
        if outcome is not None:
            self._storage.set_trial_user_attr(trial, OUTCOME, outcome)
            frozen.user_attrs = {**frozen.user_attrs, OUTCOME: outcome}
        # A trial that is run again after an interruption passes its rungs again, with the same values.
        for step, accuracy in (curve or {}).items():
            if frozen.intermediate_values.get(step) != accuracy:
                self._storage.set_trial_intermediate_value(trial, step, accuracy)
        frozen.intermediate_values = {**frozen.intermediate_values, **(curve or {})}
        if state != TrialState.RUNNING:
            self._storage.set_trial_state_values(trial, state, values)
            frozen.state, frozen.values, frozen.datetime_complete = state, values, datetime.now()
        self._past[number] = past_of(frozen)

    def begin_inquiry(self, name: str) -> None:
        """Remember that an inquiry is under way; of one that is interrupted nothing is kept."""
        self._findings[name] = None

    @uninterrupted()
    def tell_inquiry(self, name: str, result: TrialResult, session: int) -> None:
        """Note what an inquiry found, or why it failed, and what it cost."""
        found = {
            **result.findings,
            "failed": result.reason,
            "started": result.started,
            "ended": result.ended,
            "passes": result.passes,
            "session": session,
        }
        self._study.set_user_attr(f"found:{name}", json.dumps(found))
        self._findings[name] = found

    def ended(self) -> list[FrozenTrial]:
        """Trials that have ended, by number."""
        return [past.frozen for past in self._past.values() if not past.is_running]

    def importance(self) -> dict[str, float]:
        """Share of the variance of accuracy that each choice explains (fANOVA; Hutter et al., 2014), over the complete
        trials that were drawn; empty where there are too few to tell.
        """
        drawn = [t for t in self.ended() if t.state == TrialState.COMPLETE and t.params]
        shared = set.intersection(*(set(t.params) for t in drawn)) if drawn else set()
        if len(drawn) < 8 or len({t.values[0] for t in drawn}) < 2 or not shared:
            return {}
        copy = optuna.create_study(direction="maximize")
        for trial in drawn:
            copy.add_trial(create_trial(params=trial.params, distributions=trial.distributions, value=trial.values[0]))
        return optuna.importance.get_param_importances(
            copy, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0), params=sorted(shared)
        )


def _draw(step: Draw, space: SearchSpace, seed: int, directions: list[StudyDirection]) -> tuple[FrozenTrial, Policy]:
    """Ask the sampler in a study in memory that holds what it is told: as quick in the ten-thousandth trial as in the
    first, whatever the storage, and whole before anything is written.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of starting values that a conditional dimension does not take
        storage = InMemoryStorage()
        mirror = optuna.create_study(storage=storage, directions=directions, sampler=step.sampler(seed))
        study = storage.get_study_id_from_name(mirror.study_name)
        for past in step.told:  # as add_trials, which would check each again
            storage.create_new_trial(study, past.frozen)
        if step.start:
            mirror.enqueue_trial(dict(step.start))
        trial = mirror.ask()
        policy = step.draw(space, trial)
    return mirror.get_trials(deepcopy=False)[trial.number], policy


def _kept(system_attrs: Mapping[str, Any]) -> dict[str, Any]:
    """What a sampler noted of a trial, without what TPE notes of those that are not drawn whole: these are."""
    return {name: value for name, value in system_attrs.items() if not name.startswith("tpe:")}


def _difference(what: str, noted: Any, value: Any) -> str:
    """What was noted and what is there now, of a space and of facts those that differ; empty where nothing does."""
    if what == "facts":
        return changes(noted, value)
    if noted == value:
        return ""
    if what != "space":
        return f"{what} {noted!r}, not {value!r}"
    before, after = json.loads(noted), json.loads(value)
    told = changes({**dict.fromkeys(after), **before}, {**dict.fromkeys(before), **after})
    return f"another space ({told or 'its entries in another order'})"
