# Augmentation policy 'autoaugment-cifar10' (9e092111df13), as a Keras 3 preprocessing layer, on any backend.
# Exported by autoaug 0.1.0; runs without it: images = Augment()(images, training=True)
# Movements in a row are sampled one by one, as usual in keras; --exact composes them.

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class InTurn(keras.layers.Layer):
    """Several layers, one after another."""

    def __init__(self, steps: Sequence[Any]) -> None:
        super().__init__(dtype="float32")
        self.steps, self.built = steps, True

    def call(self, images: Any) -> Any:
        for step in self.steps:
            images = step(images)
        return images


class OneOf(keras.layers.Layer):
    """One of several layers, drawn for each image with their probabilities, or evenly."""

    def __init__(self, steps: Sequence[Any], p: Sequence[float] | None = None) -> None:
        super().__init__(dtype="float32")
        self.steps, self.p, self.seeds = steps, p or [1 / len(steps)] * len(steps), keras.random.SeedGenerator()
        self.built = True

    def call(self, images: Any) -> Any:
        drawn = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), dtype="float32", seed=self.seeds)
        made, below = images, 1.0
        for step, p in zip(self.steps, self.p, strict=True):
            made, below = ops.where(drawn < below, step(images), made), below - p
        return made


class RandomValue(keras.layers.Layer):
    """Apply a function of images, with a probability and arguments drawn evenly between their ends, for each image."""

    def __init__(self, function: Any, p: float = 1.0, **ends: tuple[float, float]) -> None:
        super().__init__(dtype="float32")
        self.function, self.p, self.ends, self.seeds = function, p, ends, keras.random.SeedGenerator()

    def draw(self, images: Any, low: float = 0.0, high: float = 1.0) -> Any:
        return keras.random.uniform((ops.shape(images)[0], 1, 1, 1), low, high, "float32", self.seeds)

    def changed(self, images: Any) -> Any:
        return self.function(images, **{name: self.draw(images, *ends) for name, ends in self.ends.items()})

    def call(self, images: Any) -> Any:
        made = ops.clip(self.changed(images), 0, 1)
        return made if self.p == 1 else ops.where(self.draw(images) < self.p, made, images)


class RandomWarp(RandomValue):
    """The same for movements. The function gives the first rows of matrices from points (x, y, 1), counted from the
    centers of pixels, to where their values come from.
    """

    def changed(self, images: Any) -> Any:
        height, width = images.shape[1:3]
        drawn = {name: self.draw(images, *ends)[:, 0, 0] for name, ends in self.ends.items()}
        across, down = self.function(height, width, **drawn)
        rows = ops.concatenate([value + 0 * images[:, 0, 0, :1] for value in (*across, *down, 0.0, 0.0)], 1)
        return ops.image.affine_transform(images, rows, fill_mode="constant", data_format="channels_last")


def autocontrast(images: Any, share: Any) -> Any:
    low, high = ops.min(images, axis=(1, 2), keepdims=True), ops.max(images, axis=(1, 2), keepdims=True)
    return ops.where(high > low, images + share * ((images - low) / ops.maximum(high - low, 1e-6) - images), images)


def brightness(images: Any, factor: Any) -> Any:
    return images * factor


def check(images: Any, kind: str) -> None:
    """Raise ValueError for images whose values would be misread; in a traced graph there are no values to look at."""
    found, good = f"{kind} {list(images.shape)}", kind == "uint8" or "float" in kind
    if "float" in kind and 0 not in images.shape:
        try:
            low, high = (float(ops.convert_to_numpy(end(images))) for end in (ops.min, ops.max))
        except (NotImplementedError, RuntimeError, TypeError, ValueError):  # what the backends raise while they trace
            low, high = 0.0, 1.0
        found, good = f"{found} from {low:g} to {high:g}", -1e-3 <= low <= high <= 1.001
    if not good or len(images.shape) != 4 or 0 in images.shape[1:]:
        raise ValueError(f"images must be [B, H, W, C], uint8 or floats in [0, 1], not {found}")


def gray(images: Any) -> Any:
    channels = images.shape[-1]
    weights = [0.299, 0.587, 0.114] if channels == 3 else [1 / channels] * channels
    return ops.sum(images * ops.convert_to_tensor(weights, "float32"), axis=-1, keepdims=True)


def contrast(images: Any, factor: Any) -> Any:
    mean = ops.mean(gray(images), axis=(1, 2), keepdims=True)
    return mean + factor * (images - mean)


def equalize(images: Any, share: Any) -> Any:
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


def invert(images: Any) -> Any:
    return 1 - images


def posterize(images: Any, bits: Any) -> Any:
    step = 2 ** (8 - ops.round(bits))
    return ops.floor(ops.floor(images * 255 + 1e-3) / step) * step / 255


