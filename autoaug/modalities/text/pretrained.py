"""Models of the library transformers, from folders on disk: translators, and models that fill in masked words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from autoaug.data.texts import plain_text
from autoaug.errors import AutoaugError, DataError, first_line
from autoaug.modalities.text.segmentation import cleaned, flags_of_word, segments
from autoaug.modalities.text.tokens import COMMON, PROTECTED, ROOM, WORD
from autoaug.utils.files import content_digest

#: So many texts go through a model at once, and so many words are kept per place.
_AT_ONCE, MOST = 32, 8
#: How pieces at the beginning of words are marked, and how others are.
_BEGINS, _GOES_ON = ("Ġ", "▁"), "##"


#: How folders are opened: nothing is downloaded, and no code of theirs is run.
FROM_DISK: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def check_there(folder: str, error: type[AutoaugError]) -> None:
    """Raise the `error` if there is no such folder."""
    if not os.path.isdir(folder):
        raise error(f"there is no folder {folder} with a model of transformers")


@contextmanager
def opening(folder: str, kind: str, error: type[AutoaugError]) -> Iterator[Any]:
    """The library transformers, to open a `folder` with a model of that `kind`. An `error` that begins with the folder
    is raised if the library is not installed, or finds none there.
    """
    check_there(folder, error)
    try:
        import transformers
    except ImportError:
        raise error(f"{folder} is read by transformers: pip install 'autoaug[transformers]'") from None
    try:
        with _quietly():
            yield transformers
    except Exception as fault:  # damaged folders raise errors of many kinds
        raise error(f"{folder} has no model that transformers reads as {kind} ({first_line(fault)})") from None


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the library's progress bars and warnings, such as that a head is new."""
    from transformers.utils import logging

    verbosity, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if has_bars:
            logging.enable_progress_bar()


def _opened(folder: str, kind: str) -> tuple[Any, Any]:
    """The tokenizer and the model in a folder. Weights are safetensors. Raises `DataError` as `opening` does."""
    check_there(folder, DataError)
    return _loaded(folder, kind, content_digest(Path(folder), DataError))


@lru_cache(4)
def _loaded(folder: str, kind: str, _digest: str) -> tuple[Any, Any]:
    """The same, once for the folder's content."""
    with opening(folder, kind, DataError) as transformers:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **FROM_DISK)
        model = getattr(transformers, kind).from_pretrained(folder, use_safetensors=True, **FROM_DISK)
        return tokenizer, model.eval()


@torch.inference_mode()
def translated(folder: str, texts: Sequence[str]) -> list[str]:
    """The most likely translation of each text by an encoder and decoder."""
    tokenizer, model = _opened(folder, "AutoModelForSeq2SeqLM")
    made: list[str] = []
    for start in range(0, len(texts), _AT_ONCE):
        given = tokenizer(list(texts[start : start + _AT_ONCE]), return_tensors="pt", padding=True, truncation=True)
        most = 2 * given["input_ids"].shape[1] + 8
        ids = model.generate(
            input_ids=given["input_ids"], attention_mask=given["attention_mask"], max_new_tokens=most, do_sample=False
        )
        made += map(plain_text, tokenizer.batch_decode(ids, skip_special_tokens=True))
    return made


def alternatives(folder: str, texts: Sequence[str]) -> list[str]:
    """For each text, the most likely other words for its words (Wu et al., 2019): as many fields as it has words and
    signs, separated by tabs, each with up to `MOST` words, the most likely first; none for function words and
    negations.
    """
    tokenizer, model = _opened(folder, "AutoModelForMaskedLM")
    if tokenizer.mask_token is None:
        raise DataError(f"the tokenizer in {folder} has no mask; give a masked language model, such as BERT")
    known = _whole_words(tokenizer)
    split = [list(segments(cleaned(text))) for text in texts]
    asked = [(t, place) for t, units in enumerate(split) for place, (word, _) in enumerate(units) if _says_much(word)]
    fields = [[""] * len(units) for units in split]
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        masked = [_joined(split[t], place, tokenizer.mask_token) for t, place in some]
        for (t, place), ids in zip(some, _likely(tokenizer, model, masked), strict=True):
            words = [known[i] for i in ids if i in known and known[i].lower() != split[t][place][0].lower()]
            fields[t][place] = " ".join(dict.fromkeys(words[:MOST]))
    return ["\t".join(of_text) for of_text in fields]


def _says_much(word: str) -> bool:
    return flags_of_word(word, 0) & (WORD | PROTECTED | COMMON) == WORD


def _joined(units: Sequence[tuple[str, int]], place: int, mask: str) -> str:
    """The text with a mask at that place."""
    return "".join(
        " " * (before & 1) + (mask if i == place else word) for i, (word, before) in enumerate(units)
    ).strip()


def _whole_words(tokenizer: Any) -> dict[int, str]:
    """The pieces that are words of letters without capitals, and no negations, by their index."""
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    is_marked = any(piece.startswith(_BEGINS) for piece in vocabulary)
    words = {
        index: tokenizer.convert_tokens_to_string([piece]).strip() if is_marked else piece
        for piece, index in vocabulary.items()
        if (piece.startswith(_BEGINS) if is_marked else not piece.startswith(_GOES_ON))
    }
    return {index: word for index, word in words.items() if _is_plain(word) and _says_much(word)}


def _is_plain(word: str) -> bool:
    """Whether it is made of small letters, and fits into a token with a capital."""
    fits = max(len(form.encode()) for form in (word, word.capitalize())) <= ROOM
    return fits and word == word.lower() and re.fullmatch(r"[^\W\d_]+", word) is not None


@torch.inference_mode()
def _likely(tokenizer: Any, model: Any, masked: Sequence[str]) -> list[list[int]]:
    """The most likely pieces for the mask of each text; none where it was cut off."""
    given = tokenizer(list(masked), return_tensors="pt", padding=True, truncation=True)
    logits = model(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).logits
    is_mask = given["input_ids"] == tokenizer.mask_token_id
    best = logits[torch.arange(len(masked)), is_mask.long().argmax(1)].topk(min(8 * MOST, logits.shape[2])).indices
    return [ids if there else [] for ids, there in zip(best.tolist(), is_mask.any(1).tolist(), strict=True)]
