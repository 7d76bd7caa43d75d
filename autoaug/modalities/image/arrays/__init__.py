"""The image operators on uint8 arrays, image by image, by OpenCV; see `autoaug.modalities.base.ArrayEngine`.

Consecutive warps become one; consecutive curves, which are functions of one channel's value, become one table of 256
entries. Values are rounded to whole levels wherever the image itself is computed, as in Pillow.
"""

from autoaug.modalities.image.arrays.opening import opened
from autoaug.modalities.image.arrays.running import operators, run

__all__ = ["opened", "operators", "run"]