def rotate(height: int, width: int, degrees: Any) -> Any:
    """Turn counterclockwise about the center."""
    x, y, angle = (width - 1) / 2, (height - 1) / 2, degrees * math.pi / 180
    cos, sin = ops.cos(angle), ops.sin(angle)
    return (cos, -sin, x - cos * x + sin * y), (sin, cos, y - sin * x - cos * y)


def saturation(images: Any, factor: Any) -> Any:
    return gray(images) + factor * (images - gray(images))


def sharpness(images: Any, factor: Any) -> Any:
    """A blend with a smoothed image, beyond it above 1; the border stays."""
    inner = images[:, 1:-1, 1:-1]
    rows = images[:, :-2] + images[:, 1:-1] + images[:, 2:]
    smooth = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:] + 4 * inner) / 13
    return images + ops.pad((factor - 1) * (inner - smooth), ((0, 0), (1, 1), (1, 1), (0, 0)))


def shear(height: int, width: int, x: Any = 0.0, y: Any = 0.0) -> Any:
    """Shear by slopes, about the upper left corner."""
    return (1.0, x, x / 2), (y, 1.0, y / 2)


def solarize(images: Any, threshold: Any) -> Any:
    return ops.where(images < threshold - 1e-4, images, 1 - images)


def whole(move: Any) -> Any:
    return ops.trunc(ops.round(move * 1000) / 1000)


def translate(height: int, width: int, x: Any = 0.0, y: Any = 0.0) -> Any:
    """Move by fractions of the size, in whole pixels."""
    right, down = x * width, y * height
    return (1.0, 0.0, -whole(right)), (0.0, 1.0, -whole(down))


