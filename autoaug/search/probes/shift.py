"""The probe for a shift between the splits, without labels and without training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from autoaug.data.inputs import Inputs
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.search.probes.shift_search import match
from autoaug.training.feed import float_batches
from autoaug.training.result import TrialResult
from autoaug.training.setting import TrainingSetting
from autoaug.utils.clock import now

NAME = "matching"
#: What it does, for users who wait for it.
PURPOSE = "looks for operators that make the training samples look like the validation samples"
_TRAINING, _VALIDATION = 300, 500
#: The most positions that are augmented in total, as in samples of 96 x 96. Larger samples are fewer, down to a third.
_POSITIONS = _TRAINING * 96 * 96
#: With fewer samples than this, even one strong operator cannot be detected.
_FEWEST = 50
#: The search for operators may cost this share of the budget, but that of the fewest candidates in any case, and of the
#: most at most: 800 on sentences take four minutes. Twice the share found the same operators for 14 planted shifts, and
#: where groups differ, it cost two of ten trainings; half of it missed the second of two.
_OF_BUDGET, _CANDIDATES = 0.125, (100, 800)
#: It is left out where the fewest candidates cost more than this share.
_MOST_OF_BUDGET = 0.5
#: Augmenting a sample and computing its features costs about a third of a training pass.
_PASSES = 1 / 3


@dataclass(frozen=True)
class MatchShift:
    """Search for operations that make the training samples look like the validation samples.

    Attributes:
        budget: that of the whole search, in trainings, of which this takes a small share; None if it is not known.
        is_paid: whether this is paid from the budget, and must leave room for trials.
    """

    budget: float | None
    is_paid: bool = False

    def run(self, setting: TrainingSetting, seed: int) -> Iterator[TrialResult]:
        """Yield one result: the matched policy or None, with the discrepancies and their noise."""
        started = now()
        draw = np.random.default_rng(seed)
        if min(len(setting.train), len(setting.validation)) < _FEWEST:
            probe_results: dict[str, Any] = {"policy": None, "too few": _FEWEST}
            yield TrialResult(started=started, ended=now(), status="complete", probe_result=probe_results)
            return
        samples = _training_samples(setting.train.inputs)
        fewest, most = (candidates * samples for candidates in _CANDIDATES)
        whole = (self.budget or 0.0) * setting.full_length_passes() / _PASSES
        if self.is_paid and self.budget is not None and fewest > _MOST_OF_BUDGET * whole:
            note = f"left out: it would take {100 * fewest / whole:.0f} % of the budget, and leave no room for trials"
            yield TrialResult(started, now(), "complete", note=note, probe_result={"policy": None, "left out": note})
            return
        found = match(
            _some(setting.train.inputs, samples, draw, setting),
            _some(setting.validation.inputs, _VALIDATION, draw, setting),
            get_modality(setting.modality),
            min(most, max(fewest, _OF_BUDGET * whole)),
            setting.learned,
            setting.lacking,
        )
        yield TrialResult(
            started=started,
            ended=now(),
            status="complete",
            sample_passes=round(found.inputs * _PASSES),
            probe_result={
                "policy": found.policy.model_dump(mode="json", exclude_defaults=True) if found.policy else None,
                "initial": found.initial,
                "residual": found.residual,
                "noise": found.noise,
                "steps": found.steps,
                "measured": found.measured,
                "untried": found.untried,
            },
        )


def _training_samples(inputs: Inputs) -> int:
    """How many training samples to augment."""
    _, *positions = inputs.shape
    return max(_TRAINING // 3, min(_TRAINING, _POSITIONS // math.prod(positions)))


def _some(inputs: Inputs, at_most: int, draw: np.random.Generator, setting: TrainingSetting) -> Tensor:
    """At most `at_most` random samples, on the CPU."""
    rows = draw.permutation(len(inputs))[:at_most]
    return next(float_batches(inputs, iter([rows]), setting.device, setting.modality)).cpu()


def matched(probe_result: Mapping[str, Any] | None) -> Policy | None:
    """The policy that the probe proposes; None if it proposes none, failed, or has not ended."""
    policy = (probe_result or {}).get("policy")
    return None if policy is None else Policy.model_validate(policy)
