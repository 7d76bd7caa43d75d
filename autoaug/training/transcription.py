"""Texts of samples, one character after the other, by connectionist temporal classification (Graves et al., 2006)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import ctc_loss, kl_div, log_softmax

from autoaug.data.labels import strata_of
from autoaug.data.texts import encode_texts, plain_text


@dataclass(frozen=True)
class Transcription:
    """Texts; labels and predictions are code points, int32 ``[n, length]``. For each of its frames, such as stretches
    of time, a model gives logits of no character (index 0) and of each character: ``[n, frames, 1 + characters]``.

    Attributes:
        alphabet: the characters, in ascending order. Others are left out of the loss, and no text with them can be
            predicted.
    """

    alphabet: str
    name: str = "transcription"
    classes: int = 0

    @property
    def outputs(self) -> int:
        return 1 + len(self.alphabet)

    def output_shape(self, n: int) -> tuple[int | str, ...]:
        return n, "frames", self.outputs

    def targets(self, labels: Tensor) -> Tensor:
        """The index of each character in the outputs, floating point ``[n, length]``, and then 0."""
        known = torch.tensor([ord(character) for character in self.alphabet], device=labels.device)
        place = torch.searchsorted(known, labels.long()).clamp(max=len(known) - 1)
        index = torch.where(known[place] == labels, place + 1, 0)
        return index.gather(1, (index == 0).int().argsort(dim=1, stable=True)).float()

    def mixed(self, own: Tensor, others: Tensor, weight: Tensor) -> Tensor:
        """The targets of samples that are sums of two: both texts, ``[n, 2, 1 + length]``, each behind its weight. The
        loss of a mixed sample is that of both, by weight (MixSpeech; Meng et al., 2021).
        """
        shares = torch.stack([weight, 1 - weight], 1).to(own)
        return torch.cat([shares[..., None], torch.stack([own, others], 1)], 2)

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """The negative logarithm of the probability of the text, per character. A text that needs more frames than
        there are adds nothing.
        """
        if targets.ndim == 3:
            of_each = [self.loss(outputs, one, smoothing) for one in targets[..., 1:].unbind(1)]
            both: Tensor = (targets[..., 0] * torch.stack(of_each, 1)).sum(1)
            return both
        logs, texts = log_softmax(outputs.float(), 2), targets.long()
        lengths = (texts > 0).sum(1)
        # CUDA has no loss that is the same bit by bit in every run.
        place = torch.device("cpu") if torch.are_deterministic_algorithms_enabled() else logs.device
        frames = torch.full_like(lengths, logs.shape[1], device=place)
        own = logs.transpose(0, 1).to(place)
        whole = ctc_loss(own, texts.to(place), frames, lengths.to(place), reduction="none", zero_infinity=True)
        losses = whole.to(logs.device) / lengths.clamp(min=1)
        return (1 - smoothing) * losses - smoothing * logs.mean((1, 2))

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """The mean Kullback-Leibler divergence of the probabilities in the frames."""
        own, reference = log_softmax(outputs, 2), log_softmax(others, 2)
        return kl_div(own, reference, reduction="none", log_target=True).sum(2).mean(1)

    def predict(self, outputs: Tensor) -> np.ndarray:
        """The texts, ``[n, frames]``: the most likely character of each frame, without repetitions and then without
        frames that have none (greedy decoding).
        """
        best = outputs.argmax(2)
        begins = torch.ones_like(best, dtype=torch.bool)
        begins[:, 1:] = best[:, 1:] != best[:, :-1]
        rows = torch.where(begins, best, 0).tolist()
        texts = ["".join(self.alphabet[index - 1] for index in row if index) for row in rows]
        return encode_texts([plain_text(text) for text in texts], best.shape[1])

    def decide(self, scores: np.ndarray) -> np.ndarray:
        return scores

    def strata(self, labels: np.ndarray) -> np.ndarray:
        return strata_of(labels)


def least_frames(labels: np.ndarray) -> int:
    """The number of frames that every text has room in: one per character, and one between two that are the same."""
    repeated = (labels[:, 1:] == labels[:, :-1]) & (labels[:, 1:] >= 0)
    return int(((labels >= 0).sum(1) + repeated.sum(1)).max())
