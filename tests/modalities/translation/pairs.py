"""Pairs of texts for tests."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from autoaug.modalities.text.tokens import tokenized
from autoaug.modalities.translation.pairs import stacked
from autoaug.modalities.translation.pieces import Speller
from tests.modalities.text.writing import write_table

PAIRS = (
    ("The dog did not see the small cat.", "Der Hund sah die kleine Katze nicht."),
    ("A cat!", "Eine Katze!"),
    (
        "The small dog and the small cat see a house today.",
        "Der kleine Hund und die kleine Katze sehen heute ein Haus.",
    ),
    ("你好，世界", "Hello, world"),
)
_BACKS = ("The dog saw the little cat not.", "", "The little dog and the little cat see a house today.", "Hi, world")
_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def pairs(n: int = len(PAIRS), length: int = 40) -> Tensor:
    """Tokens int64 ``[n, 4, length, 3]`` of the pairs, which are repeated, some with a translation back."""
    speller = Speller([target for _, target in PAIRS])
    rows = [
        (tokenized(source), tokenized(target), speller.tokens(target), tokenized(back))
        for (source, target), back in zip(PAIRS, _BACKS, strict=True)
    ]
    return torch.from_numpy(stacked([rows[i % len(rows)] for i in range(n)], length))


def numbers(first: int, last: int) -> list[tuple[str, ...]]:
    """Numbers as words and as digits."""
    return [(" ".join(_ONES[int(digit)] for digit in str(n)), " ".join(str(n))) for n in range(first, last)]


def write_numbers(folder: Path, train: int = 100, test: int = 60) -> Path:
    """A folder with a table of each split."""
    write_table(folder / "train.tsv", numbers(100, 100 + train), ("source", "target"))
    write_table(folder / "test.tsv", numbers(500, 500 + test), ("source", "target"))
    return folder
