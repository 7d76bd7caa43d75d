"""The options that say what the data of a command are and how they are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from autoaug.utils.options import Option
from autoaug.utils.quantities import parse_lengths

#: The heading of these options in the help of commands with many.
DATA = "The data"

Data = Annotated[
    str | Path,
    Option(
        "A folder of samples per class (with or without train/ val/ test/), a folder of IDX files, an .npz, a CSV "
        "manifest, Parquet or WebDataset shards, 'digits', 'torchvision:NAME' or 'hf:NAME'.",
        is_argument=True,
    ),
]
DataAgain = Annotated[str | Path, Option("As for autoaug search.", is_argument=True)]
Modality = Annotated[
    str | None,
    Option(
        "What samples are, by the name of a modality, where data could be of several. [default: as autoaug check says]",
        DATA,
    ),
]
Size = Annotated[
    str | int | None,
    Option(
        "Resize samples to this size, e.g. 64, or 96x128 (height x width). [default: by rule]",
        DATA,
        check=parse_lengths,
    ),
]
Resizing = Annotated[
    Literal["crop", "letterbox", "squash"],
    Option(
        "How samples are resized: 'crop' (cover the size, cut off the rest), 'letterbox' (fit into it, fill up), or "
        "'squash' (change the shape).",
        DATA,
    ),
]
Protect = Annotated[
    str | Path | None,
    Option(
        "A file of words that no operator changes in texts, one per line, beside negations. [default: AUTOAUG_PROTECT]",
        DATA,
    ),
]
Allow = Annotated[
    Sequence[str],
    Option(
        "Findings to allow: unreadable, empty, absent, leak, groups, conflict, generator, overlap. May be repeated.",
        DATA,
    ),
]
