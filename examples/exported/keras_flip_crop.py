# Augmentation policy 'flip-crop' (324c80e51768), as a Keras 3 preprocessing layer, on any backend.
# Exported by autoaug 0.1.0; runs without it: images = Augment()(images, training=True)

from typing import Any

import keras
from keras import layers, ops


class Random(layers.Layer):
    """A function of images and of arguments for each, which are drawn evenly between their ends."""

    def __init__(self, function: Any, **ends: tuple[float, float]) -> None:
        super().__init__(dtype="float32")
        self.function, self.ends, self.seeds = function, ends, keras.random.SeedGenerator()

    def call(self, images: Any) -> Any:
        shape = (ops.shape(images)[0], 1, 1, 1)
        drawn = {name: keras.random.uniform(shape, *ends, "float32", self.seeds) for name, ends in self.ends.items()}
        return ops.clip(self.function(images, **drawn), 0, 1)


def check(images: Any, kind: str) -> None:
    """Raise ValueError for images whose values would be misread; in a traced graph there are no values to look at."""
    try:
        low, high = (float(ops.convert_to_numpy(end(images))) for end in (ops.min, ops.max))
    except (NotImplementedError, RuntimeError, TypeError, ValueError):  # what the backends raise while they trace
        low, high = 0.0, 1.0
    good = kind == "uint8" or ("float" in kind and -1e-3 <= low <= high <= 1.001)
    if not good or len(images.shape) != 4 or 0 in images.shape[1:]:
        found = f"{kind} {list(images.shape)} from {low:g} to {high:g}"
        raise ValueError(f"images must be [B, H, W, C], uint8 or floats in [0, 1], not {found}")


def warp(images: Any, *rows: Any) -> Any:
    """Take each point (x, y, 1), counted from pixel centers, from where a matrix of these rows maps it."""
    matrix = [0 * images[:, :1, :1, :1] + number for number in (*rows, 0.0, 0.0)]
    matrix = ops.reshape(ops.concatenate(matrix, 1), (-1, 8))
    return ops.image.affine_transform(images, matrix, fill_mode="constant", data_format="channels_last")


def pad_crop(images: Any, padding: Any, x: Any, y: Any) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = (ops.round(padding * length) for length in images.shape[1:3])
    left, top = ops.floor(x * (2 * across + 1)) - across, ops.floor(y * (2 * down + 1)) - down
    return warp(images, 1, 0, left, 0, 1, top)


class Augment(layers.Pipeline):
    """The policy for images ``[B, H, W, C]``, uint8 or floats in [0, 1], each augmented for itself; outside of training
    they stay as they are. ``keras.utils.set_random_seed`` seeds it.
    """

    def __init__(self) -> None:
        super().__init__([
            layers.RandomFlip("horizontal"),
            Random(pad_crop, padding=(0.125, 0.125), x=(0, 1), y=(0, 1)),
        ])
        self.built = True  # there is nothing to build, which Keras would find out by tracing all of it

    def call(self, images: Any, training: bool = True) -> Any:
        if not training:
            return images
        kind = keras.backend.standardize_dtype(images.dtype)
        check(images, kind)
        made = super().call(ops.cast(images, "float32") / (255 if kind == "uint8" else 1))
        return ops.cast(ops.round(made * 255) if kind == "uint8" else made, kind)

    def compute_output_spec(self, images: Any, training: bool = True) -> Any:
        check(images, keras.backend.standardize_dtype(images.dtype))
        return keras.KerasTensor(images.shape, images.dtype)  # as they are, which Keras would find out by tracing

    def get_config(self) -> dict[str, Any]:
        return {}  # the policy is in this file

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls()
