"""The attacks on clips, whose values are in [0, 1] and stored at 256 levels, as those of images are."""

from __future__ import annotations

from autoaug.modalities.attacks import WorstOf
from autoaug.modalities.image.attacks import ATTACKS as OF_IMAGES
from autoaug.modalities.image.attacks import CHANGES, REACH

_OF_CLIPS = {f"Video{name}": reach for name, reach in REACH.items()}

ATTACKS = {**OF_IMAGES, "worst-of": WorstOf("video", _OF_CLIPS, CHANGES)}
