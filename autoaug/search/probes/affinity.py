"""Affinity and diversity of each operator, measured on an unaugmented model (Gontijo-Lopes et al., 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autoaug.data.inputs import spread_rows
from autoaug.modalities.operators import IDENTITY, get_operator
from autoaug.policy.models import Operation, Policy, in_turn
from autoaug.search.space import SearchSpace
from autoaug.training.checkpoint import checkpoint_path, load_weights
from autoaug.training.metrics import fraction_kept
from autoaug.training.result import TrialResult
from autoaug.training.scoring import score_and_loss
from autoaug.training.setting import TrainingSetting
from autoaug.training.state import new_training
from autoaug.training.train import train_to_end
from autoaug.utils.clock import now

NAME = "affinity"
#: What it does, for users who wait for it.
PURPOSE = "measures what each operator does to a model that was trained without it"
_STRENGTHS = (0.25, 0.5, 0.75, 1.0)
#: Fewest and most samples of each split to measure one operator on; in between, the measurements cost at most this
#: share of the training.
_FEWEST, _MOST, _OF_TRAINING = 8, 300, 1 / 3
#: A training step costs as much as measuring on this many batches.
_MEASUREMENTS_PER_STEP = 3
#: The starting strength is the highest at which the median operator keeps this fraction of the score.
_KEPT = 0.85


@dataclass(frozen=True)
class MeasureAffinity:
    """Evaluate a model trained without augmentation, on a `data_fraction` of the data, on validation and training
    samples under each operator of the space at several strengths. The weights of the baseline ``none`` are reused if
    they were kept.
    """

    space: SearchSpace
    data_fraction: float

    def run(self, setting: TrainingSetting, seed: int) -> Iterator[TrialResult]:
        """Yield one result: for each operator and strength the affinity (score on augmented validation samples divided
        by that on clean ones) and the diversity (loss on augmented training samples divided by that on clean ones), and
        the strength to start from.
        """
        started = now()
        plan = setting.plan(Policy(), seed, self.data_fraction)
        training = new_training(plan)
        kept = setting.checkpoints and checkpoint_path(setting.checkpoints, Policy(), self.data_fraction, seed, 1.0)
        if not (kept and load_weights(training, kept)):
            train_to_end(plan, training)
        wanted = _operators(self.space)
        sample_passes = plan.steps * plan.batch_size
        affordable = round(_OF_TRAINING * _MEASUREMENTS_PER_STEP * sample_passes) // (
            2 * (1 + len(wanted) * len(_STRENGTHS))
        )
        count = min(_MOST, max(_FEWEST, affordable))
        measurements = _Measurements(training.result.to(setting.device), setting, plan.taken, count)
        clean = measurements.at(Policy())
        operators: dict[str, list[tuple[float, float, float]]] = {}
        for name, highest in wanted.items():
            for strength in _STRENGTHS:
                score, loss = measurements.at(_alone(name, strength * highest))
                affinity, diversity = fraction_kept(setting.trial_metric, score, clean[0]), loss / max(clean[1], 1e-6)
                operators.setdefault(name, []).append((strength, affinity, diversity))
        middle = {
            s: np.median([kept for own in operators.values() for t, kept, _ in own if t == s]) for s in _STRENGTHS
        }
        bearable = [strength for strength, kept in middle.items() if operators and kept >= _KEPT]
        yield TrialResult(
            started=started,
            ended=now(),
            status="complete",
            sample_passes=training.meter.sample_passes + measurements.inputs // _MEASUREMENTS_PER_STEP,
            probe_result={"operators": operators, "strength": max(bearable, default=_STRENGTHS[0])},
        )


class _Measurements:
    """A trained model's score on validation samples and loss on its training samples."""

    def __init__(self, model: torch.nn.Module, setting: TrainingSetting, rows: np.ndarray, count: int) -> None:
        self.model, self.setting, self.inputs = model, setting, 0
        validation = setting.validation
        spread = spread_rows(len(validation), count)
        self.sides = ((validation, spread), (setting.train, rows[:: max(1, len(rows) // count)]))

    def at(self, policy: Policy) -> tuple[float, float]:
        """Score and loss under `policy`."""
        (score, _), (_, loss) = (score_and_loss(self.model, s, rows, policy, self.setting) for s, rows in self.sides)
        self.inputs += sum(len(rows) for _, rows in self.sides)
        return score, loss


def _operators(space: SearchSpace) -> dict[str, float]:
    """The operators of all families with their highest magnitudes, without the identity, and without those for which
    validation samples are not prepared.
    """
    highest_of = {name: highest for family in space.families.values() for name, highest in family.items()}
    return {name: most for name, most in highest_of.items() if name != IDENTITY and not get_operator(name).prepares}


def _alone(name: str, highest: float) -> Policy:
    magnitude = (1.0, 1.0) if get_operator(name).is_switch else (0.0, highest)
    return Policy(layers=in_turn(Operation(operator=name, magnitude=magnitude)))


def bearable_strength(probe_result: Mapping[str, Any] | None) -> float | None:
    """The strength to start from; None if the probe has no result."""
    strength = (probe_result or {}).get("strength")
    return None if strength is None else float(strength)
