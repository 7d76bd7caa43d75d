"""The words that the user protects, beside negations."""

from __future__ import annotations

import os
from pathlib import Path

from autoaug.errors import OptionError
from autoaug.modalities.text.segmentation import units_of
from autoaug.utils.files import read_text

#: The environment variable with the file of protected words, if no option names one.
VARIABLE = "AUTOAUG_PROTECT"


def protected_words(file: str = "") -> frozenset[str]:
    """The words of the `file`, or of the one in the environment, in lower case; none without either.

    Raises:
        OptionError: the file cannot be read, or has no words.
    """
    given = file or os.environ.get(VARIABLE)
    if not given:
        return frozenset()
    words = units_of(read_text(Path(given), OptionError))
    if not words:
        raise OptionError(f"{given} has no words to protect; write one per line")
    return words
