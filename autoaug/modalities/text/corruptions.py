"""Twelve corruptions of text at five severities, as policies of autoaug's operators: typing, scanning, writing, and
what is lost or mixed up on the way.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.policy.models import Operation, Policy, in_turn

_FEW = (0.1, 0.2, 0.35, 0.5, 0.8)
_MANY = (0.2, 0.4, 0.6, 0.8, 1.0)
#: The operators of each corruption, with their magnitudes at the five severities.
_OPERATORS: dict[str, dict[str, tuple[float, ...]]] = {
    "keyboard": {"KeyboardTypo": _MANY},
    "scanner": {"ScannerError": _MANY},
    "letter swaps": {"LetterSwap": _MANY},
    "missing letters": {"LetterDeletion": _MANY},
    "capitals": {"CaseChange": _MANY},
    "no punctuation": {"PunctuationDeletion": _MANY},
    "much punctuation": {"PunctuationInsertion": _MANY},
    "missing words": {"WordDeletion": _FEW},
    "word order": {"WordSwap": _FEW},
    "other words": {"SynonymReplacement": _MANY},
    "missing passage": {"SpanCutout": _MANY},
    "hasty typing": {"KeyboardTypo": _FEW, "LetterSwap": _FEW, "LetterDeletion": _FEW, "PunctuationDeletion": _FEW},
}
#: One of each group.
FEW = ("keyboard", "capitals", "missing words", "word order", "other words", "missing passage")


def corruption(name: str, severity: int) -> Policy:
    """The corruption as a policy, at a severity from 1 to 5."""
    operations = [
        Operation(operator=operator, magnitude=(of_severity[severity - 1],) * 2)
        for operator, of_severity in _OPERATORS[name].items()
    ]
    return Policy(name=f"{name} {severity}", layers=in_turn(*operations))


def corrupt(name: str, tokens: Tensor, severity: int) -> Tensor:
    """Corrupt ``tokens [n, L, 3]``, in the same way each time."""
    plan = draw_plan(corruption(name, severity), len(tokens), torch.Generator().manual_seed(0), "text")
    return apply_plan(plan, tokens, check=False)


CORRUPTIONS = {name: partial(corrupt, name) for name in _OPERATORS}
