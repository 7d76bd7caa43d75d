"""Learn a policy by gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from autoaug.data.splits import Samples
from autoaug.engine.apply import apply_plan
from autoaug.engine.relaxation import RelaxedPolicy
from autoaug.policy.models import Layer, Policy
from autoaug.search.sampling import Given, sample_shaped, usual_shape
from autoaug.search.space import SearchSpace
from autoaug.training.feed import float_batches
from autoaug.training.optimizers import one_cycle
from autoaug.training.result import TrialResult
from autoaug.training.setting import TrainingSetting
from autoaug.training.state import new_training
from autoaug.utils.clock import now
from autoaug.utils.seeds import derive_seed

NAME = "gradient"
#: What it does, for users who wait for it.
PURPOSE = "learns probabilities and magnitudes along with the weights of a network"
_BATCH = 64
#: How often each training sample of a step is drawn for; its other draws are the baseline of one. Of 1, 2, 4 and 8 the
#: most precise at equal compute (`benchmarks.relaxation`).
_DRAWS = 4
#: The fraction of the compute of one full training that it takes.
_COMPUTE = 0.8
#: A step passes a batch three times forward and back, once through the policy, all in full precision. Of training
#: samples a batch has a fourth, each of them drawn for four times.
_PASSES_PER_STEP = 8 * _BATCH
_LEARNING_RATE = 0.05
_POLICY_LEARNING_RATE = 0.05
#: How far the weights are moved, in parameter space, to each side for the difference of gradients.
_REACH = 0.01
#: A sub-policy stays if its weight is at least this fraction of the mean weight of its layer.
_KEPT = 0.25


@dataclass(frozen=True)
class LearnByGradient:
    """Learn a policy together with the weights, from the gradient of the validation loss one step ahead (DADA; Li et
    al., 2020): the policy is updated so that the next step of the weights on augmented training samples lowers the
    validation loss. The mixed second derivative is a finite difference of gradients, as in DARTS (Liu et al., 2019).
    """

    space: SearchSpace

    def run(self, setting: TrainingSetting, seed: int) -> Iterator[TrialResult]:
        """Yield one result, with the learned policy."""
        started = now()
        steps = max(20, round(_COMPUTE * setting.full_length_passes() / _PASSES_PER_STEP))
        learned = _learn(self.space, setting, seed, steps)
        yield TrialResult(
            started=started,
            ended=now(),
            status="complete",
            sample_passes=steps * _PASSES_PER_STEP,
            probe_result={"policy": learned.model_dump(mode="json", exclude_defaults=True), "steps": steps},
        )


def starting_policy(space: SearchSpace) -> Policy:
    """The usual shape of `space` with up to two layers, before anything is learned."""
    shape = {**usual_shape(space), "layers": min(2, space.layers[1]), "mixing": "none"}
    return Policy(name=NAME, layers=sample_shaped(space, Given(shape)).layers)


def _learn(space: SearchSpace, setting: TrainingSetting, seed: int, steps: int) -> Policy:
    relaxed = RelaxedPolicy(starting_policy(space), seed=derive_seed(seed, "relaxed"), modality=setting.modality)
    model = new_training(setting.plan(Policy(), seed)).model.to(setting.device).train()
    weights: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(weights, lr=_LEARNING_RATE, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: one_cycle(step / steps))
    policy_optimizer = torch.optim.Adam(relaxed.parameters(), lr=_POLICY_LEARNING_RATE, betas=(0.5, 0.999))
    training = _endless(setting, setting.train, _BATCH // _DRAWS, steps, derive_seed(seed, "training"))
    validation = _endless(setting, setting.validation, _BATCH, steps, derive_seed(seed, "validation"))

    def losses(values: Tensor, targets: Tensor) -> Tensor:
        return setting.task.loss(model(values), targets)

    for few, (seen, answers) in zip(training, validation, strict=True):
        ahead = torch.autograd.grad(losses(seen, answers).mean(), weights)
        reach = _REACH / float(torch.cat([g.flatten() for g in ahead]).norm().clamp(min=1e-12))
        inputs, targets = (torch.cat([part] * _DRAWS) for part in few)
        drawn = relaxed.draw(len(inputs))
        augmented = apply_plan(drawn.plan, inputs, check=False)
        looked = augmented.detach().requires_grad_()
        after = _look(partial(losses, looked, targets), [looked, *weights], ahead, reach)
        before = _look(partial(losses, looked, targets), [looked, *weights], ahead, -reach)
        policy_optimizer.zero_grad()
        # The next step of the weights is against the training gradient: what makes that more like the validation
        # gradient lowers the validation loss.
        apart = (before.losses - after.losses) / (2 * reach)
        slope = (before.gradients[0] - after.gradients[0]) / (2 * reach)
        torch.autograd.backward((augmented * slope).sum() + drawn.score(apart.view(_DRAWS, -1)))
        policy_optimizer.step()
        for weight, one, other in zip(weights, after.gradients[1:], before.gradients[1:], strict=True):
            weight.grad = (one + other) / 2
        optimizer.step()
        schedule.step()
    return _pruned(relaxed.frozen())


class _Look(NamedTuple):
    """The losses ``[n]``, and the gradients of their mean."""

    losses: Tensor
    gradients: tuple[Tensor, ...]


def _look(losses: Callable[[], Tensor], leaves: list[Tensor], ahead: tuple[Tensor, ...], reach: float) -> _Look:
    """What is seen with the weights moved by `reach` along `ahead`; the `leaves` are the samples and the weights."""
    weights = leaves[1:]
    with torch.no_grad():
        torch._foreach_add_(weights, ahead, alpha=reach)
    found = losses()
    gradients = torch.autograd.grad(found.mean(), leaves)
    with torch.no_grad():
        torch._foreach_add_(weights, ahead, alpha=-reach)
    return _Look(found.detach(), gradients)


def _endless(
    setting: TrainingSetting, samples: Samples, size: int, steps: int, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Random batches of that size, with their targets."""
    draw = np.random.default_rng(seed)
    rows = [np.sort(draw.integers(0, len(samples), size)) for _ in range(steps)]
    batches = float_batches(samples.inputs, iter(rows), setting.device, setting.modality)
    for indices, values in zip(rows, batches, strict=True):
        yield values, setting.task.targets(torch.from_numpy(samples.labels[indices])).to(setting.device)


def _pruned(policy: Policy) -> Policy:
    """The policy without the sub-policies that are hardly ever drawn."""
    layers = []
    for layer in policy.layers:
        least = _KEPT * sum(sub_policy.weight for sub_policy in layer.sub_policies) / len(layer.sub_policies)
        layers.append(
            Layer(sub_policies=tuple(sub_policy for sub_policy in layer.sub_policies if sub_policy.weight >= least))
        )
    return policy.model_copy(update={"layers": tuple(layers)})
