"""The lexicon of synonyms: autoaug's own short one, WordNet where it is installed, and the user's.

All are groups of words that mean the same. Two words are synonyms if they are in one group.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from autoaug.errors import OptionError
from autoaug.modalities.text.bits import keys_of, on_host
from autoaug.modalities.text.own_homophones import OwnHomophones
from autoaug.modalities.text.own_lexicon import OwnLexicon
from autoaug.modalities.text.thesaurus import groups_in, synonyms, wordnet_groups
from autoaug.modalities.text.tokens import as_rows, token
from autoaug.utils.files import content_digest, read_bytes, read_text

#: The environment variables of the user's lexicon, and of WordNet's folder, as WordNet names it.
VARIABLE, FOLDER_VARIABLE = "AUTOAUG_LEXICON", "WNSEARCHDIR"
#: Where Debian's package wordnet-base puts it.
_WORDNET = "/usr/share/wordnet"
_PARTS = ("noun", "verb", "adj", "adv")


class SynonymTable(NamedTuple):
    """Synonyms by word, in buckets of the words' keys.

    Attributes:
        buckets: where the words of each bucket begin among the `keys`, ``[2**k]``.
        keys: of the words by bucket, int64 ``[W + d]``, with d others behind them; see `keys_of`.
        starts, counts: where the synonyms of each word are in `tokens`, and how many, ``[W + d]`` each.
        tokens: int64 ``[M, 3]``.
        depth: the most words in a bucket, d.
    """

    buckets: np.ndarray
    keys: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    tokens: np.ndarray
    depth: int

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The place of each key among the `keys`; -1 if it is not there."""
        first = self.buckets[keys & (len(self.buckets) - 1)]
        place = np.full(len(keys), -1)
        for step in range(self.depth):
            place += (self.keys[first + step] == keys) * (first + step + 1)
        return place


def wordnet_folder() -> Path | None:
    """The folder of WordNet's files; None if it is not installed, or its folder is closed to this user."""
    folder = Path(os.environ.get(FOLDER_VARIABLE, _WORDNET))
    return folder if os.path.isfile(folder / "data.noun") else None  # Path.is_file raises where folders are closed


def own_file() -> Path | None:
    """The user's lexicon, if there is one."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else None


def described() -> str:
    """Which lexicon is used, and how to have a larger one."""
    given = own_file()
    if given is not None:
        own_groups(given)
    folder = wordnet_folder()
    words = "WordNet" if folder else "a short lexicon (Debian's package wordnet-base has a large English one)"
    return f"synonyms from {words}" + (f" and {given}" if given else "")


def recorded() -> str:
    """Which lexicon is used, for the record of a run, with a digest of what is not autoaug's own. Raises `OptionError`
    if the user's cannot be read.
    """
    given, folder = own_file(), wordnet_folder()
    words = f"WordNet, digest {content_digest(folder, OptionError)}" if folder else "a short lexicon"
    if given is None:
        return words
    digest = hashlib.sha256(read_bytes(given, OptionError)).hexdigest()[:12]
    return f"{words}, and {VARIABLE}, digest {digest}"


def own_groups(file: Path) -> list[list[str]]:
    """The groups of the user's lexicon; raises `OptionError` if it cannot be read, or has none."""
    groups = list(groups_in(read_text(file, OptionError)))
    if not groups:
        raise OptionError(f"{file} has no words that mean the same; write such words in one line, separated by commas")
    return groups


def all_groups() -> Iterator[list[str]]:
    """The groups of all lexicons that there are; raises `OptionError` if one of them cannot be read."""
    given, folder = own_file(), wordnet_folder()
    yield from groups_in(OwnLexicon.groups)
    if given is not None:
        yield from own_groups(given)
    if folder is not None:
        for file in (folder / f"data.{part}" for part in _PARTS):
            try:
                yield from wordnet_groups(read_text(file, OptionError))
            except (IndexError, ValueError):
                raise OptionError(f"{file} is not a data file of WordNet, or is damaged") from None


def make_table(groups: Iterable[list[str]]) -> SynonymTable:
    """The table of the synonyms of all words in some groups."""
    found = synonyms(groups)
    counts = np.array([len(others) for others in found.values()])
    keys = on_host(keys_of(torch.from_numpy(as_rows([[token(word, False) for word in found]], len(found)))[0]))
    others = [token(word, False) for of_word in found.values() for word in of_word]
    size = 2 ** (8 * len(found)).bit_length()
    bucket = keys & (size - 1)
    order, in_bucket = bucket.argsort(kind="stable"), np.bincount(bucket, minlength=size)
    depth = int(in_bucket.max())

    def padded(numbers: np.ndarray, fill: int) -> np.ndarray:
        return np.pad(numbers[order], (0, depth), constant_values=fill)

    return SynonymTable(
        in_bucket.cumsum(0) - in_bucket,
        padded(keys, 0),
        padded(counts.cumsum(0) - counts, 0),
        padded(counts, 1),
        as_rows([others], len(others))[0],
        depth,
    )


@cache
def table(homophones: bool = False) -> SynonymTable:
    """The table of all lexicons, or that of words that sound alike, made once in a process."""
    return make_table(groups_in(OwnHomophones.groups) if homophones else all_groups())
