"""What any policy would score on the sets of the table, by a Gaussian process over what policies do."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from autoaug.policy.models import Policy
from autoaug.search.strategies.surrogate import traits
from autoaug.training.result import TrialResult
from autoaug.utils.clock import now
from autoaug.utils.seeds import derive_seed
from benchmarks.table_file import TableFile

#: The standard deviation between trainings of one policy at an accuracy of one half, on part of the data.
NOISE = 0.015
#: A set can be replayed from so many policies at full length on.
FEWEST = 20


class Fit:
    """The accuracies of one set at one fidelity, on the logit scale, with the fit at `prior` as their mean if given."""

    def __init__(self, policies: list[Policy], accuracies: np.ndarray, prior: Fit | None = None) -> None:
        values = logit(np.clip(accuracies, 0.005, 0.995))
        self._names = sorted({name for policy in policies for name in traits(policy)})
        self._prior = prior
        self._expected: dict[str, tuple[float, float]] = {}
        self._line = (0.0, float(values.mean()))
        if prior is not None:
            slope, offset = np.polyfit([prior.expected(policy)[0] for policy in policies], values, 1)
            self._line = (float(slope), float(offset))
        rest = values - np.array([self._mean(policy) for policy in policies])
        self._scale = float(rest.std()) or 1.0
        kernel = ConstantKernel(1.0) * RBF(2.0, (0.5, 20)) + WhiteKernel(0.1)
        self._process = GaussianProcessRegressor(kernel, n_restarts_optimizer=1, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._process.fit([self._place(policy) for policy in policies], rest / self._scale)
        self.left_out = self._left_out(np.array([self._place(policy) for policy in policies]), rest / self._scale)

    def _left_out(self, at: np.ndarray, values: np.ndarray) -> float:
        """The share of the variance that is explained of policies left out one at a time."""
        inverse = np.linalg.inv(self._process.kernel_(at))
        return float(1 - np.mean((inverse @ values / np.diag(inverse)) ** 2) / np.var(values))

    def _place(self, policy: Policy) -> list[float]:
        known = traits(policy)
        return [known.get(name, 0.0) for name in self._names]

    def _mean(self, policy: Policy) -> float:
        slope, offset = self._line
        return offset + (slope * self._prior.expected(policy)[0] if self._prior else 0.0)

    def expected(self, policy: Policy) -> tuple[float, float]:
        """Mean and standard deviation of a policy's worth. What the process takes for noise beyond that of trainings is
        the policy's own.
        """
        mark = policy.fingerprint()
        if mark not in self._expected:  # all worlds of a set ask for the same baselines and shapes
            self._expected[mark] = self._computed(policy)
        return self._expected[mark]

    def _computed(self, policy: Policy) -> tuple[float, float]:
        mean, deviation = self._process.predict([self._place(policy)], return_std=True)
        expected = self._mean(policy) + self._scale * float(mean[0])
        noise = NOISE / math.sqrt(expit(expected) * expit(-expected)) * 2  # on the logit scale
        return expected, math.sqrt(max(0.0, (self._scale * float(deviation[0])) ** 2 - noise**2))


def fits_of(table: TableFile, name: str) -> dict[float, Fit] | None:
    """The fits of a set, by fraction of the data; None if it has too few cells."""
    fits: dict[float, Fit] = {}
    for fidelity, fraction in (("quarter", 0.25), ("full", 1.0)):
        cells = table.accuracies(name, fidelity)
        if len(cells) < FEWEST:
            return None
        policies = [Policy.model_validate(table.about["policies"][fingerprint]) for fingerprint in cells]
        fits[fraction] = Fit(policies, np.array(list(cells.values())), fits.get(0.25))
    return fits


class World:
    """One way in which a set may truly be, given the fits: each policy has a worth of its own, by `seed`. In the place
    of a training setting.
    """

    device = "cpu"

    def __init__(self, fits: dict[float, Fit], full_length: int, seed: int) -> None:
        self.full_length = full_length
        self._fits, self._seed = fits, seed
        self._known: dict[tuple[str, float], float] = {}

    def warm_up(self) -> None:
        """Nothing is to be loaded."""

    def computing(self) -> contextlib.nullcontext[None]:
        """Nothing is computed."""
        return contextlib.nullcontext()

    def worth(self, policy: Policy, fraction: float = 1.0) -> float:
        """The expected accuracy of trainings with `policy` on that fraction of the data."""
        key = policy.fingerprint(), fraction
        if key not in self._known:
            mean, deviation = self._fits[fraction].expected(policy)
            own = np.random.default_rng(derive_seed(self._seed, key[0])).standard_normal()
            self._known[key] = float(expit(mean + deviation * own))
        return self._known[key]

    def score(self, policy: Policy, fraction: float, seed: int, trainings: int = 1) -> float:
        """The mean accuracy of so many trainings."""
        worth = self.worth(policy, fraction)
        noise = NOISE * 2 * math.sqrt(worth * (1 - worth) / trainings)
        own = derive_seed(self._seed, f"{policy.fingerprint()} {fraction}", seed)
        return float(np.clip(worth + noise * np.random.default_rng(own).standard_normal(), 0, 1))


@dataclass(frozen=True)
class Replayed:
    """A training whose result is looked up in a world."""

    policy: Policy
    data_fraction: float
    start: float
    stop: float

    def run(self, setting: Any, seed: int) -> Iterator[TrialResult]:
        """Yield the result."""
        cost = setting.full_length * self.data_fraction * (self.stop - self.start)
        attack = self.policy.adversarial
        if attack is not None:
            cost *= 1 + attack.share * attack.steps
        score = setting.score(self.policy, self.data_fraction, seed)
        yield TrialResult(now(), now(), "complete", score=score, robustness=score / 2, sample_passes=round(cost))
