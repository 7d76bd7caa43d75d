"""Proxy networks for texts, and the user's own."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from autoaug.modalities.from_scratch import FromScratch, Network
from autoaug.modalities.networks import Start
from autoaug.modalities.text import classifiers
from autoaug.modalities.text.bits import are_there, as_bytes, keys_of

#: Words are told apart by their keys in so many buckets: few of a text's words share one.
BUCKETS = 2**14
_WIDTH, _SCALE = 64, 8.0


def word_ids(tokens: Tensor, buckets: int = BUCKETS) -> Tensor:
    """A number from 1 to ``buckets - 1`` for the word of each token, whatever its case, and 0 for padding; int64 ``[n,
    L]``. Networks of the user's own can use it.
    """
    return torch.where(are_there(tokens), 1 + keys_of(tokens) % (buckets - 1), 0)


class WordEmbedding(nn.Module):
    """Tokens as vectors ``[n, L, width]``: of the word, and of how it is written (without capitals, with some, with
    capitals alone). Adam moves each number by about the learning rate, and most words are seen seldom: so what it moves
    is multiplied by a scale.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.words = nn.Embedding(BUCKETS, width, padding_idx=0)
        self.capitals = nn.Embedding(3, width)
        nn.init.normal_(self.words.weight, std=0.1 / _SCALE)
        nn.init.zeros_(self.capitals.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        ids, letters = word_ids(tokens), as_bytes(tokens)[..., 1:]
        capitals = ((letters >= 65) & (letters <= 90)).sum(-1)
        others = ((letters >= 97) & (letters <= 122)).sum(-1)
        written = torch.where(capitals == 0, 0, torch.where(others == 0, 2, 1))
        made: Tensor = (_SCALE * self.words(ids) + self.capitals(written)) * (ids > 0)[..., None]
        return made


class TextCNN(nn.Module):
    """The convolutional network of Kim (2014): convolutions over one to three words, of which the greatest responses
    count, normalized.
    """

    def __init__(self, classes: int, width: int = _WIDTH, filters: int = 64) -> None:
        super().__init__()
        self.embedding = WordEmbedding(width)
        self.dropped = nn.Dropout(0.3)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, filters, size, padding=size // 2) for size in (1, 2, 3))
        self.norm = nn.LayerNorm(3 * filters)
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(3 * filters, classes))

    def get_input_embeddings(self) -> nn.Module:
        """The layer whose vectors are mixed or attacked."""
        return self.embedding

    def forward(self, tokens: Tensor) -> Tensor:
        values = self.dropped(self.embedding(tokens)).transpose(1, 2)
        most = [convolution(values).relu().amax(2) for convolution in self.convolutions]
        logits: Tensor = self.head(self.norm(torch.cat(most, 1)))
        return logits


class TextTransformer(nn.Module):
    """A small transformer encoder, whose outputs for the tokens are averaged."""

    def __init__(self, classes: int, length: int, width: int = _WIDTH) -> None:
        super().__init__()
        self.embedding = WordEmbedding(width)
        self.places = nn.Parameter(torch.randn(length, width) * 0.02)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 2 * width, 0.1, batch_first=True, norm_first=True) for _ in range(2)
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Dropout(0.2), nn.Linear(width, classes))

    def get_input_embeddings(self) -> nn.Module:
        """The layer whose vectors are mixed or attacked."""
        return self.embedding

    def forward(self, tokens: Tensor) -> Tensor:
        there = are_there(tokens)
        there = there | ~there.any(1, keepdim=True)  # attention to nothing would be NaN
        values = self.norm(self.embedding(tokens) + self.places[: tokens.shape[1]])
        for layer in self.layers:
            values = layer(values, src_key_padding_mask=~there)
        mean = (values * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        logits: Tensor = self.head(mean)
        return logits


#: Tokens are not standardized.
_NETWORKS = FromScratch(
    "texts",
    {
        "textcnn": Network(lambda _, outputs, *__: TextCNN(outputs), "convolutions over embedded words"),
        "text-transformer": Network(
            lambda shape, outputs, *_: TextTransformer(outputs, shape[0]), "a small transformer encoder"
        ),
    },
    others=[f"{classifiers.PREFIX}FOLDER"],
)


def build(
    name: str, shape: tuple[int, ...], outputs: int, mean: Tensor, std: Tensor, seed: int, start: Start | None = None
) -> nn.Module:
    """See `autoaug.modalities.networks.Models`."""
    if folder := classifiers.folder_of(name):
        return classifiers.built(name, folder, outputs, seed, start)
    return _NETWORKS.build(name, shape, outputs, mean, std, seed, start)


def resolve(name: str, shape: tuple[int, ...]) -> tuple[str, str]:
    """See `autoaug.modalities.networks.Models`. A folder is named by its absolute path."""
    if folder := classifiers.folder_of(name):
        return classifiers.PREFIX + str(Path(folder).absolute()), "as given"
    return _NETWORKS.resolve(name, shape)


def start(name: str, weights: str, shape: tuple[int, ...], outputs: int, keep_size: bool = False) -> tuple[Start, str]:
    """See `autoaug.modalities.networks.Models`."""
    if folder := classifiers.folder_of(name):
        return classifiers.started(name, folder, weights, outputs)
    return _NETWORKS.start(name, weights, shape, outputs, keep_size)


def is_own(name: str) -> bool:
    """See `autoaug.modalities.networks.Models`."""
    return classifiers.folder_of(name) is None and _NETWORKS.is_own(name)


def check(name: str, weights: str | None = None) -> None:
    """See `autoaug.modalities.networks.Models`."""
    if folder := classifiers.folder_of(name):
        classifiers.Classifier(folder, 2, has_weights=False)
        if weights is not None:
            classifiers.started(name, folder, weights, 2)
    else:
        _NETWORKS.check(name, weights)