class Augment(keras.layers.Layer):
    """The policy for images ``[B, H, W, C]``, uint8 or floats in [0, 1], each augmented for itself; outside of training
    they stay as they are. ``keras.utils.set_random_seed`` seeds it.
    """

    def __init__(self) -> None:
        super().__init__(dtype="float32")  # 16-bit coordinates are too coarse
        self.policy = InTurn([
            OneOf([
                InTurn([
                    RandomValue(invert, p=0.1),
                    OneOf([
                        RandomValue(contrast, p=0.2, factor=(0.4, 0.4)),
                        RandomValue(contrast, p=0.2, factor=(1.6, 1.6)),
                    ]),
                ]),
                InTurn([
                    OneOf([
                        RandomWarp(rotate, p=0.7, degrees=(-6.66666, -6.66666)),
                        RandomWarp(rotate, p=0.7, degrees=(6.66666, 6.66666)),
                    ]),
                    OneOf([
                        RandomWarp(translate, p=0.3, x=(-0.453172, -0.453172)),
                        RandomWarp(translate, p=0.3, x=(0.453172, 0.453172)),
                    ]),
                ]),
                InTurn([
                    OneOf([
                        RandomValue(sharpness, p=0.8, factor=(0.9, 0.9)),
                        RandomValue(sharpness, p=0.8, factor=(1.1, 1.1)),
                    ]),
                    OneOf([
                        RandomValue(sharpness, p=0.9, factor=(0.7, 0.7)),
                        RandomValue(sharpness, p=0.9, factor=(1.3, 1.3)),
                    ]),
                ]),
                InTurn([
                    OneOf([
                        RandomWarp(shear, p=0.5, y=(-0.266667, -0.266667)),
                        RandomWarp(shear, p=0.5, y=(0.266667, 0.266667)),
                    ]),
                    OneOf([
                        RandomWarp(translate, p=0.7, y=(-0.453172, -0.453172)),
                        RandomWarp(translate, p=0.7, y=(0.453172, 0.453172)),
                    ]),
                ]),
                InTurn([RandomValue(autocontrast, p=0.5, share=(1, 1)), RandomValue(equalize, p=0.9, share=(1, 1))]),
                InTurn([
                    OneOf([
                        RandomWarp(shear, p=0.2, y=(-0.233333, -0.233333)),
                        RandomWarp(shear, p=0.2, y=(0.233333, 0.233333)),
                    ]),
                    RandomValue(posterize, p=0.3, bits=(5, 5)),
                ]),
                InTurn([
                    OneOf([
                        RandomValue(saturation, p=0.4, factor=(0.7, 0.7)),
                        RandomValue(saturation, p=0.4, factor=(1.3, 1.3)),
                    ]),
                    OneOf([
                        RandomValue(brightness, p=0.6, factor=(0.3, 0.3)),
                        RandomValue(brightness, p=0.6, factor=(1.7, 1.7)),
                    ]),
                ]),
                InTurn([
                    OneOf([
                        RandomValue(sharpness, p=0.3, factor=(0.1, 0.1)),
                        RandomValue(sharpness, p=0.3, factor=(1.9, 1.9)),
                    ]),
                    OneOf([
                        RandomValue(brightness, p=0.7, factor=(0.1, 0.1)),
                        RandomValue(brightness, p=0.7, factor=(1.9, 1.9)),
                    ]),
                ]),
                InTurn([RandomValue(equalize, p=0.6, share=(1, 1)), RandomValue(equalize, p=0.5, share=(1, 1))]),
                InTurn([
                    OneOf([
                        RandomValue(contrast, p=0.6, factor=(0.3, 0.3)),
                        RandomValue(contrast, p=0.6, factor=(1.7, 1.7)),
                    ]),
                    OneOf([
                        RandomValue(sharpness, p=0.6, factor=(0.5, 0.5)),
                        RandomValue(sharpness, p=0.6, factor=(1.5, 1.5)),
                    ]),
                ]),
                InTurn([
                    OneOf([
                        RandomValue(saturation, p=0.7, factor=(0.3, 0.3)),
                        RandomValue(saturation, p=0.7, factor=(1.7, 1.7)),
                    ]),
                    OneOf([
                        RandomWarp(translate, p=0.5, x=(-0.40282, -0.40282)),
                        RandomWarp(translate, p=0.5, x=(0.40282, 0.40282)),
                    ]),
                ]),
                InTurn([RandomValue(equalize, p=0.3, share=(1, 1)), RandomValue(autocontrast, p=0.4, share=(1, 1))]),
                InTurn([
                    OneOf([
                        RandomWarp(translate, p=0.4, y=(-0.151057, -0.151057)),
                        RandomWarp(translate, p=0.4, y=(0.151057, 0.151057)),
                    ]),
                    OneOf([
                        RandomValue(sharpness, p=0.2, factor=(0.4, 0.4)),
                        RandomValue(sharpness, p=0.2, factor=(1.6, 1.6)),
                    ]),
                ]),
                InTurn([
                    OneOf([
                        RandomValue(brightness, p=0.9, factor=(0.4, 0.4)),
                        RandomValue(brightness, p=0.9, factor=(1.6, 1.6)),
                    ]),
                    OneOf([
                        RandomValue(saturation, p=0.2, factor=(0.2, 0.2)),
                        RandomValue(saturation, p=0.2, factor=(1.8, 1.8)),
                    ]),
                ]),
                RandomValue(solarize, p=0.5, threshold=(0.777778, 0.777778)),
                InTurn([RandomValue(equalize, p=0.2, share=(1, 1)), RandomValue(autocontrast, p=0.6, share=(1, 1))]),
                InTurn([RandomValue(equalize, p=0.2, share=(1, 1)), RandomValue(equalize, p=0.6, share=(1, 1))]),
                InTurn([
                    OneOf([
                        RandomValue(saturation, p=0.9, factor=(0.1, 0.1)),
                        RandomValue(saturation, p=0.9, factor=(1.9, 1.9)),
                    ]),
                    RandomValue(equalize, p=0.6, share=(1, 1)),
                ]),
                InTurn([
                    RandomValue(autocontrast, p=0.8, share=(1, 1)),
                    RandomValue(solarize, p=0.2, threshold=(0.111111, 0.111111)),
                ]),
                OneOf([
                    RandomValue(brightness, p=0.1, factor=(0.7, 0.7)),
                    RandomValue(brightness, p=0.1, factor=(1.3, 1.3)),
                ]),
                InTurn([
                    RandomValue(solarize, p=0.4, threshold=(0.444444, 0.444444)),
                    RandomValue(autocontrast, p=0.9, share=(1, 1)),
                ]),
                InTurn([
                    OneOf([
                        RandomWarp(translate, p=0.9, y=(-0.453172, -0.453172)),
                        RandomWarp(translate, p=0.9, y=(0.453172, 0.453172)),
                    ]),
                    OneOf([
                        RandomWarp(translate, p=0.7, y=(-0.453172, -0.453172)),
                        RandomWarp(translate, p=0.7, y=(0.453172, 0.453172)),
                    ]),
                ]),
                InTurn([
                    RandomValue(autocontrast, p=0.9, share=(1, 1)),
                    RandomValue(solarize, p=0.8, threshold=(0.666667, 0.666667)),
                ]),
                InTurn([RandomValue(equalize, p=0.8, share=(1, 1)), RandomValue(invert, p=0.1)]),
                InTurn([
                    OneOf([
                        RandomWarp(translate, p=0.7, y=(-0.453172, -0.453172)),
                        RandomWarp(translate, p=0.7, y=(0.453172, 0.453172)),
                    ]),
                    RandomValue(autocontrast, p=0.9, share=(1, 1)),
                ]),
            ]),
        ])
        self.built = True  # there is nothing to build, which Keras would find out by tracing all of it

    def call(self, images: Any, training: bool = True) -> Any:
        if not training:
            return images
        kind = keras.backend.standardize_dtype(images.dtype)
        check(images, kind)
        made = self.policy(ops.cast(images, "float32") / (255 if kind == "uint8" else 1))
        return ops.cast(ops.round(made * 255) if kind == "uint8" else made, kind)
