"""The Optuna study of a run: the only source of truth on its trials. Only the driver writes it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import optuna
from optuna.pruners import SuccessiveHalvingPruner
from optuna.trial import FrozenTrial, Trial, TrialState

from autoaug.errors import RunError
from autoaug.interruption import uninterrupted
from autoaug.policy import Policy
from autoaug.result import TrialResult, TrialSummary
from autoaug.seeds import derive_seed
from autoaug.space import SearchSpace, sample_policy
from autoaug.strategies import Strategy

optuna.logging.set_verbosity(optuna.logging.ERROR)

_ENDED: dict[TrialState, Literal["complete", "pruned", "failed"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


@dataclass(frozen=True)
class Asked:
    """A trial that the study wants run."""

    trial: Trial
    policy: Policy
    is_baseline: bool


class SearchStudy:
    """Ask for policies and tell results; whatever happens in between, the study in `path` can be continued.

    Args:
        path: of the SQLite file; made where it is missing.
        space: that policies are drawn from.
        strategy: by which they are drawn.
        seed: of the run.
        first_rung: the step of the first rung; poor trials are pruned from there on.
    """

    def __init__(self, path: Path, space: SearchSpace, strategy: Strategy, seed: int, first_rung: int) -> None:
        self._space, self._strategy, self._seed = space, strategy, seed
        pruner = SuccessiveHalvingPruner(min_resource=max(1, first_rung), reduction_factor=2)
        self._study = _open(path, pruner)

    @uninterrupted()
    def begin_session(self) -> int:
        """Note that a driver begins (again); returns the number of the session."""
        session = int(self._study.user_attrs.get("sessions", 0)) + 1
        self._study.set_user_attr("sessions", session)
        return session

    @uninterrupted()
    def enqueue(self, baselines: dict[str, Policy]) -> None:
        """Put known policies first; done once in the life of a study."""
        queued = {t.user_attrs.get("name") for t in self._study.get_trials(deepcopy=False)}
        for name, policy in baselines.items():
            if name not in queued:
                attributes = {"name": name, "policy": policy.model_dump_json(), "baseline": True}
                self._study.enqueue_trial({}, user_attrs=attributes)

    @uninterrupted()
    def interrupted(self) -> list[Asked]:
        """Trials that were running when an earlier driver ended: they are run again under their old numbers."""
        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [self._asked(Trial(self._study, frozen._trial_id)) for frozen in running]

    @uninterrupted()
    def ask(self) -> Asked:
        """The next trial: a waiting baseline, or one drawn by the strategy."""
        begun = [t for t in self._study.get_trials(deepcopy=False) if t.state != TrialState.WAITING]
        self._study.sampler = self._strategy.sampler(derive_seed(self._seed, "sampler", len(begun)))
        return self._asked(self._study.ask())

    def _asked(self, trial: Trial) -> Asked:
        attributes = trial.user_attrs
        if "policy" in attributes:
            return Asked(trial, Policy.model_validate_json(attributes["policy"]), bool(attributes.get("baseline")))
        policy = sample_policy(self._space, trial).model_copy(update={"name": f"trial-{trial.number}"})
        trial.set_user_attr("name", policy.name)
        trial.set_user_attr("policy", policy.model_dump_json())
        return Asked(trial, policy, False)

    @uninterrupted()
    def report(self, asked: Asked, result: TrialResult) -> bool:
        """Note the newest rung; returns whether the trial should be pruned. Baselines never are: their full-length
        scores are what the others are measured against.
        """
        self._report_curve(asked, result)
        return not asked.is_baseline and bool(asked.trial.should_prune())

    def _report_curve(self, asked: Asked, result: TrialResult) -> None:
        with warnings.catch_warnings():
            # A trial that is run again after an interruption passes its rungs again, with the same values.
            warnings.simplefilter("ignore", UserWarning)
            for rung in result.curve:
                asked.trial.report(rung.accuracy, rung.step)

    @uninterrupted()
    def tell(self, asked: Asked, result: TrialResult, session: int) -> None:
        """Note how a trial ended. The costs come first, so that a trial that counts as ended has all of them."""
        costs = {
            "started": result.started,
            "ended": result.ended,
            "augmentation_seconds": result.augmentation_seconds,
            "samples_seen": result.samples_seen,
            "passes": result.passes,
            "reason": result.reason,
            "session": session,
        }
        for name, value in costs.items():
            asked.trial.set_user_attr(name, value)
        self._report_curve(asked, result)
        if result.status == "complete" and math.isfinite(result.accuracy):
            self._study.tell(asked.trial, result.accuracy)
        else:
            self._study.tell(asked.trial, state=TrialState.PRUNED if result.status == "pruned" else TrialState.FAIL)

    @uninterrupted()
    def ended(self) -> list[FrozenTrial]:
        """Trials that have ended, by number."""
        return self._study.get_trials(deepcopy=False, states=tuple(_ENDED))

    @uninterrupted()
    def begun(self) -> int:
        """How many trials have begun."""
        return sum(t.state != TrialState.WAITING for t in self._study.get_trials(deepcopy=False))

    def importance(self) -> dict[str, float]:
        """Share of the variance of accuracy that each choice explains (fANOVA; Hutter et al., 2014), over the complete
        trials that were drawn; empty where there are too few to tell.
        """
        drawn = [t for t in self.ended() if t.state == TrialState.COMPLETE and t.params]
        shared = set.intersection(*(set(t.params) for t in drawn)) if drawn else set()
        if len(drawn) < 8 or len({t.value for t in drawn}) < 2 or not shared:
            return {}
        copy = optuna.create_study(direction="maximize")
        copy.add_trials(drawn)
        return optuna.importance.get_param_importances(
            copy, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0), params=sorted(shared)
        )


@uninterrupted()
def _open(path: Path, pruner: SuccessiveHalvingPruner) -> optuna.Study:
    try:
        return optuna.create_study(
            storage=f"sqlite:///{path.resolve()}",
            study_name="search",
            direction="maximize",
            load_if_exists=True,
            pruner=pruner,
        )
    except Exception as fault:  # SQLAlchemy's many kinds, all of which mean that the file cannot be used
        reason = str(fault).strip().splitlines()[0]
        raise RunError(f"{path} cannot be opened as a study ({reason})") from None


def summary(trial: FrozenTrial) -> TrialSummary:
    """A trial that has ended, as a record."""
    attributes = trial.user_attrs
    return TrialSummary(
        number=trial.number,
        name=attributes["name"],
        status=_ENDED[trial.state],
        accuracy=trial.value if trial.state == TrialState.COMPLETE else None,
        curve=tuple(sorted(trial.intermediate_values.items())),
        seconds=attributes["ended"] - attributes["started"],
        passes=attributes["passes"],
        reason=attributes["reason"],
        is_baseline=bool(attributes.get("baseline")),
    )


def policy_of(trial: FrozenTrial) -> Policy:
    """The policy of a trial."""
    return Policy.model_validate_json(trial.user_attrs["policy"])
