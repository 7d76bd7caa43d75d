"""Attacks on texts: the worst of several random changes, as tokens have no gradient, and FGM on words' vectors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.modalities.attacks import FastGradient
from autoaug.modalities.base import Attack, Loss
from autoaug.modalities.operators import get_operator
from autoaug.policy.models import Adversarial, Layer, Operation, Policy, SubPolicy

#: What keeps the meaning for readers.
_OPERATORS = ("SynonymReplacement", "KeyboardTypo", "ScannerError", "LetterSwap", "LetterDeletion")


class WorstOf:
    """Of ``how.steps`` random changes of a share ``how.epsilon`` of the words, by synonyms or misspellings, take for
    each text the one with the highest loss, if it is above that of the text itself (as in DeepWordBug; Gao et al.,
    2018, without its choice of words).
    """

    def __call__(self, loss: Loss, values: Tensor, how: Adversarial, generator: torch.Generator) -> Tensor:
        """See `autoaug.modalities.base.Attack`."""
        choices = tuple(
            SubPolicy(operations=(Operation(operator=name, magnitude=(_magnitude(name, how.epsilon),) * 2),))
            for name in _OPERATORS
        )
        policy, worst = Policy(layers=(Layer(sub_policies=choices),)), values
        with torch.no_grad():
            highest = loss(values)
            for _ in range(how.steps):
                moved = apply_plan(draw_plan(policy, len(values), generator, "text"), values, check=False)
                found = loss(moved)
                worst = torch.where((found > highest)[:, None, None], moved, worst)
                highest = torch.maximum(found, highest)
        return worst

    def words(self, how: Adversarial) -> str:
        """The attack as text for readers."""
        return f"worst of {how.steps} misspellings or synonyms in {100 * how.epsilon:.2g} % of the words, at least one"


def _magnitude(operator: str, share: float) -> float:
    return min(1.0, share / get_operator(operator).limit)


ATTACKS: Mapping[str, Attack] = {"worst-of": WorstOf(), "fgm": FastGradient()}
