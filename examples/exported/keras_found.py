# Augmentation policy 'found' (be97f7a65975), as a Keras 3 preprocessing layer, on any backend.
# Exported by autoaug 0.1.0; runs without it: images = Augment()(images, training=True)
# Movements in a row are sampled one by one, as usual in keras; --exact composes them.
# APPROXIMATION: mixing is left out; the training loop has to provide it.

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


class Either(Random):
    """The same with arguments that are either of their ends."""

    def call(self, images: Any) -> Any:
        shape = (ops.shape(images)[0], 1, 1, 1)
        chances = {name: keras.random.uniform(shape, 0, 1, "float32", self.seeds) for name in self.ends}
        drawn = {name: ops.where(chances[name] < 0.5, *ends) for name, ends in self.ends.items()}
        return ops.clip(self.function(images, **drawn), 0, 1)


class OneOf(layers.Layer):
    """One of several layers for each image, drawn evenly or with their probabilities."""

    def __init__(self, steps: list[Any], p: list[float] | None = None) -> None:
        super().__init__(dtype="float32")
        self.steps, self.p, self.seeds = steps, p or [1 / len(steps)] * len(steps), keras.random.SeedGenerator()
        for layer in (self, *steps):
            layer.built = True  # there is nothing to build, which Keras would find out by tracing all of it

    def call(self, images: Any) -> Any:
        drawn = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), dtype="float32", seed=self.seeds)
        made, below = images, 1.0
        for step, p in zip(self.steps, self.p, strict=True):
            made, below = ops.where(drawn < below, step(images), made), below - p
        return made


def warp(images: Any, *rows: Any) -> Any:
    """Take each point (x, y, 1), counted from pixel centers, from where a matrix of these rows maps it."""
    matrix = [0 * images[:, :1, :1, :1] + number for number in (*rows, 0.0, 0.0)]
    matrix = ops.reshape(ops.concatenate(matrix, 1), (-1, 8))
    return ops.image.affine_transform(images, matrix, fill_mode="constant", data_format="channels_last")


def affine(images: Any, shear_x: Any = 0.0, shear_y: Any = 0.0, x: Any = 0.0, y: Any = 0.0) -> Any:
    """Shear by slopes about the upper left corner, and move by fractions of the size, in whole pixels."""
    height, width = images.shape[1:3]
    right, down = (ops.trunc(ops.round(move * 1000) / 1000) for move in (x * width, y * height))
    return warp(images, 1, shear_x, shear_x / 2 - right, shear_y, 1, shear_y / 2 - down)


def brightness(images: Any, factor: Any) -> Any:
    return images * factor


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


def gray(images: Any) -> Any:
    is_rgb = images.shape[-1] == 3
    return ops.image.rgb_to_grayscale(images, "channels_last") if is_rgb else ops.mean(images, -1, keepdims=True)


def contrast(images: Any, factor: Any) -> Any:
    mean = ops.mean(gray(images), axis=(1, 2), keepdims=True)
    return mean + factor * (images - mean)


def equalize(images: Any, share: Any = 1.0) -> Any:
    """Blend with the image whose levels are as frequent as one another, as in Pillow, for each channel."""
    height, width, channels = images.shape[1:]
    levels = ops.reshape(ops.cast(ops.round(images * 255), "int32"), (-1, height * width, channels))
    levels = ops.transpose(levels, (0, 2, 1))
    row = 256 * ops.reshape(ops.arange(ops.size(levels) // (height * width), dtype="int32"), (-1, channels, 1))
    keys = ops.reshape(levels + row, (-1,))
    darker = ops.cast(ops.reshape(ops.searchsorted(ops.sort(keys), keys), ops.shape(levels)), "int32")
    darker = darker - row // 256 * (height * width)
    step = ops.max(darker, axis=-1, keepdims=True) // 255
    new = ops.where(step > 0, ops.minimum((darker + step // 2) // ops.maximum(step, 1), 255), levels)
    new = ops.reshape(ops.transpose(ops.cast(new, "float32"), (0, 2, 1)), (-1, height, width, channels)) / 255
    return images + share * (new - images)


def pad_crop(images: Any, padding: Any, x: Any, y: Any) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = (ops.round(padding * length) for length in images.shape[1:3])
    left, top = ops.floor(x * (2 * across + 1)) - across, ops.floor(y * (2 * down + 1)) - down
    return warp(images, 1, 0, left, 0, 1, top)


def saturation(images: Any, factor: Any) -> Any:
    return gray(images) + factor * (images - gray(images))


def sharpness(images: Any, factor: Any) -> Any:
    """A blend with a smoothed image, beyond it above 1; the border stays."""
    if min(images.shape[1:3]) < 3:  # all is border
        return images
    details = 9 / 13 * (images[:, 1:-1, 1:-1] - ops.average_pool(images, 3, 1, data_format="channels_last"))
    return images + ops.pad((factor - 1) * details, ((0, 0), (1, 1), (1, 1), (0, 0)))


def solarize(images: Any, threshold: Any) -> Any:
    return ops.where(images < threshold - 1e-4, images, 1 - images)


class Augment(layers.Pipeline):
    """The policy for images ``[B, H, W, C]``, uint8 or floats in [0, 1], each augmented for itself; outside of training
    they stay as they are. ``keras.utils.set_random_seed`` seeds it.
    """

    def __init__(self) -> None:
        super().__init__([
            layers.RandomFlip("horizontal"),
            Random(pad_crop, padding=(0.125, 0.125), x=(0, 1), y=(0, 1)),
            *[OneOf([
                layers.Identity(),
                Either(affine, shear_x=(-0.09, 0.09)),
                Either(affine, shear_y=(-0.09, 0.09)),
                Either(affine, x=(-0.135952, 0.135952)),
                Either(affine, y=(-0.135952, 0.135952)),
                OneOf([
                    layers.RandomRotation((-0.025, -0.025), fill_mode="constant"),
                    layers.RandomRotation((0.025, 0.025), fill_mode="constant"),
                ]),
                Either(brightness, factor=(0.73, 1.27)),
                Either(saturation, factor=(0.73, 1.27)),
                Either(contrast, factor=(0.73, 1.27)),
                Either(sharpness, factor=(0.73, 1.27)),
                layers.RandomPosterization((7, 7), value_range=(0, 1)),
                Random(solarize, threshold=(0.7, 0.7)),
                layers.AutoContrast(value_range=(0, 1)),
                Random(equalize),
            ])] * 2,
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
