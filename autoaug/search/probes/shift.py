"""The probe that looks for a shift between the splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from autoaug.data.inputs import Inputs
from autoaug.policy.models import Policy
from autoaug.results import TrialResult
from autoaug.search.probes.shift_search import match
from autoaug.training.feed import float_batches
from autoaug.training.setting import TrainingSetting
from autoaug.utils.clock import now

NAME = "matching"
_TRAINING, _VALIDATION = 300, 500
#: Of large samples fewer are augmented, at least a third: looking takes as long as it does at 96 x 96 pixels.
_PIXELS = _TRAINING * 96 * 96
#: Fewer samples than this show not even one strong operator.
_FEWEST = 50
#: Augmenting and describing a sample takes about a third of passing it through the model, forward and backward.
_PASSES = 1 / 3


@dataclass(frozen=True)
class MatchShift:
    """Look for operations that make the training samples look like the validation samples."""

    def run(self, setting: TrainingSetting, seed: int) -> Iterator[TrialResult]:
        """Yield one result, whose findings are the matched policy, or None, and how sure that is."""
        started = now()
        draw = np.random.default_rng(seed)
        if min(len(setting.train), len(setting.validation)) < _FEWEST:
            probe_results: dict[str, Any] = {"policy": None, "too few": _FEWEST}
            yield TrialResult(started=started, ended=now(), status="complete", probe_result=probe_results)
            return
        found = match(
            _some(setting.train.inputs, _training_images(setting.train.inputs), draw, setting.device),
            _some(setting.validation.inputs, _VALIDATION, draw, setting.device),
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
            },
        )


def _training_images(inputs: Inputs) -> int:
    _, height, width = inputs.shape
    return max(_TRAINING // 3, min(_TRAINING, _PIXELS // (height * width)))


def _some(inputs: Inputs, at_most: int, draw: np.random.Generator, device: str) -> Tensor:
    """Samples at random places, in the order of a random draw, on the CPU."""
    rows = draw.permutation(len(inputs))[:at_most]
    return next(float_batches(inputs, iter([rows]), device)).cpu()


def matched(probe_result: Mapping[str, Any] | None) -> Policy | None:
    """The policy that the probe found; None if it found none, failed, or has not ended."""
    found = (probe_result or {}).get("policy")
    return None if found is None else Policy.model_validate(found)
