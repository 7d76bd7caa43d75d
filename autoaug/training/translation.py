"""Translations of texts, piece by piece: each from the source and the pieces before it (Sutskever et al., 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autoaug.data.labels import strata_of, target_texts
from autoaug.data.texts import decode_texts, encode_texts, plain_text


@dataclass(frozen=True)
class Translation:
    """Translations; labels are the texts and their translations as code points, int32 ``[n, 2, length]``.

    The target is a part of the sample, so that what changes a pair changes both sides. A model tells how likely it
    finds the target: for each of its tokens, and the end, the logarithm of the probability and the mean logarithm over
    all tokens, ``[n, tokens, 2]``; both are 0 for padding. Its method ``translate(values)`` gives the indices of the
    pieces of its own translations, int64 ``[n, any]``, with 0 from the end on. That takes long, so only confirmation
    asks for it.

    Scores are float32 ``[n, 2 + length]``: the logarithm of the probability of the target, its number of tokens, and
    the code points of the model's translation, if it was asked for.

    Attributes:
        pieces: the pieces, in the order of their indices from 1.
    """

    pieces: tuple[str, ...]
    name: str = "translation"
    classes: int = 0

    @property
    def outputs(self) -> int:
        return 1 + len(self.pieces)

    def output_shape(self, n: int) -> tuple[int | str, ...]:
        return n, "tokens", 2

    def targets(self, labels: Tensor) -> Tensor:
        """Nothing, ``[n, 1]``: the targets are in the samples."""
        return torch.zeros(len(labels), 1, device=labels.device)

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:  # noqa: ARG002 (see targets)
        """The cross-entropy per token."""
        there = outputs[..., 1] < 0
        losses = -(1 - smoothing) * outputs[..., 0] - smoothing * outputs[..., 1]
        return torch.where(there, losses, 0).sum(1) / there.sum(1).clamp(min=1)

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """The mean squared difference of the logarithms of the probabilities."""
        there = outputs[..., 1] < 0
        return torch.where(there, outputs[..., 0] - others[..., 0], 0).square().sum(1) / there.sum(1).clamp(min=1)

    def predict(self, outputs: Tensor) -> np.ndarray:
        """The scores without translations, ``[n, 2]``."""
        there = outputs[..., 1] < 0
        both = torch.stack([torch.where(there, outputs[..., 0], 0).sum(1), there.sum(1)], 1)
        scores: np.ndarray = both.float().cpu().numpy()
        return scores

    def texts_of(self, translated: Tensor) -> list[str]:
        """The texts of ``translated [n, any]``, indices of pieces up to the first 0."""
        rows = [row[: row.index(0)] if 0 in row else row for row in translated.tolist()]
        return [plain_text("".join(self.pieces[index - 1] for index in row)) for row in rows]

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """The model's translations as code points, int32 ``[n, length]``; empty ones if they were not asked for."""
        return scores[:, 2:].astype(np.int32)

    def strata(self, labels: np.ndarray) -> np.ndarray:
        return strata_of(labels)


def with_texts(scores: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """The scores with the model's translations, float32 ``[n, 2 + length]``, which holds every code point."""
    return np.concatenate([scores[:, :2], encode_texts(texts).astype(np.float32)], 1)


def made_up(labels: np.ndarray) -> np.ndarray:
    """Scores of made-up texts for samples with these ``labels``: those of others."""
    guessed = np.tile(np.array([[-2.0, 1.0]], np.float32), (len(labels), 1))
    return with_texts(guessed, decode_texts(target_texts(labels[::-1])))
