"""Metrics of predicted texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoaug.data.texts import decode_texts, encode_codes, text_lengths
from autoaug.training.metrics.base import AT_LEAST_0, SumMetric


@dataclass(frozen=True)
class CharacterErrorRate(SumMetric):
    """The number of characters to insert, delete or replace, per character of the true texts (Levenshtein, 1966). The
    statistics of a sample are its errors and its characters.
    """

    name: str = "CER"
    unit: str = "%"
    larger_is_better: bool = False
    bounds: tuple[float, float] = AT_LEAST_0

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.stack([edits(predictions, targets), text_lengths(targets)], 1).astype(np.float64)

    def value(self, total: np.ndarray) -> float:
        return float(total[0] / total[1]) if total[1] else float("nan")


@dataclass(frozen=True)
class WordErrorRate(CharacterErrorRate):
    """The same of words, which spaces separate."""

    name: str = "WER"

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return super().statistics(*word_codes(decode_texts(predictions), decode_texts(targets)))


@dataclass(frozen=True)
class TokenLogLikelihood(SumMetric):
    """The mean logarithm of the probability that a model gives the true text, per token. The statistics of a sample are
    that of its text, and its tokens.
    """

    name: str = "log-likelihood"
    unit: str = "nats per token"
    larger_is_better: bool = True
    bounds: tuple[float, float] = (-math.inf, 0.0)
    takes_scores: bool = True

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:  # noqa: ARG002 (scores tell all)
        return predictions[:, :2].astype(np.float64)

    def value(self, total: np.ndarray) -> float:
        return float(total[0] / total[1]) if total[1] else float("nan")


def word_codes(*sides: Sequence[str]) -> list[np.ndarray]:
    """Texts as codes of their words, as `encode_texts` has those of characters; a word has one code on all sides."""
    known: dict[str, int] = {}
    coded = [[[known.setdefault(word, len(known)) for word in text.split()] for text in texts] for texts in sides]
    return [encode_codes(texts) for texts in coded]


def edits(predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The least number ``[n]`` of insertions, deletions and replacements between codes ``[n, any]`` of two sides."""
    lengths, own = text_lengths(targets), text_lengths(predictions)
    columns = np.arange(targets.shape[1] + 1)
    row = np.tile(columns, (len(targets), 1))
    for place in range(own.max(initial=0)):
        replaced = row[:, :-1] + (targets != predictions[:, place, None])
        least = np.concatenate([row[:, :1] + 1, np.minimum(replaced, row[:, 1:] + 1)], 1)
        inserted = np.minimum.accumulate(least - columns, 1) + columns
        row = np.where(place < own[:, None], inserted, row)
    found: np.ndarray = np.take_along_axis(row, lengths[:, None], 1)[:, 0]
    return found


def recognized_words(words: Sequence[str], predicted: Sequence[str]) -> list[bool]:
    """Which of a text's words are among the predicted ones, in the alignment with the fewest edits."""
    costs = [list(range(len(predicted) + 1))]
    for word in words:
        above, row = costs[-1], [costs[-1][0] + 1]
        for place, other in enumerate(predicted):
            row.append(min(above[place] + (word != other), above[place + 1] + 1, row[place] + 1))
        costs.append(row)
    found, i, j = [False] * len(words), len(words), len(predicted)
    while i and j:
        is_same = words[i - 1] == predicted[j - 1]
        if costs[i][j] == costs[i - 1][j - 1] + (not is_same):
            found[i - 1] = is_same
            i, j = i - 1, j - 1
        elif costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return found
