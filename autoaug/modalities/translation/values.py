"""Convert pairs of texts between strings and the tokens that are stored and processed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.base import Batch
from autoaug.modalities.text.tokens import NUMBERS
from autoaug.modalities.text.values import as_stored, as_work, bounds, opened_tokens
from autoaug.modalities.translation.pairs import ROWS, as_pairs, texts_of

__all__ = ["as_stored", "as_work", "bounds", "check", "is_sample", "opened"]


def opened(given: Any) -> tuple[Batch, bool, Callable[[Batch], Any]]:
    """A list of pairs of strings, each with a third one if the target was translated back, or tokens as a tensor or an
    array ``[4, L, 3]`` or ``[n, 4, L, 3]``, as a batch; see `Values`. Strings have room for twice as many words, and
    come back as they were where nothing changed.
    """
    if isinstance(given, Tensor) or (isinstance(given, np.ndarray) and given.dtype == np.int64):
        return opened_tokens(given, 4)
    if not _are_pairs(given):
        wrong = [pair for pair in given if not _are_pairs([pair])] if isinstance(given, list) else []
        what = f"a list with {wrong[0]!r:.40}" if wrong else f"{given!r:.40}"
        raise ValueError(f"pairs must be a list of (source, target), or tokens [n, 4, L, 3], not {what}")
    rows = as_pairs(given, room=2)

    def back(augmented: Batch) -> Any:
        made = augmented.values.cpu().numpy()
        changed = (made[:, :2] != rows[:, :2]).any((2, 3)).tolist()
        made_texts = [texts_of(pair) for pair in made]
        return [
            (*(new if other else old for new, other, old in zip(pair, others, texts, strict=False)), *texts[2:])
            for pair, others, texts in zip(made_texts, changed, given, strict=True)
        ]

    return Batch(torch.from_numpy(rows)), False, back


def _are_pairs(given: Any) -> bool:
    return isinstance(given, list) and all(
        isinstance(pair, tuple | list) and len(pair) in (2, 3) and all(isinstance(text, str) for text in pair)
        for pair in given
    )


def is_sample(given: Any) -> bool:
    """A list of pairs of strings, or int64 whose last dimensions are those of pairs."""
    if isinstance(given, Tensor | np.ndarray):
        is_whole = given.dtype in (torch.int64, np.int64) and given.ndim in (3, 4)
        return is_whole and given.shape[-1] == NUMBERS and given.shape[-3] == ROWS
    return bool(given) and _are_pairs(given)


def check(values: Tensor, look: bool = True) -> Tensor:
    """The tokens, if they are int64 ``[n, 4, L, 3]`` with padding at the end of rows alone; see `Values`."""
    if values.dtype != torch.int64 or values.ndim != 4 or values.shape[1] != ROWS or values.shape[3] != NUMBERS:
        raise ValueError(
            f"pairs must be (source, target), or tokens as int64 [n, 4, L, 3], not {values.dtype} {list(values.shape)}"
        )
    if look and bool(((values[:, :, 1:] != 0).any(3) & (values[:, :, :-1, 0] == 0)).any()):
        raise ValueError("the pairs have tokens after padding; padding must be at the end")
    return values
