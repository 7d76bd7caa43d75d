"""The parts of exported code for pairs: functions in Python alone, none of which refer to autoaug."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from autoaug.modalities.runtime import Runtime
from autoaug.modalities.text.exports import PYTHON
from autoaug.modalities.translation.exports import plain_pairs

EXPORTS: Mapping[str, Runtime] = {
    "python": replace(
        PYTHON,
        use="pairs = Augment()([(source, target)])",
        modules=(*PYTHON.modules, plain_pairs),
        kinds={"pairs": "pairs"},
        shell=Path(__file__).parent / "python.txt",
    ),
}
