"""Twelve corruptions of text at five severities, as policies of autoaug's operators: typing, scanning, writing, and
what is lost or mixed up on the way.
"""

from __future__ import annotations

from functools import partial

from autoaug.modalities.corruptions import Operators, corrupt

_FEW = (0.1, 0.2, 0.35, 0.5, 0.8)
_MANY = (0.2, 0.4, 0.6, 0.8, 1.0)
_OPERATORS: dict[str, Operators] = {
    "keyboard": [("KeyboardTypo", _MANY)],
    "scanner": [("ScannerError", _MANY)],
    "letter swaps": [("LetterSwap", _MANY)],
    "missing letters": [("LetterDeletion", _MANY)],
    "capitals": [("CaseChange", _MANY)],
    "no punctuation": [("PunctuationDeletion", _MANY)],
    "much punctuation": [("PunctuationInsertion", _MANY)],
    "missing words": [("WordDeletion", _FEW)],
    "word order": [("WordSwap", _FEW)],
    "other words": [("SynonymReplacement", _MANY)],
    "missing passage": [("SpanCutout", _MANY)],
    "hasty typing": [
        ("KeyboardTypo", _FEW),
        ("LetterSwap", _FEW),
        ("LetterDeletion", _FEW),
        ("PunctuationDeletion", _FEW),
    ],
}
#: One of each group.
FEW = ("keyboard", "capitals", "missing words", "word order", "other words", "missing passage")
CORRUPTIONS = {name: partial(corrupt, operators, "text") for name, operators in _OPERATORS.items()}
