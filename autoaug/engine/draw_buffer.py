"""The draws of single samples from a policy, made for many of them at a time."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from autoaug.engine.arrays import drawn_operations, names_and_limits
from autoaug.engine.plan import Plan, drawing_table, drawn_operators, learned_by
from autoaug.functional.sampling import Layers, as_layers, as_tensors, draw_sample, steps_of, uniform
from autoaug.modalities.arrays import DrawnOperation
from autoaug.policy.models import Policy

#: How many samples are drawn at a time: one alone takes as long as its augmentation.
_SAMPLES = 64


class DrawBuffer:
    """Draws for single samples, made many at a time, and the same as if each were drawn by itself. The generator is
    ahead of what was taken, until `rewind` brings it back.

    Args:
        policy: the policy to draw from.
        modality: of the samples.
        known: the operators that the engine on arrays has.
    """

    def __init__(self, policy: Policy, modality: str, known: Collection[str]) -> None:
        self._policy, self._modality, self._known = policy, modality, known
        self._operators: tuple[str, ...] = ()
        self._limits: list[tuple[str, float]] = []
        self._layers: Layers = []
        self._steps = 0
        self._done: float | None = None
        self._drawn: list[list[DrawnOperation] | Plan] = []
        self._taken = 0
        self._before: Tensor | None = None

    def take(self, done: float, generator: torch.Generator) -> list[DrawnOperation] | Plan:
        """The next sample's operations, after that fraction of the training; a plan if an operator is not known."""
        if self._taken == len(self._drawn) or done != self._done:
            self.rewind(generator)
            self._draw(done, generator)
        self._taken += 1
        return self._drawn[self._taken - 1]

    def rewind(self, generator: torch.Generator) -> None:
        """Bring the generator to where it were if only what was taken had been drawn."""
        if self._before is not None and self._taken < len(self._drawn):
            generator.set_state(self._before)
            uniform(self._taken * self._steps, 8, generator)
        self.discard()

    def discard(self) -> None:
        """Drop what was not taken: the generator has a new state."""
        self._drawn, self._taken, self._before = [], 0, None

    def _draw(self, done: float, generator: torch.Generator) -> None:
        if done != self._done:
            policy = self._policy.at(done)
            self._operators, self._layers, self._done = drawn_operators(policy), as_layers(drawing_table(policy)), done
            self._limits, self._steps = names_and_limits(self._operators), steps_of(self._layers)
        self._before = generator.get_state()
        chances = uniform(_SAMPLES * self._steps, 8, generator).tolist()
        for i in range(_SAMPLES):
            steps = draw_sample(self._layers, chances[i * self._steps : (i + 1) * self._steps])
            operations = drawn_operations(steps, self._limits)
            if any(operation.operator not in self._known for operation in operations):
                learned = learned_by(self._policy, self._operators)
                self._drawn.append(Plan(self._operators, *as_tensors(steps), modality=self._modality, learned=learned))
            else:
                self._drawn.append(operations)
