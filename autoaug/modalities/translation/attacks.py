"""The attack of texts, on the source."""

from __future__ import annotations

from collections.abc import Mapping

from autoaug.modalities.attacks import WorstOf
from autoaug.modalities.base import Attack
from autoaug.modalities.text.attacks import CHANGES, REACH

_OF_SOURCE = {f"Source{name}": reach for name, reach in REACH.items()}

ATTACKS: Mapping[str, Attack] = {"worst-of": WorstOf("translation", _OF_SOURCE, f"{CHANGES}, of the source")}
