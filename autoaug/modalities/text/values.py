"""Convert texts between strings and the tokens that are stored and processed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.base import Batch
from autoaug.modalities.text.bits import are_there
from autoaug.modalities.text.protected import protected_words
from autoaug.modalities.text.tokens import NUMBERS, as_rows, text_of, tokenized

bounds = (-(2.0**63), 2.0**63)


def opened(given: Any) -> tuple[Batch, bool, Callable[[Batch], Any]]:
    """A string, a list, tuple or array of strings, or tokens as a tensor or an array ``[L, 3]`` or ``[n, L, 3]``, as a
    batch; see `Values`. Strings have room for twice as many words, and come back as they were where nothing changed.
    """
    if isinstance(given, Tensor) or (isinstance(given, np.ndarray) and given.dtype == np.int64):
        return opened_tokens(given, 3)
    is_list = isinstance(given, list | tuple) or (isinstance(given, np.ndarray) and given.ndim == 1)
    texts = list(given) if is_list else [given]
    if other := [text for text in texts if not isinstance(text, str)]:
        what = f"a {type(given).__name__} with {other[0]!r:.40}" if is_list else type(given).__name__
        raise ValueError(f"texts must be a str, a list of str, or tokens [n, L, 3], not {what}")
    protected = protected_words()
    split = [tokenized(text, protected) for text in texts]
    rows = as_rows(split, 2 * max(map(len, split), default=0) + 1)

    def back(augmented: Batch) -> Any:
        changed = (augmented.values.cpu().numpy() != rows).any((1, 2))
        made = [
            text_of(row) if other else text
            for row, other, text in zip(augmented.values.cpu().numpy(), changed, texts, strict=True)
        ]
        if isinstance(given, np.ndarray):
            return np.array(made)
        return made[0] if isinstance(given, str) else type(given)(made)

    return Batch(torch.from_numpy(rows)), isinstance(given, str), back


def opened_tokens(given: Any, dimensions: int) -> tuple[Batch, bool, Callable[[Batch], Any]]:
    """Tokens as a batch of so many dimensions, whether they are one sample, and what makes the same kind again."""
    is_array = isinstance(given, np.ndarray)
    tokens = torch.from_numpy(given.copy()) if is_array else given
    alone = tokens.ndim < dimensions

    def back(augmented: Batch) -> Any:
        whole = augmented.values[0] if alone else augmented.values
        return whole.numpy() if is_array else whole

    return Batch(tokens[None] if alone else tokens), alone, back


def is_sample(given: Any) -> bool:
    """A string, a list of strings, or int64 whose last dimension is that of tokens."""
    if isinstance(given, Tensor | np.ndarray):
        return given.dtype in (torch.int64, np.int64) and given.ndim in (2, 3) and given.shape[-1] == NUMBERS
    return isinstance(given, str) or (
        isinstance(given, list) and given != [] and all(isinstance(t, str) for t in given)
    )


def check(values: Tensor, look: bool = True) -> Tensor:
    """The tokens, if they are int64 ``[n, L, 3]`` with padding at the end alone; see `Values`."""
    if values.dtype != torch.int64 or values.ndim != 3 or values.shape[2] != NUMBERS or not values.shape[1]:
        raise ValueError(f"texts must be str, or tokens as int64 [n, L, 3], not {values.dtype} {list(values.shape)}")
    if look:
        there = are_there(values)
        if bool((there[:, 1:] & ~there[:, :-1]).any()):
            raise ValueError("the texts have tokens after padding; padding must be at the end")
    return values


def as_work(values: Tensor) -> Tensor:
    """Tokens are processed as they are stored."""
    return values


def as_stored(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Likewise."""
    return values
