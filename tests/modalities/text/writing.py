"""Texts for tests."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from autoaug.data.inputs import MemoryInputs
from autoaug.modalities.operators import learned_from
from autoaug.modalities.text.tokens import as_rows, tokenized
from tests.samples import operators_of

#: Texts of several scripts, lengths and kinds.
TEXTS = (
    "The company said prices rose quickly last year. Analysts did not expect that! Could the new plan help, they ask?",
    "酒店位置很好，房间干净。服务员不太热情，但是价格便宜。",
    "Don't panic: U.S. shares fell 3.5% (see the naïve café report).",
    "नमस्ते दुनिया, यह एक अच्छा दिन है।",
    "مرحبا بالعالم، هذا يوم جميل",
    "👩‍👩‍👧 🇩🇪👍🏽",
    "good",
    "Donaudampfschifffahrtsgesellschaftskapitäne sind GROSS and small.",
)
_WORDS = {
    "sport": ["game", "team", "player", "score", "win", "match", "coach", "goal", "season", "fans"],
    "money": ["bank", "stock", "price", "trade", "market", "loan", "profit", "tax", "dollar", "rate"],
}
_OTHERS = ["the", "a", "of", "in", "on", "big", "small", "new", "old", "quickly", "said", "people", "year", "day"]


def tokens(n: int = len(TEXTS), length: int = 64) -> Tensor:
    """Tokens int64 ``[n, length, 3]`` of the texts, which are repeated."""
    return torch.from_numpy(as_rows([tokenized(TEXTS[i % len(TEXTS)]) for i in range(n)], length))


@cache
def learned() -> Mapping[str, str]:
    """What operators learn from the texts."""
    return learned_from(MemoryInputs(tokens().numpy()), operators_of("text"))


def written(n: int, seed: int) -> Iterator[tuple[str, str]]:
    """Texts of two classes, which a few words tell."""
    draw = random.Random(seed)
    for i in range(n):
        label = ("sport", "money")[i % 2]
        words = [draw.choice(_WORDS[label] if draw.random() < 0.25 else _OTHERS) for _ in range(draw.randint(8, 16))]
        yield " ".join(words).capitalize() + ".", label


def write_table(path: Path, rows: Sequence[tuple[Any, ...]], header: tuple[str, ...] = ("text", "label")) -> Path:
    """A table as CSV, TSV or JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows)
        else:
            writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writerows([header, *rows])
    return path


def write_texts(folder: Path, train: int = 96, test: int = 60) -> Path:
    """A folder with a table of each split."""
    write_table(folder / "train.csv", list(written(train, 1)))
    write_table(folder / "test.csv", list(written(test, 2)))
    return folder
