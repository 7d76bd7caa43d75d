"""Trials as an Optuna study keeps them, read back as records."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal

from optuna.trial import FrozenTrial, TrialState

from autoaug.errors import AutoaugError
from autoaug.policy import Policy
from autoaug.result import TrialSummary
from autoaug.strategies import ASKED, Past

_ENDED: dict[TrialState, Literal["complete", "pruned", "failed"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
#: The attribute that says what a trial cost, and why it failed; each attribute is a statement of its own to write.
OUTCOME = "outcome"
#: What is noted of the cost of an inquiry.
_COSTS = {"started", "ended", "passes", "session"}
#: What is noted of the cost of a trial beside what stands in its summary.
_PAID = {"session", "augmentation_seconds", "samples_seen"}


@dataclass(frozen=True)
class Asked:
    """A trial that the study has begun."""

    number: int
    policy: Policy
    share: float
    repeat: int
    is_baseline: bool
    since: float
    until: float


class _Told(FrozenTrial):
    """A trial that is copied without its parts, which samplers only read: to show a sampler hundreds of trials costs
    more than to draw from it otherwise.
    """

    def __deepcopy__(self, memo: object) -> _Told:
        return copy(self)


def read_trial(trial: FrozenTrial, objectives: int) -> Past | None:
    """A trial of the study as one of ours; None where somebody else added it, or changed what we noted of it."""
    try:
        past = past_of(trial)
        named = isinstance(past.policy, Policy) and isinstance(trial.user_attrs[ASKED]["fingerprint"], str)
        if past.is_running:
            return past if named else None
        summary(trial)
        is_paid = trial.user_attrs[OUTCOME].keys() >= _PAID
        is_scored = trial.state != TrialState.COMPLETE or len(trial.values) == objectives
    except (AutoaugError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return past if named and is_paid and is_scored else None


def read_finding(noted: Any) -> Mapping[str, Any] | None:
    """What an inquiry found, as it was noted; None where that is damaged: the inquiry is made again."""
    try:
        found = json.loads(noted)
    except (ValueError, TypeError):
        return None
    return found if isinstance(found, dict) and found.keys() >= _COSTS else None


def past_of(trial: FrozenTrial) -> Past:
    """A trial of ours as strategies see it; raises where what we note of a trial is not there."""
    asked = trial.user_attrs[ASKED]
    frozen = copy(trial)
    frozen.__class__ = _Told
    return Past(
        number=trial.number,
        name=asked["name"],
        stage=asked["stage"],
        share=asked["share"],
        repeat=asked["repeat"],
        is_baseline=asked["baseline"],
        values=tuple(trial.values) if trial.state == TrialState.COMPLETE else (),
        passes=trial.user_attrs.get(OUTCOME, {}).get("passes", 0),
        until=_span(trial)[1],
        frozen=frozen,
    )


def asked_of(past: Past) -> Asked:
    """A trial as it was begun."""
    return Asked(past.number, past.policy, past.share, past.repeat, past.is_baseline, *_span(past.frozen))


def _span(trial: FrozenTrial) -> tuple[float, float]:
    """From which to which share of its length a trial trains."""
    since, until = trial.user_attrs[ASKED]["span"]
    return since, until


def summary(trial: FrozenTrial) -> TrialSummary:
    """A trial that has ended, as a record."""
    asked, outcome = trial.user_attrs[ASKED], trial.user_attrs[OUTCOME]
    return TrialSummary(
        number=trial.number,
        name=asked["name"],
        stage=asked["stage"],
        share=asked["share"],
        repeat=asked["repeat"],
        until=_span(trial)[1],
        status=_ENDED[trial.state],
        values=tuple(trial.values) if trial.state == TrialState.COMPLETE else (),
        accuracy=trial.values[0] if trial.state == TrialState.COMPLETE else None,
        curve=tuple(sorted(rung for rung in trial.intermediate_values.items() if math.isfinite(rung[1]))),
        seconds=outcome["ended"] - outcome["started"],
        passes=outcome["passes"],
        reason=outcome["reason"],
        note=outcome["note"],
        is_baseline=asked["baseline"],
        fingerprint=asked["fingerprint"],
        params=trial.params,
        started=outcome["started"],
    )
