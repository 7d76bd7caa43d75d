"""Texts of samples, one character after the other, by connectionist temporal classification (Graves et al., 2006)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import ctc_loss, kl_div, log_softmax

from autoaug.data.labels import strata_of
from autoaug.data.texts import encode_texts, frames_needed, plain_text


@dataclass(frozen=True)
class Transcription:
    """Texts; labels and predictions are code points, int32 ``[n, length]``. For each of its frames, such as stretches
    of time, a model gives logits of no character (index 0) and of each character: ``[n, frames, 1 + characters]``.

    Scores are float32 ``[n, 2 + frames]``: the logarithm of the probability of the true text, its number of characters,
    and the code points of the predicted one.

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
        logs = log_softmax(outputs.float(), 2)
        losses = _losses(logs, targets, zero_infinity=True) / _lengths(targets)
        return (1 - smoothing) * losses - smoothing * logs.mean((1, 2))

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """The mean Kullback-Leibler divergence of the probabilities in the frames."""
        own, reference = log_softmax(outputs, 2), log_softmax(others, 2)
        return kl_div(own, reference, reduction="none", log_target=True).sum(2).mean(1)

    def predict(self, outputs: Tensor, labels: Tensor | None = None) -> np.ndarray:
        """The scores. The predicted text has the most likely character of each frame, without repetitions and then
        without frames that have none (greedy decoding). The first two numbers are 0 without labels, and for a text that
        needs more frames than there are: no model can tell it.
        """
        best = outputs.argmax(2)
        begins = torch.ones_like(best, dtype=torch.bool)
        begins[:, 1:] = best[:, 1:] != best[:, :-1]
        rows = torch.where(begins, best, 0).tolist()
        texts = ["".join(self.alphabet[index - 1] for index in row if index) for row in rows]
        decoded = encode_texts([plain_text(text) for text in texts], best.shape[1])
        likely = np.zeros((len(decoded), 2)) if labels is None else self._likelihoods(outputs, labels)
        return np.concatenate([likely, decoded], 1).astype(np.float32)  # which holds every code point

    def _likelihoods(self, outputs: Tensor, labels: Tensor) -> np.ndarray:
        """The first two numbers of the scores, ``[n, 2]``. Characters out of the alphabet do not count."""
        targets = self.targets(labels).to(outputs.device)
        losses = _losses(log_softmax(outputs.float(), 2), targets, zero_infinity=False)
        likely: np.ndarray = torch.stack([-losses, _lengths(targets)], 1).cpu().numpy()
        likely[frames_needed(targets.cpu().numpy() - 1) > outputs.shape[1]] = 0
        return likely

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """The predicted texts as code points, int32 ``[n, frames]``."""
        return scores[:, 2:].astype(np.int32)

    def strata(self, labels: np.ndarray) -> np.ndarray:
        return strata_of(labels)


def _lengths(targets: Tensor) -> Tensor:
    """The number ``[n]`` of characters of each text; 1 without any, so that it can be divided by."""
    return (targets > 0).sum(1).clamp(min=1)


def _losses(logs: Tensor, targets: Tensor, zero_infinity: bool) -> Tensor:
    """The negative logarithm of the probability of each text, ``[n]``; infinite, or 0 with `zero_infinity`, if it needs
    more frames than there are.
    """
    texts = targets.long()
    lengths = (texts > 0).sum(1)
    # CUDA has no loss that is the same bit by bit in every run.
    place = torch.device("cpu") if torch.are_deterministic_algorithms_enabled() else logs.device
    frames = torch.full_like(lengths, logs.shape[1], device=place)
    own = logs.transpose(0, 1).to(place)
    losses = ctc_loss(own, texts.to(place), frames, lengths.to(place), reduction="none", zero_infinity=zero_infinity)
    return losses.to(logs.device)
