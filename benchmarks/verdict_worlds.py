"""Simulated confirmations with known truths: policies have luck with samples, trainings with their seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from autoaug.evaluation.scoring import ConfirmedTraining, Scoring
from autoaug.evaluation.statistics import Errors, seed_errors
from autoaug.evaluation.verdict import Judgment, Terms, contenders, judge
from autoaug.policy.models import Policy
from autoaug.results import Candidate
from autoaug.training.metrics import Accuracy
from autoaug.training.tasks import Classification

#: The share of samples that every policy gets right, apart from its gain and its luck.
EASY = 0.8
#: How often a training is wrong on a sample that its policy gets right, or right on one that it gets wrong.
SLIP = 0.015
ACCURACY, ONE_CLASS = Accuracy(), Classification(1)


class SeedsAlone(Scoring):
    """Intervals for new seeds alone, as if there were no other test samples."""

    def errors(self, ours: Sequence[ConfirmedTraining], theirs: Sequence[ConfirmedTraining] = ()) -> Errors:
        values = [one.test_statistics[:, 0].mean() for one in ours]
        others = [one.test_statistics[:, 0].mean() for one in theirs] or [0.0] * len(values)
        return seed_errors([a - b for a, b in zip(values, others, strict=True)], 1 / len(self.test_labels))


@dataclass(frozen=True)
class World:
    """The luck in a simulated world.

    Attributes:
        test, validation: the numbers of samples.
        group: the size of the groups of test samples; a policy has the same luck with all samples of a group.
        luck: the standard deviation of a policy's accuracy due to the test samples.
        seed_noise: the standard deviation of a training's accuracy due to its seed.
        knows_groups: whether the program is given the groups.
        scoring: how intervals are computed.
    """

    test: int = 1000
    validation: int = 500
    group: int = 1
    luck: float = 0.005
    seed_noise: float = 0.005
    knows_groups: bool = True
    scoring: type[Scoring] = field(default=Scoring)

    @property
    def swing(self) -> float:
        """How often a policy is wrong on an easy sample, or right on a hard one."""
        variance = self.luck**2 * self.test / self.group / (1 - 2 * SLIP) ** 2
        return (1 - math.sqrt(1 - 4 * variance)) / 2

    def patterns(self, gains: np.ndarray, samples: int, draw: np.random.Generator) -> np.ndarray:
        """Which samples each policy gets right, ``[policies, samples]``, with its true difference of accuracy."""
        groups = -(-samples // self.group)
        easy = draw.random(samples) < EASY
        lucky = np.repeat(draw.random((len(gains), groups)), self.group, 1)[:, :samples]
        wrong = np.clip(self.swing - gains / (EASY * (1 - 2 * SLIP)), 0, 1)[:, None]
        return np.where(easy, lucky >= wrong, lucky < self.swing)

    def trainings(self, patterns: np.ndarray, quality: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        """Which samples each training gets right, ``[policies, seeds, samples]``.

        Args:
            patterns: which samples each policy gets right, ``[policies, samples]``.
            quality: what the seed adds to the accuracy of each training, ``[policies, seeds]``.
            draw: the random generator.
        """
        shape = (*quality.shape, patterns.shape[1])
        slips = np.where(patterns[:, None], np.clip(SLIP - quality / EASY, 0, 1)[..., None], SLIP)
        return patterns[:, None] ^ (draw.random(shape, dtype=np.float32) < slips)

    def quality(self, policies: int, seeds: int, draw: np.random.Generator) -> np.ndarray:
        """What the seed adds to the true accuracy of each training: the seed noise that does not come from slips."""
        slips = SLIP * (1 - SLIP) / self.test
        return draw.normal(0, math.sqrt(max(0.0, self.seed_noise**2 - slips)), (policies, seeds))

    def scored(self) -> Scoring:
        """How trainings are scored."""
        groups = np.arange(self.test) // self.group if self.knows_groups and self.group > 1 else None
        labels = np.zeros(self.validation, np.int64), np.zeros(self.test, np.int64)
        return self.scoring(ONE_CLASS, ACCURACY, *labels, groups)


@dataclass(frozen=True, eq=False)
class Confirmation:
    """Trainings of policies: which samples each gets right, ``[policies, seeds, samples]``."""

    names: Sequence[str]
    validation: np.ndarray
    test: np.ndarray
    scoring: Scoring

    def trainings(self) -> dict[tuple[str, int], ConfirmedTraining]:
        """The trainings as records of the program, by name and seed."""
        of_validation, of_test = ((~right).astype(np.uint16) for right in (self.validation, self.test))
        statistics = [
            np.stack([right, np.ones_like(right)], -1).astype(np.float64) for right in (self.validation, self.test)
        ]
        return {
            (name, seed): ConfirmedTraining(
                of_validation[place, seed],
                of_test[place, seed],
                0.0,
                statistics[0][place, seed],
                statistics[1][place, seed],
                np.arange(self.test.shape[2]),
            )
            for place, name in enumerate(self.names)
            for seed in range(self.test.shape[1])
        }

    def candidates(self, seeds: Mapping[str, int]) -> list[Candidate]:
        """The policies as candidates, each with its number of `seeds`."""
        candidates = []
        for name, validation, test in zip(self.names, self.validation.mean(2), self.test.mean(2), strict=True):
            count = seeds[name]
            candidate = Candidate.model_construct(
                name=name,
                kind=name.partition("-")[0],
                trial=None,
                policy=Policy(),
                fingerprint=name,
                seeds=tuple(range(count)),
                validation_scores=tuple(validation[:count].tolist()),
                test_scores=tuple(test[:count].tolist()),
                mean=float(test[:count].mean()),
            )
            candidates.append(candidate)
        return candidates


def drawn(world: World, gains: Mapping[str, float], seeds: int, draw: np.random.Generator) -> Confirmation:
    """Trainings of policies with these true differences of accuracy, on that number of `seeds`."""
    worth = np.array(list(gains.values()))
    quality = world.quality(len(worth), seeds, draw)
    validation, test = (
        world.trainings(world.patterns(worth, samples, draw), quality, draw)
        for samples in (world.validation, world.test)
    )
    return Confirmation(list(gains), validation, test, world.scored())


def confirmed(
    confirmation: Confirmation, planned: tuple[int, ...], terms: Terms | None = None
) -> tuple[Judgment, dict[str, int]]:
    """The judgment by the program's own rules, which add seeds as in a run, and the number of seeds of each policy."""
    terms, trainings = terms or Terms(planned=planned), confirmation.trainings()
    seeds = dict.fromkeys(confirmation.names, planned[0])
    for number, _ in enumerate(planned):
        candidates = confirmation.candidates(seeds)
        judgment = judge(candidates, trainings, confirmation.scoring, terms)
        names = contenders(judgment, candidates)
        if not names or number + 1 == len(planned):
            break
        seeds |= dict.fromkeys(names, planned[number + 1])
    return judgment, seeds
