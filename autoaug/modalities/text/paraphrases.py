"""Operators that take other forms of texts, which programs or models of the user's make: see `translators` and
`pretrained`. They work on exact texts, so they are best at the beginning of a policy: what earlier operators have
changed has to be made anew.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from autoaug.data.inputs import Inputs, in_blocks
from autoaug.errors import OptionError
from autoaug.modalities.operators import operator, preparing
from autoaug.modalities.text import pretrained
from autoaug.modalities.text.bits import begins_word, chosen, flags_of, may_change, on_host, random_bits
from autoaug.modalities.text.kept import kept
from autoaug.modalities.text.tokens import MADE, PROTECTED, as_rows, text_of, token, tokenized, words_of
from autoaug.modalities.text.translators import VARIABLE, rewritten, translator
from autoaug.utils.files import content_digest

#: The environment variable with the folder of a masked language model.
MODEL_VARIABLE = "AUTOAUG_MASKED_MODEL"
paraphrase = partial(operator, modality="text", family="paraphrases", kind="tokens", jumps=True)
_TRANSLATION, _REPLACEMENT = "RoundTripTranslation", "ContextualReplacement"


def masked_model() -> str | None:
    """The folder of the masked language model, if there is one."""
    return os.environ.get(MODEL_VARIABLE) or None


def lacking() -> dict[str, str]:
    """The operators here that have nothing to work with, each with what to do."""
    found = {}
    if translator() is None:
        found[_TRANSLATION] = (
            f"there is no translator; name one there and back, such as {VARIABLE}='apertium -u eng-spa | apertium -u "
            "spa-eng'"
        )
    if masked_model() is None:
        found[_REPLACEMENT] = f"there is no masked language model; name its folder, {MODEL_VARIABLE}=FOLDER"
    return found


def _translated(texts: Inputs) -> None:
    """Translate all texts, so that their translations are there when they are needed."""
    for block in in_blocks(texts):
        there_and_back([text_of(row) for row in block])


def _with_context(texts: Inputs) -> None:
    """Look for the other words of all texts, so that they are there when they are needed."""
    for block in in_blocks(texts):
        in_context([text_of(row) for row in block])


def there_and_back(texts: Sequence[str]) -> list[str]:
    """The texts translated to another language and back."""
    if (own := translator()) is None:
        raise OptionError(f"{_TRANSLATION}: {lacking()[_TRANSLATION]}")
    return rewritten(texts, own)


def in_context(texts: Sequence[str]) -> list[str]:
    """The other words for the words of each text; see `autoaug.modalities.text.pretrained.alternatives`."""
    if (folder := masked_model()) is None:
        raise OptionError(f"{_REPLACEMENT}: {lacking()[_REPLACEMENT]}")
    return kept(f"masked {model_digest(folder)}", texts, lambda some: pretrained.alternatives(folder, some))


def model_digest(folder: str) -> str:
    """12 hex digits that tell which model is in the folder; none if there is no such folder."""
    return content_digest(Path(folder), OptionError) if os.path.isdir(folder) else ""


@paraphrase(_TRANSLATION, unit="of the texts")
@preparing(_translated)
def round_trip_translation(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Translate this share of the texts to another language and back (Xie et al., 2020), where protected words stay."""
    places = (uniforms[:, 0] < share).nonzero()[:, 0]
    rows = tokens[places].cpu().numpy()
    changed, length = tokens.clone(), tokens.shape[1]
    for place, row, other in zip(places.tolist(), rows, there_and_back([text_of(row) for row in rows]), strict=True):
        staying = Counter(word.lower() for word, flags in words_of(row) if flags & PROTECTED)
        made = tokenized(other, frozenset(staying))[:length]
        if made and staying == Counter(unit[1:].rstrip(b"\0").decode().lower() for unit in made if unit[0] & PROTECTED):
            made = [bytes([unit[0] | MADE]) + unit[1:] for unit in made]
            changed[place] = torch.from_numpy(as_rows([made], length)[0])
    return changed


@paraphrase(_REPLACEMENT, unit="of the words", limit=0.5)
@preparing(_with_context)
def contextual_replacement(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Replace so many words by what a masked language model expects there (Wu et al., 2019); negations stay."""
    changed = tokens.clone()
    rows = (share > 0).nonzero()[:, 0]
    others = _others(tokens[rows])
    known = np.array(
        [[bool(words) for words in own] + [False] * (tokens.shape[1] - len(own)) for own in others], bool
    ).reshape(len(rows), tokens.shape[1])
    some, drawn = tokens[rows], on_host(uniforms[rows])
    own = flags_of(some)
    places = chosen(known & may_change(own), on_host(share[rows]), begins_word(own).sum(1), drawn)
    bits = random_bits(drawn[:, 2:], tokens.shape[1]).tolist()
    for row, place in np.argwhere(places).tolist():
        word, flags = words_of(some[row, place : place + 1].cpu().numpy())[0]
        other = others[row][place][bits[row][place] % len(others[row][place])]
        unit = token(other.capitalize() if word[0].isupper() else other, bool(flags & 1))
        made = as_rows([[bytes([unit[0] | MADE]) + unit[1:]]], 1)[0, 0]
        changed[rows[row], place] = torch.from_numpy(made).to(changed.device)
    return changed


def _others(tokens: Tensor) -> list[list[list[str]]]:
    """For each text ``[n, L, 3]``, the other words for each of its tokens; none if these are cut otherwise."""
    rows = tokens.cpu().numpy()
    found = [[words.split() for words in own.split("\t")] for own in in_context([text_of(row) for row in rows])]
    return [own if len(own) == len(words_of(row)) else [] for own, row in zip(found, rows, strict=True)]
