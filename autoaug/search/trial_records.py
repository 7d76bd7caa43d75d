"""Records of the trials in an Optuna study. Only this file knows how trials are stored."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal

from optuna.trial import FrozenTrial, TrialState

from autoaug.errors import AutoaugError
from autoaug.policy.models import Policy
from autoaug.policy.words import in_words
from autoaug.results import TrialSummary
from autoaug.search.strategies import OUTCOME, REQUEST, TrialRecord
from autoaug.training.result import TrialResult

_ENDED: dict[TrialState, Literal["complete", "pruned", "failed"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
#: The cost fields of a probe.
_COSTS = {"started", "ended", "sample_passes", "session"}
#: The cost fields of a trial that its summary does not need.
_PAID = {"session", "augmentation_seconds", "samples_seen"}


@dataclass(frozen=True)
class TrialRequest:
    """A trial that the study has begun: all that is needed to run it."""

    number: int
    policy: Policy
    data_fraction: float
    seed_index: int
    is_baseline: bool
    start: float
    stop: float


class ObservedTrial(FrozenTrial):
    """A trial whose deep copy is shallow. Samplers only read its parts, and deep copies of hundreds of trials would
    cost more than the draw itself.
    """

    def __deepcopy__(self, memo: object) -> ObservedTrial:
        return copy(self)


def observed(trial: FrozenTrial, trial_id: int | None = None) -> ObservedTrial:
    """The same trial in a form that is cheap to copy, with another storage id if `trial_id` is given."""
    return ObservedTrial(
        number=trial.number,
        state=trial.state,
        value=None,
        values=trial.values,
        datetime_start=trial.datetime_start,
        datetime_complete=trial.datetime_complete,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs=trial.user_attrs,
        system_attrs=trial.system_attrs,
        intermediate_values=trial.intermediate_values,
        trial_id=trial._trial_id if trial_id is None else trial_id,
    )


def record_of(trial: FrozenTrial) -> TrialRecord:
    """A trial as strategies see it; raises `KeyError` or the like if our attributes are missing."""
    request = trial.user_attrs[REQUEST]
    _, stop = request["span"]
    return TrialRecord(
        number=trial.number,
        name=request["name"],
        stage=request["stage"],
        data_fraction=request["data_fraction"],
        seed_index=request["seed_index"],
        is_baseline=request["is_baseline"],
        values=tuple(trial.values) if trial.state == TrialState.COMPLETE else (),
        sample_passes=trial.user_attrs.get(OUTCOME, {}).get("sample_passes", 0),
        stop=stop,
        frozen=trial,
    )


def request_of(record: TrialRecord) -> TrialRequest:
    """The request that a trial began with."""
    return TrialRequest(
        record.number,
        record.policy,
        record.data_fraction,
        record.seed_index,
        record.is_baseline,
        record.start,
        record.stop,
    )


def summary(record: TrialRecord) -> TrialSummary:
    """The summary of a trial that has ended, for the search result."""
    outcome, rungs = record.outcome, record.frozen.intermediate_values.items()
    return TrialSummary(
        number=record.number,
        name=record.name,
        stage=record.stage,
        data_fraction=record.data_fraction,
        seed_index=record.seed_index,
        stop=record.stop,
        status=_ENDED[record.frozen.state],
        values=record.values,
        score=record.score,
        curve=tuple(sorted(rung for rung in rungs if math.isfinite(rung[1]))),
        seconds=outcome["ended"] - outcome["started"],
        sample_passes=outcome["sample_passes"],
        reason=outcome["reason"],
        note=outcome["note"],
        is_baseline=record.is_baseline,
        fingerprint=record.fingerprint,
        params=record.frozen.params,
        started=outcome["started"],
        words="" if record.is_baseline else in_words(record.policy),
    )


def outcome_of(result: TrialResult, session: int) -> dict[str, Any]:
    """The recorded outcome of a trial: plain values, from which `summary` is made."""
    return {
        "started": result.started,
        "ended": result.ended,
        "augmentation_seconds": result.augmentation_seconds,
        "samples_seen": result.samples_seen,
        "sample_passes": result.sample_passes,
        "reason": result.reason,
        "note": result.note,
        "session": session,
    }


def outcome_of_duplicate(record: TrialRecord) -> dict[str, Any]:
    """The recorded outcome of a trial that took the result of `record` at no cost."""
    free = {
        "started": record.outcome["ended"],
        "augmentation_seconds": 0.0,
        "samples_seen": 0,
        "sample_passes": 0,
        "note": f"the policy of trial {record.number}, not trained again",
    }
    return {**record.outcome, **free}


def probe_notes(result: TrialResult, session: int) -> dict[str, Any]:
    """The recorded attributes of a probe: its result, or why it failed, and what it cost."""
    return {
        **result.probe_result,
        "failed": result.reason,
        "started": result.started,
        "ended": result.ended,
        "sample_passes": result.sample_passes,
        "session": session,
    }


def read_trial(trial: FrozenTrial, objectives: int) -> TrialRecord | None:
    """Read a trial of the study; None if another program added it, or its attributes are damaged."""
    try:
        record = record_of(observed(trial))
        is_named = isinstance(record.policy, Policy) and isinstance(record.fingerprint, str)
        if record.is_running:
            return record if is_named else None
        summary(record)
        is_paid = record.outcome.keys() >= _PAID
        is_scored = trial.state != TrialState.COMPLETE or len(trial.values) == objectives
    except (AutoaugError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return record if is_named and is_paid and is_scored else None


def read_probe_result(noted: Any) -> Mapping[str, Any] | None:
    """Read a stored probe result; None if it is damaged, and then the probe is rerun."""
    try:
        notes = json.loads(noted)
    except (ValueError, TypeError):
        return None
    return notes if isinstance(notes, dict) and notes.keys() >= _COSTS else None


def probe_name(attribute: str) -> str:
    """The probe whose result this study attribute holds; empty for other attributes."""
    prefix, _, name = attribute.partition(":")
    return name if prefix == "probe" else ""
