"""The work of ``scripts/bench_relaxation``, which describes it."""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from autoaug.engine.apply import apply_plan
from autoaug.engine.relaxation import RelaxedPolicy
from autoaug.functional.straight_through import straight_through
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Layer, Policy
from autoaug.search.probes.gradient import starting_policy
from autoaug.search.space import load_space
from benchmarks.results import Results

_BATCH, _EXACT_DRAWS, _REACH = 64, 16, 0.01


@dataclass(frozen=True)
class Bench:
    """Samples, their labels, a loss ``[n]`` of samples and labels, and the layer of a policy."""

    samples: Tensor
    labels: Tensor
    loss: Callable[[Tensor, Tensor], Tensor]
    layer: Layer

    def relaxed(self, seed: int, only: int | None = None) -> RelaxedPolicy:
        """The layer, or one of its sub-policies, as a relaxed policy."""
        sub_policies = self.layer.sub_policies
        kept = sub_policies if only is None else (sub_policies[only],)
        return RelaxedPolicy(Policy(layers=(Layer(sub_policies=kept),)), seed=seed)

    def branches(self, samples: Tensor, seed: int) -> Tensor:
        """What each sub-policy makes of the samples, ``[n, sub-policies, ...]``."""
        with torch.no_grad():
            made = [self.relaxed(seed + k, k)(samples) for k in range(len(self.layer.sub_policies))]
        return torch.stack(made, 1)


def prepared() -> Bench:
    """The bench of the module's text, with seed 0."""
    torch.manual_seed(0)
    digits = load_digits()
    samples, labels = torch.from_numpy(digits.images).float()[:, None] / 16, torch.from_numpy(digits.target)
    own, held, answers, held_answers = samples[:1000], samples[1000:], labels[:1000], labels[1000:]
    network = get_modality("image").models.build("auto", (1, 8, 8), 10, own.mean((0, 2, 3)), own.std((0, 2, 3)), 0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    for _ in range(40):
        rows = torch.randint(0, 1000, (_BATCH,))
        optimizer.zero_grad()
        torch.autograd.backward(cross_entropy(network(own[rows]), answers[rows]))
        optimizer.step()
    network.eval()
    ahead = torch.autograd.grad(cross_entropy(network(held), held_answers), list(network.parameters()))
    reach = _REACH / float(torch.cat([g.flatten() for g in ahead]).norm())
    after, before = (_moved(network, ahead, sign * reach) for sign in (1, -1))

    def loss(values: Tensor, targets: Tensor) -> Tensor:
        one, other = (cross_entropy(near(values), targets, reduction="none") for near in (before, after))
        return (one - other) / (2 * reach)

    return Bench(own, answers, loss, starting_policy(load_space("digits")).layers[-1])


def _moved(network: nn.Module, ahead: tuple[Tensor, ...], by: float) -> nn.Module:
    moved = copy.deepcopy(network)
    with torch.no_grad():
        for weight, direction in zip(moved.parameters(), ahead, strict=True):
            weight.add_(direction, alpha=by)
    return moved


def exact(bench: Bench) -> Tensor:
    """The gradient of the expected loss in the weights. At the start everything drawn is applied, nearly always."""
    means = torch.zeros(len(bench.layer.sub_policies))
    with torch.no_grad():
        for draw in range(_EXACT_DRAWS):
            for k, branch in enumerate(bench.branches(bench.samples, 1000 * draw).unbind(1)):
                means[k] += bench.loss(branch, bench.labels).mean() / _EXACT_DRAWS
    weights = bench.relaxed(0).weights[0]
    return _slope(weights.softmax(0) @ means, weights)


def score(bench: Bench, samples: Tensor, labels: Tensor, seed: int, draws: int) -> Tensor:
    """By the score function, with so many draws per sample."""
    few = _BATCH // draws
    samples, labels = torch.cat([samples[:few]] * draws), torch.cat([labels[:few]] * draws)
    relaxed = bench.relaxed(seed)
    drawn = relaxed.draw(_BATCH)
    moved = apply_plan(drawn.plan, samples).detach().requires_grad_()
    losses = bench.loss(moved, labels)
    _slope(losses.mean(), moved)  # which ranges learn from: of no use here, but a part of the cost
    return _slope(drawn.score(losses.view(draws, -1) if draws > 1 else losses), relaxed.weights[0])


def relaxed_choice(bench: Bench, samples: Tensor, labels: Tensor, seed: int, gate_alone: bool) -> Tensor:
    """By the straight-through Gumbel-softmax: over all sub-policies, or through the gate of the drawn one."""
    weights = bench.relaxed(seed).weights[0]
    noise = torch.rand(_BATCH, len(weights), generator=torch.Generator().manual_seed(seed)).clamp(1e-9, 1 - 1e-7)
    logits = weights - (-noise.log()).log()
    choice = straight_through(one_hot(logits.argmax(1), len(weights)).float(), (logits / 0.5).softmax(1))
    made = bench.branches(samples, seed)
    if gate_alone:
        index = choice.argmax(1)
        taken = made[torch.arange(_BATCH), index]
        mixed = samples + choice.gather(1, index[:, None])[..., None, None] * (taken - samples)
    else:
        mixed = (choice[:, :, None, None, None] * made).sum(1)
    return _slope(bench.loss(mixed, labels).mean(), weights)


def _slope(of: Tensor, at: Tensor) -> Tensor:
    (slope,) = torch.autograd.grad(of, at)
    return slope


ESTIMATES: dict[str, Callable[..., Tensor]] = {
    "gate": partial(relaxed_choice, gate_alone=True),
    "straight-through": partial(relaxed_choice, gate_alone=False),
    **{f"score, {draws} draw{'s' if draws > 1 else ''}": partial(score, draws=draws) for draws in (1, 2, 4, 8)},
}


def measured(bench: Bench, truth: Tensor, name: str, count: int) -> dict[str, Any]:
    """How far an estimate is off: see the module's text."""
    generator = torch.Generator().manual_seed(1)
    begun, runs = time.process_time(), []
    for seed in range(count):
        rows = torch.randint(0, len(bench.samples), (_BATCH,), generator=generator)
        runs.append(ESTIMATES[name](bench, bench.samples[rows], bench.labels[rows], 10_000 + 100 * seed))
    milliseconds, many = 1000 * (time.process_time() - begun) / count, torch.stack(runs)
    variance = float(many.var(0).sum())
    bias = max(0.0, float((many.mean(0) - truth).square().sum()) - variance / count)
    size = float(truth.norm())
    return {"bias": bias**0.5 / size, "deviation": variance**0.5 / size, "milliseconds": milliseconds}


def main(options: argparse.Namespace) -> None:
    """Measure what is missing."""
    torch.set_num_threads(1)
    results, bench = Results(options.out, vars(options), fixed=("draws",)), prepared()
    truth = exact(bench)
    for name in ESTIMATES:
        results.once(results.items, name, partial(measured, bench, truth, name, options.draws))
        print(name, {key: round(value, 2) for key, value in results.items[name].items()}, flush=True)
