"""Attacks on texts: the worst of several random changes, as tokens have no gradient, and FGM on words' vectors."""

from __future__ import annotations

from collections.abc import Mapping

from autoaug.modalities.attacks import FastGradient, WorstOf
from autoaug.modalities.base import Attack

#: Operators that keep the meaning for readers (as in DeepWordBug; Gao et al., 2018, without its choice of words). Their
#: highest magnitude changes half of the words, so that the radius is the share of the words.
REACH = dict.fromkeys(("SynonymReplacement", "KeyboardTypo", "ScannerError", "LetterSwap", "LetterDeletion"), 2.0)
CHANGES = "misspellings or synonyms in {percent} of the words, at least one"

ATTACKS: Mapping[str, Attack] = {"worst-of": WorstOf("text", REACH, CHANGES), "fgm": FastGradient()}
