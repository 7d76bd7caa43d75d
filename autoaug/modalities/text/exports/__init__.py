"""The parts of exported code for texts: functions in Python alone, none of which refer to autoaug."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autoaug.functional import bounds, workers
from autoaug.modalities.runtime import ArrayRuntime, Runtime
from autoaug.modalities.text import letters, own_homophones, own_lexicon, segmentation, thesaurus, vocabulary, words
from autoaug.modalities.text.exports import plain

_TYPES = """Token = tuple[str, int]
Tokens = list[Token]
Table = list[list[tuple[float, list[tuple[int, float, float, float, float]]]]]
LEXICON: dict[str, list[str]] = {}
HOMOPHONES: dict[str, list[str]] = {}
VOCABULARIES: dict[str, Any] = {}"""

_FOLDER = Path(__file__).parent
_MODULES = (bounds, workers, words, letters, segmentation, own_homophones, own_lexicon, thesaurus, vocabulary, plain)

PYTHON = ArrayRuntime(
    "text = Augment()(text)",
    _MODULES,
    {},
    ("import os", "import random", "from functools import lru_cache", "from typing import Any"),
    _TYPES,
    _FOLDER / "python.txt",
)
#: Its own augmenters round the number of changed tokens up, and its flows draw again where nothing has changed, so that
#: none of them draws as a policy does (docs/exporters.md tells more). So a policy is one augmenter.
NLPAUG = ArrayRuntime(
    "texts = Augment().augment(texts)",
    _MODULES,
    {},
    (*PYTHON.imports, "from nlpaug import Augmenter"),
    _TYPES,
    _FOLDER / "nlpaug.txt",
)
EXPORTS: Mapping[str, Runtime] = {"python": PYTHON, "nlpaug": NLPAUG}
