"""Policies that are learned by gradient: the weights of sub-policies, probabilities and magnitude ranges."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan, drawn_operators, learned_by, negative_share
from autoaug.errors import OptionError, PolicyError, as_option_error
from autoaug.functional.sampling import Seeded, uniform
from autoaug.modalities.operators import IDENTITY, UNIFORMS, modality_of
from autoaug.policy.models import Layer, Policy, SubPolicy


class RelaxedDraw(NamedTuple):
    """A draw from a relaxed policy for n samples.

    Attributes:
        plan: the plan; its magnitudes carry gradients to the ranges.
        log_probability: the log-probability of the operators that each sample drew, ``[n]``; it carries gradients to
            the weights and the probabilities.
    """

    plan: Plan
    log_probability: Tensor

    def score(self, losses: Tensor) -> Tensor:
        """The score-function estimate (Williams, 1992) as a term to add to the mean loss; only its gradient matters.

        It is unbiased if the loss of a sample depends only on what that sample drew. Batch normalization in training
        violates this slightly.

        Args:
            losses: ``[draws, ...]``, n values in the order of the plan. The baseline of each is the mean of the others
                along the first dimension (Kool et al., 2019). The estimate is most precise if these are draws for the
                same sample: repeat the batch `draws` times, and pass ``losses.view(draws, -1)``.

        Raises:
            OptionError: there are fewer than two draws.
        """
        draws = len(losses)
        if draws < 2:
            raise OptionError(f"there are losses of {draws} draws; a baseline needs 2 or more")
        advantage = (losses - losses.mean(0)).detach() * draws / (draws - 1)
        return (advantage * self.log_probability.view_as(losses)).mean()


class RelaxedPolicy(Seeded):
    """A policy whose numbers are parameters: samples ``[B, ...]`` in, the same shape out.

    Each sample draws one sub-policy per layer, as usual. This choice is discrete, so the weights and probabilities
    learn by the score function. Both ends of the magnitude ranges learn through the drawn magnitude::

        drawn = relaxed.draw(len(inputs))
        losses = loss(model(apply_plan(drawn.plan, inputs)))  # [B]
        (losses.mean() + drawn.score(losses)).backward()

    The straight-through Gumbel-softmax of Faster AutoAugment (Hataya et al., 2020) assumes that the loss is linear
    between the outputs of two operators. Most of its gradient is bias (`benchmarks.relaxation`).

    Args:
        policy: the policy to start from; its sub-policies have one operation each.
        seed: the seed of the module's own generator.
        modality: the modality of the samples, needed if the operators do not imply it and it is not the first one.

    Attributes:
        weights: for each layer, the logits of the sub-policies, ``[sub-policies]``.
        probabilities: for each layer, the logits of the operations' probabilities, ``[sub-policies]``.
        ranges: for each layer, the ends of the magnitude ranges as logits, ``[sub-policies, 2]``.

    Raises:
        PolicyError: a sub-policy does not have exactly one operation, or the policy blends chains or has a schedule.
    """

    def __init__(self, policy: Policy, seed: int = 0, modality: str | None = None) -> None:
        with as_option_error():
            super().__init__(seed)
        has_sequences = any(
            len(sub_policy.operations) != 1 for layer in policy.layers for sub_policy in layer.sub_policies
        )
        if policy.chains or policy.schedule or has_sequences:
            raise PolicyError(
                f"policy {policy.name!r} cannot be relaxed; its sub-policies must have one operation each, and it may "
                "have neither chains nor a schedule"
            )
        self.policy = policy
        self.operators = drawn_operators(policy)
        self.modality = modality_of(self.operators, modality).name
        tables = [[(b.weight, b.operations[0]) for b in layer.sub_policies] for layer in policy.layers]
        self.weights = nn.ParameterList(_numbers([w for w, _ in table]).clamp(min=1e-6).log() for table in tables)
        self.probabilities = nn.ParameterList(_logit([o.probability for _, o in table]) for table in tables)
        self.ranges = nn.ParameterList(_logit([o.magnitude for _, o in table]) for table in tables)

    def draw(self, n: int) -> RelaxedDraw:
        """A plan for `n` samples, and the log-probability of its choices."""
        steps = [self._draw_layer(i, n) for i in range(len(self.policy.layers))]
        if not steps:
            plan = draw_plan(self.policy, n, self.generator, self.modality)
            return RelaxedDraw(plan, torch.zeros(n, dtype=torch.float32, device="cpu"))
        choice, magnitude, uniforms, log_probability = (torch.stack(parts) for parts in zip(*steps, strict=True))
        learned = learned_by(self.policy, self.operators)
        plan = Plan(self.operators, choice, magnitude, uniforms, modality=self.modality, learned=learned)
        return RelaxedDraw(plan, log_probability.sum(0))

    def _draw_layer(self, layer: int, n: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """For n samples, the operator, its magnitude, its uniforms, and the log-probability of the operator.

        No operation is one outcome, no matter which sub-policy was drawn and not applied. Summing over the sub-policies
        reduces the variance of the score.
        """
        operations = [sub_policy.operations[0] for sub_policy in self.policy.layers[layer].sub_policies]
        index = {name: i for i, name in enumerate(self.operators)} | {IDENTITY: -1}
        operators = torch.tensor([*(index[o.operator] for o in operations), -1], device="cpu")
        weights, applied = self.weights[layer].softmax(0), torch.sigmoid(self.probabilities[layer])
        taken = weights * torch.where(operators[:-1] < 0, 0.0, applied)
        rest = (weights * torch.where(operators[:-1] < 0, 1.0, 1 - applied)).sum(0, keepdim=True)
        chances = torch.cat([taken, rest])
        drawn = torch.multinomial(chances.detach().double(), max(n, 1), replacement=True, generator=self.generator)[:n]
        chance = uniform(n, 2 + UNIFORMS, self.generator)
        ends = torch.sigmoid(self.ranges[layer]).sort(1).values
        low, high = torch.cat([ends, torch.zeros_like(ends[:1])])[drawn].unbind(1)
        negative = _numbers([*(negative_share(o) for o in operations), 0.0])[drawn]
        sign = torch.where(chance[:, 1] < negative, -1.0, 1.0).to(low)
        magnitude = sign * (low + chance[:, 0] * (high - low))
        return operators[drawn], magnitude, chance[:, 2:], chances[drawn].log()

    def forward(self, inputs: Tensor) -> Tensor:
        """Draw a plan for this batch and carry it out. The gradient only reaches the magnitude ranges; see `draw`."""
        return apply_plan(self.draw(len(inputs)).plan, inputs)

    def frozen(self) -> Policy:
        """The policy with the numbers learned so far."""
        layers = []
        for i, layer in enumerate(self.policy.layers):
            weights, probabilities = self.weights[i].softmax(0).tolist(), torch.sigmoid(self.probabilities[i]).tolist()
            ranges = torch.sigmoid(self.ranges[i]).sort(1).values.tolist()
            originals = [sub_policy.operations[0] for sub_policy in layer.sub_policies]
            operations = [
                o.model_copy(update={"probability": probability, "magnitude": (low, high)})
                for o, probability, (low, high) in zip(originals, probabilities, ranges, strict=True)
            ]
            sub_policies = (SubPolicy(operations=(o,), weight=w) for o, w in zip(operations, weights, strict=True))
            layers.append(Layer(sub_policies=tuple(sub_policies)))
        return self.policy.model_copy(update={"layers": tuple(layers)})


def _numbers(values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device="cpu")


def _logit(values: object) -> Tensor:
    return torch.logit(_numbers(values), eps=1e-4)
