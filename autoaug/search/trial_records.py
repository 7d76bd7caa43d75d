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
from autoaug.modalities.operators import RENAMED_OPERATORS
from autoaug.policy.models import Policy
from autoaug.results import TrialSummary
from autoaug.search.strategies import REQUEST, TrialRecord
from autoaug.utils.renamed import with_names

_ENDED: dict[TrialState, Literal["complete", "pruned", "failed"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
#: What the attributes of studies that older versions began are called now, and what stands in them.
_ATTRIBUTES = {"asked": REQUEST}
_NOTES = {"share": "data_fraction", "repeat": "seed_index", "baseline": "is_baseline", "passes": "sample_passes"}
#: The attribute that says what a trial cost, and why it failed; each attribute is a statement of its own to write.
OUTCOME = "outcome"
#: What is noted of the cost of a probe.
_COSTS = {"started", "ended", "sample_passes", "session"}
#: What is noted of the cost of a trial beside what stands in its summary.
_PAID = {"session", "augmentation_seconds", "samples_seen"}


@dataclass(frozen=True)
class TrialRequest:
    """A trial that the study has begun."""

    number: int
    policy: Policy
    data_fraction: float
    seed_index: int
    is_baseline: bool
    start: float
    stop: float


class _Observed(FrozenTrial):
    """A trial that is copied without its parts, which samplers only read: to show a sampler hundreds of trials costs
    more than to draw from it otherwise.
    """

    def __deepcopy__(self, memo: object) -> _Observed:
        return copy(self)


def in_present_names(trial: FrozenTrial) -> FrozenTrial:
    """The same trial; of a study that an older version began, with the names of this one."""
    if not trial.user_attrs.keys() & _ATTRIBUTES.keys():
        return trial
    named = copy(trial)
    notes = with_names(trial.user_attrs, _ATTRIBUTES).items()
    named.params = {_present_param(name): value for name, value in trial.params.items()}
    named.distributions = {_present_param(name): kind for name, kind in trial.distributions.items()}
    named.user_attrs = {key: with_names(value, _NOTES) if isinstance(value, dict) else value for key, value in notes}
    return named


def _present_param(name: str) -> str:
    """What a choice is called now: those about one operator begin with its name."""
    operator, dot, what = name.partition(".")
    return f"{RENAMED_OPERATORS.get(operator, operator)}{dot}{what}"


def read_trial(trial: FrozenTrial, objectives: int) -> TrialRecord | None:
    """A trial of the study as one of ours; None where somebody else added it, or changed what we noted of it."""
    try:
        record = record_of(trial)
        named = isinstance(record.policy, Policy) and isinstance(trial.user_attrs[REQUEST]["fingerprint"], str)
        if record.is_running:
            return record if named else None
        summary(trial)
        is_paid = trial.user_attrs[OUTCOME].keys() >= _PAID
        is_scored = trial.state != TrialState.COMPLETE or len(trial.values) == objectives
    except (AutoaugError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return record if named and is_paid and is_scored else None


def read_probe_result(noted: Any) -> Mapping[str, Any] | None:
    """What a probe found, as it was noted; None where that is damaged: the probe is made again."""
    try:
        found = json.loads(noted)
    except (ValueError, TypeError):
        return None
    found = with_names(found, _NOTES) if isinstance(found, dict) else {}
    return found if found.keys() >= _COSTS else None


def probe_name(attribute: str) -> str:
    """The name of the probe whose result an attribute of the study holds; empty for other attributes."""
    prefix, _, name = attribute.partition(":")
    return name if prefix in {"probe", "found"} else ""


def record_of(trial: FrozenTrial) -> TrialRecord:
    """A trial of ours as strategies see it; raises where what we note of a trial is not there."""
    request = trial.user_attrs[REQUEST]
    frozen = copy(trial)
    frozen.__class__ = _Observed
    return TrialRecord(
        number=trial.number,
        name=request["name"],
        stage=request["stage"],
        data_fraction=request["data_fraction"],
        seed_index=request["seed_index"],
        is_baseline=request["is_baseline"],
        values=tuple(trial.values) if trial.state == TrialState.COMPLETE else (),
        sample_passes=trial.user_attrs.get(OUTCOME, {}).get("sample_passes", 0),
        stop=_span(trial)[1],
        frozen=frozen,
    )


def request_of(record: TrialRecord) -> TrialRequest:
    """A trial as it was begun."""
    return TrialRequest(
        record.number, record.policy, record.data_fraction, record.seed_index, record.is_baseline, *_span(record.frozen)
    )


def _span(trial: FrozenTrial) -> tuple[float, float]:
    """From which to which share of its length a trial trains."""
    start, stop = trial.user_attrs[REQUEST]["span"]
    return start, stop


def summary(trial: FrozenTrial) -> TrialSummary:
    """A trial that has ended, as a record."""
    request, outcome = trial.user_attrs[REQUEST], trial.user_attrs[OUTCOME]
    return TrialSummary(
        number=trial.number,
        name=request["name"],
        stage=request["stage"],
        data_fraction=request["data_fraction"],
        seed_index=request["seed_index"],
        stop=_span(trial)[1],
        status=_ENDED[trial.state],
        values=tuple(trial.values) if trial.state == TrialState.COMPLETE else (),
        score=trial.values[0] if trial.state == TrialState.COMPLETE else None,
        curve=tuple(sorted(rung for rung in trial.intermediate_values.items() if math.isfinite(rung[1]))),
        seconds=outcome["ended"] - outcome["started"],
        sample_passes=outcome["sample_passes"],
        reason=outcome["reason"],
        note=outcome["note"],
        is_baseline=request["is_baseline"],
        fingerprint=request["fingerprint"],
        params=trial.params,
        started=outcome["started"],
    )
