"""Policies that are learned by gradient: sub-policy weights, probabilities and magnitude ranges as parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan, drawn_operators, negative_share
from autoaug.errors import PolicyError, as_option_error
from autoaug.functional.sampling import Seeded, uniform
from autoaug.functional.straight_through import straight_through
from autoaug.modalities.operators import IDENTITY, modality_of
from autoaug.policy.models import Layer, Policy, SubPolicy


class RelaxedPolicy(Seeded):
    """A policy whose numbers are parameters: samples ``[B, ...]`` in, the same shape out.

    Each sample draws one sub-policy of each layer as ever; going back, the gradient reaches the weights through the
    straight-through Gumbel-softmax (Jang et al., 2017), the probabilities through a relaxed Bernoulli variable
    (Maddison et al., 2017), as in Faster AutoAugment (Hataya et al., 2020), and both ends of the magnitude ranges
    through the drawn magnitude.

    Args:
        policy: where to begin; sub-policies of one operation each.
        temperature: of both relaxations; small is closer to the choice itself, large has smoother gradients.
        seed: of the module's own generator.
        modality: of the samples, where the policy's operators do not tell and it is not the first one.

    Attributes:
        weights: for each layer the sub-policies' logits ``[sub-policies]``.
        probabilities: for each layer the operations' logits ``[sub-policies]``.
        ranges: for each layer the ends of the magnitude ranges as logits ``[sub-policies, 2]``.

    Raises:
        PolicyError: a sub-policy has other than one operation, or the policy blends chains or has a schedule.
    """

    def __init__(self, policy: Policy, temperature: float = 0.5, seed: int = 0, modality: str | None = None) -> None:
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
        self.temperature = temperature
        self.operators = drawn_operators(policy)
        self.modality = modality_of(self.operators, modality).name
        tables = [[(b.weight, b.operations[0]) for b in layer.sub_policies] for layer in policy.layers]
        self.weights = nn.ParameterList(_numbers([w for w, _ in table]).clamp(min=1e-6).log() for table in tables)
        self.probabilities = nn.ParameterList(_logit([o.probability for _, o in table]) for table in tables)
        self.ranges = nn.ParameterList(_logit([o.magnitude for _, o in table]) for table in tables)

    def draw(self, n: int) -> Plan:
        """A plan for `n` samples, whose magnitudes and gates carry gradients to the parameters."""
        steps = [self._draw_layer(i, n) for i in range(len(self.policy.layers))]
        if not steps:
            return draw_plan(self.policy, n, self.generator, self.modality)
        choice, magnitude, uniforms, gate = (torch.stack(parts) for parts in zip(*steps, strict=True))
        return Plan(self.operators, choice, magnitude, uniforms, gate=gate, modality=self.modality)

    def _draw_layer(self, layer: int, n: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        operations = [sub_policy.operations[0] for sub_policy in self.policy.layers[layer].sub_policies]
        chance = uniform(n, 8, self.generator)
        noise = uniform(n, len(operations), self.generator).clamp(1e-9, 1 - 1e-7)
        logits = self.weights[layer] - (-noise.log()).log()
        soft = (logits / self.temperature).softmax(1)
        sub_policy = logits.argmax(1)
        taken = straight_through(torch.nn.functional.one_hot(sub_policy, len(operations)), soft)
        odds = self.probabilities[layer][sub_policy] + torch.logit(chance[:, 0].clamp(1e-6, 1 - 1e-6))
        applied = straight_through((odds > 0).float(), torch.sigmoid(odds / self.temperature))
        low, high = torch.sigmoid(self.ranges[layer])[sub_policy].sort(1).values.unbind(1)
        negative = _numbers([negative_share(o) for o in operations])[sub_policy]
        sign = torch.where(chance[:, 2] < negative, -1.0, 1.0).to(low)
        index = {name: i for i, name in enumerate(self.operators)} | {IDENTITY: -1}
        choice = torch.tensor([index[o.operator] for o in operations], device="cpu")[sub_policy]
        gate = taken.gather(1, sub_policy[:, None]).squeeze(1) * applied
        return choice, sign * (low + chance[:, 1] * (high - low)), chance[:, 4:], gate

    def forward(self, inputs: Tensor) -> Tensor:
        """Draw a plan for this batch and carry it out."""
        return apply_plan(self.draw(len(inputs)), inputs)

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
