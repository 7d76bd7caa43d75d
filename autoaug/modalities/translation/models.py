"""Proxy networks for translation, and the user's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autoaug.modalities.from_scratch import FromScratch, Network
from autoaug.modalities.text.bits import lengths_of
from autoaug.modalities.text.models import word_ids
from autoaug.modalities.translation.pairs import PIECES, SOURCE

#: Words are told apart by their keys in so many buckets: few of a text's words share one.
_BUCKETS = 2**12
_WIDTH, _SCALE = 128, 8.0
#: Lengths and numbers of pieces are rounded up to multiples of these: oneDNN compiles code for each shape of a matrix,
#: which takes 2 ms and most of a megabyte, and keeps it for a thousand shapes.
_LENGTHS, _ROWS = 8, 256
#: The flags and the first four letters of a token.
_STEM = 0xFFFFFFFFFF


def targets_of(values: Tensor) -> Tensor:
    """The indices of the pieces of the targets with the end, int64 ``[n, T]``, where T is what the longest needs: -1
    for padding, and for characters that no training text has. Networks of the user's own can use it.
    """
    pieces = values[:, PIECES]
    lengths = lengths_of(pieces)
    longest = int(lengths.max()) if len(lengths) else 0
    pieces = torch.nn.functional.pad(pieces[:, :longest], (0, 0, 0, 1))
    indices = torch.where(pieces[..., 2] > 0, pieces[..., 2], -1)
    return indices.scatter(1, lengths[:, None], 0)


def log_likelihoods(logits: Tensor, targets: Tensor) -> Tensor:
    """What a network has to give, ``[n, T, 2]`` (see `autoaug.training.translation.Translation`), from its ``logits [m,
    outputs]`` for the m of the ``targets [n, T]`` that are not -1, in order.
    """
    there, logits = targets >= 0, logits.float()
    whole = logits.logsumexp(1)
    own = logits.gather(1, targets[there][:, None])[:, 0]
    both = torch.stack([own - whole, logits.mean(1) - whole], 1)
    return both.new_zeros(*targets.shape, 2).masked_scatter(there[..., None], both)


class SourceEmbedding(nn.Module):
    """Tokens as vectors ``[n, L, width]``: of the word, and of its first four letters, which its other forms share.
    Adam moves each number by about the learning rate, and most words are seen seldom: so what it moves is multiplied.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.words, self.stems = (nn.Embedding(_BUCKETS, width, padding_idx=0) for _ in range(2))
        for embedding in (self.words, self.stems):
            nn.init.normal_(embedding.weight, std=0.1)

    def forward(self, tokens: Tensor) -> Tensor:
        stems = torch.cat([tokens[..., :1] & _STEM, torch.zeros_like(tokens[..., 1:])], 2)
        made: Tensor = _SCALE * (self.words(word_ids(tokens, _BUCKETS)) + self.stems(word_ids(stems, _BUCKETS)))
        return made


class GRUAttention(nn.Module):
    """An encoder and a decoder of gated recurrent units (Cho et al., 2014), with multiplicative attention after the
    decoder (Luong et al., 2015), so that all steps of a known target run at once.
    """

    def __init__(self, outputs: int, width: int = _WIDTH) -> None:
        super().__init__()
        self.source = SourceEmbedding(width)
        self.onward, self.backward = (nn.GRU(width, width // 2, batch_first=True) for _ in range(2))
        self.begin = nn.Linear(width, width)
        self.pieces = nn.Embedding(outputs, width)
        nn.init.normal_(self.pieces.weight, std=width**-0.5)
        self.decoder = nn.GRU(width, width, batch_first=True)
        self.query = nn.Linear(width, width, bias=False)
        self.both = nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width)
        self.dropped = nn.Dropout(0.2)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def encoded(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The sources ``[n, S, width]``, where they are padding ``[n, S]``, and the decoder's first state."""
        tokens = values[:, SOURCE]
        lengths = lengths_of(tokens).clamp(min=1)[:, None]
        tokens = tokens[:, : _rounded(int(lengths.max()), _LENGTHS)]
        place = torch.arange(tokens.shape[1], device=tokens.device)
        away = place >= lengths
        turned = torch.where(away, place, lengths - 1 - place)[..., None]
        vectors = self.dropped(self.source(tokens))
        onward, _ = self.onward(vectors)
        backward, _ = self.backward(vectors.gather(1, turned.expand_as(vectors)))
        made = torch.cat([onward, backward.gather(1, turned.expand_as(backward))], 2)
        mean = made.masked_fill(away[..., None], 0).sum(1) / lengths
        return made, away, self.begin(mean).tanh()[None]

    def attended(self, states: Tensor, encoded: Tensor, away: Tensor) -> Tensor:
        """The decoder's ``states [n, T, width]`` with what they look at in the source."""
        weights = self.query(states) @ encoded.transpose(1, 2)
        weights = weights.masked_fill(away[:, None], -1e4).softmax(2)
        made: Tensor = self.dropped(self.norm(self.both(torch.cat([states, weights @ encoded], 2)).tanh()))
        return made

    def logits(self, attended: Tensor) -> Tensor:
        """The logits ``[..., outputs]`` of the next piece."""
        made: Tensor = _SCALE * attended @ self.pieces.weight.T / attended.shape[-1] ** 0.5
        return made + self.bias

    def forward(self, values: Tensor) -> Tensor:
        values = values.contiguous()
        targets = targets_of(values)
        longer = _rounded(targets.shape[1], _LENGTHS) - targets.shape[1]
        targets = torch.nn.functional.pad(targets, (0, longer), value=-1)
        encoded, away, state = self.encoded(values)
        before = torch.nn.functional.pad(targets.clamp(min=0)[:, :-1], (1, 0))
        states, _ = self.decoder(self.dropped(self.pieces(before)) * _SCALE / 2, state)
        rows = self.attended(states, encoded, away)[targets >= 0]
        padded = torch.nn.functional.pad(rows, (0, 0, 0, _rounded(len(rows), _ROWS) - len(rows)))
        return log_likelihoods(self.logits(padded)[: len(rows)], targets)

    def translate(self, values: Tensor) -> Tensor:
        """The likeliest piece after each other, int64 ``[n, L]``, 0 from the end on."""
        values = values.contiguous()
        encoded, away, state = self.encoded(values)
        last = torch.zeros(len(values), 1, dtype=torch.long, device=values.device)
        ended, written = torch.zeros_like(last, dtype=torch.bool), []
        for _ in range(values.shape[2]):
            states, state = self.decoder(self.pieces(last) * _SCALE / 2, state)
            last = torch.where(ended, 0, self.logits(self.attended(states, encoded, away)).argmax(2))
            ended = ended | (last == 0)
            written.append(last)
            if bool(ended.all()):
                break
        return torch.cat(written, 1)


def _rounded(number: int, unit: int) -> int:
    return -(-number // unit) * unit


_NETWORKS = FromScratch(
    "translation",
    {
        "gru-attention": Network(
            lambda _, outputs, *__: GRUAttention(outputs), "an encoder and a decoder with attention"
        ),
    },
    channels=1,
)
build, check, is_own, resolve, start = _NETWORKS.functions
