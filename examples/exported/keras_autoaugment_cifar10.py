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


class Random(keras.layers.Layer):
    """Apply a function to each image with a probability, and with arguments drawn evenly between their ends."""

    def __init__(self, function: Any, p: float = 1.0, **ends: tuple[float, float]) -> None:
        super().__init__(dtype="float32")
        self.function, self.p, self.ends, self.seeds = function, p, ends, keras.random.SeedGenerator()

    def draw(self, images: Any, low: float = 0.0, high: float = 1.0) -> Any:
        return keras.random.uniform((ops.shape(images)[0], 1, 1, 1), low, high, "float32", self.seeds)

    def call(self, images: Any) -> Any:
        made = self.function(images, **{name: self.draw(images, *ends) for name, ends in self.ends.items()})
        return ops.where(self.draw(images) < self.p, ops.clip(made, 0, 1), images)


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


def posterize(images: Any, bits: Any) -> Any:
    step = 2 ** (8 - ops.round(bits))
    return ops.floor(ops.floor(images * 255 + 1e-3) / step) * step / 255


def warp(images: Any, *rows: Any) -> Any:
    """Take each point (x, y, 1), counted from pixel centers, from where a matrix of these rows maps it."""
    matrix = [0 * images[:, :1, :1, :1] + number for number in (*rows, 0.0, 0.0)]
    matrix = ops.reshape(ops.concatenate(matrix, 1), (-1, 8))
    return ops.image.affine_transform(images, matrix, fill_mode="constant", data_format="channels_last")


def rotate(images: Any, degrees: Any) -> Any:
    """Turn counterclockwise about the center."""
    height, width = images.shape[1:3]
    x, y, angle = (width - 1) / 2, (height - 1) / 2, degrees * math.pi / 180
    cos, sin = ops.cos(angle), ops.sin(angle)
    return warp(images, cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y)


def saturation(images: Any, factor: Any) -> Any:
    return gray(images) + factor * (images - gray(images))


def sharpness(images: Any, factor: Any) -> Any:
    """A blend with a smoothed image, beyond it above 1; the border stays."""
    inner = images[:, 1:-1, 1:-1]
    rows = images[:, :-2] + images[:, 1:-1] + images[:, 2:]
    smooth = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:] + 4 * inner) / 13
    return images + ops.pad((factor - 1) * (inner - smooth), ((0, 0), (1, 1), (1, 1), (0, 0)))


def shear(images: Any, x: Any = 0.0, y: Any = 0.0) -> Any:
    """Shear by slopes, about the upper left corner."""
    return warp(images, 1, x, x / 2, y, 1, y / 2)


def solarize(images: Any, threshold: Any) -> Any:
    return ops.where(images < threshold - 1e-4, images, 1 - images)


def translate(images: Any, x: Any = 0.0, y: Any = 0.0) -> Any:
    """Move by fractions of the size, in whole pixels."""
    height, width = images.shape[1:3]
    right, down = (ops.trunc(ops.round(move * 1000) / 1000) for move in (x * width, y * height))
    return warp(images, 1, 0, -right, 0, 1, -down)


class Augment(keras.layers.Layer):
    """The policy for images ``[B, H, W, C]``, uint8 or floats in [0, 1], each augmented for itself; outside of training
    they stay as they are. ``keras.utils.set_random_seed`` seeds it.
    """

    def __init__(self) -> None:
        super().__init__(dtype="float32")  # 16-bit coordinates are too coarse
        self.steps = [
            OneOf([
                InTurn([
                    keras.layers.RandomInvert((0.1, 0.1), value_range=(0, 1)),
                    OneOf([Random(contrast, p=0.2, factor=(0.4, 0.4)), Random(contrast, p=0.2, factor=(1.6, 1.6))]),
                ]),
                InTurn([
                    OneOf([
                        Random(rotate, p=0.7, degrees=(-6.66666, -6.66666)),
                        Random(rotate, p=0.7, degrees=(6.66666, 6.66666)),
                    ]),
                    OneOf([
                        Random(translate, p=0.3, x=(-0.453172, -0.453172)),
                        Random(translate, p=0.3, x=(0.453172, 0.453172)),
                    ]),
                ]),
                InTurn([
                    OneOf([Random(sharpness, p=0.8, factor=(0.9, 0.9)), Random(sharpness, p=0.8, factor=(1.1, 1.1))]),
                    OneOf([Random(sharpness, p=0.9, factor=(0.7, 0.7)), Random(sharpness, p=0.9, factor=(1.3, 1.3))]),
                ]),
                InTurn([
                    OneOf([
                        Random(shear, p=0.5, y=(-0.266667, -0.266667)),
                        Random(shear, p=0.5, y=(0.266667, 0.266667)),
                    ]),
                    OneOf([
                        Random(translate, p=0.7, y=(-0.453172, -0.453172)),
                        Random(translate, p=0.7, y=(0.453172, 0.453172)),
                    ]),
                ]),
                InTurn([Random(autocontrast, p=0.5, share=(1, 1)), Random(equalize, p=0.9, share=(1, 1))]),
                InTurn([
                    OneOf([
                        Random(shear, p=0.2, y=(-0.233333, -0.233333)),
                        Random(shear, p=0.2, y=(0.233333, 0.233333)),
                    ]),
                    Random(posterize, p=0.3, bits=(5, 5)),
                ]),
                InTurn([
                    OneOf([Random(saturation, p=0.4, factor=(0.7, 0.7)), Random(saturation, p=0.4, factor=(1.3, 1.3))]),
                    OneOf([Random(brightness, p=0.6, factor=(0.3, 0.3)), Random(brightness, p=0.6, factor=(1.7, 1.7))]),
                ]),
                InTurn([
                    OneOf([Random(sharpness, p=0.3, factor=(0.1, 0.1)), Random(sharpness, p=0.3, factor=(1.9, 1.9))]),
                    OneOf([Random(brightness, p=0.7, factor=(0.1, 0.1)), Random(brightness, p=0.7, factor=(1.9, 1.9))]),
                ]),
                InTurn([Random(equalize, p=0.6, share=(1, 1)), Random(equalize, p=0.5, share=(1, 1))]),
                InTurn([
                    OneOf([Random(contrast, p=0.6, factor=(0.3, 0.3)), Random(contrast, p=0.6, factor=(1.7, 1.7))]),
                    OneOf([Random(sharpness, p=0.6, factor=(0.5, 0.5)), Random(sharpness, p=0.6, factor=(1.5, 1.5))]),
                ]),
                InTurn([
                    OneOf([Random(saturation, p=0.7, factor=(0.3, 0.3)), Random(saturation, p=0.7, factor=(1.7, 1.7))]),
                    OneOf([
                        Random(translate, p=0.5, x=(-0.40282, -0.40282)),
                        Random(translate, p=0.5, x=(0.40282, 0.40282)),
                    ]),
                ]),
                InTurn([Random(equalize, p=0.3, share=(1, 1)), Random(autocontrast, p=0.4, share=(1, 1))]),
                InTurn([
                    OneOf([
                        Random(translate, p=0.4, y=(-0.151057, -0.151057)),
                        Random(translate, p=0.4, y=(0.151057, 0.151057)),
                    ]),
                    OneOf([Random(sharpness, p=0.2, factor=(0.4, 0.4)), Random(sharpness, p=0.2, factor=(1.6, 1.6))]),
                ]),
                InTurn([
                    OneOf([Random(brightness, p=0.9, factor=(0.4, 0.4)), Random(brightness, p=0.9, factor=(1.6, 1.6))]),
                    OneOf([Random(saturation, p=0.2, factor=(0.2, 0.2)), Random(saturation, p=0.2, factor=(1.8, 1.8))]),
                ]),
                Random(solarize, p=0.5, threshold=(0.777778, 0.777778)),
                InTurn([Random(equalize, p=0.2, share=(1, 1)), Random(autocontrast, p=0.6, share=(1, 1))]),
                InTurn([Random(equalize, p=0.2, share=(1, 1)), Random(equalize, p=0.6, share=(1, 1))]),
                InTurn([
                    OneOf([Random(saturation, p=0.9, factor=(0.1, 0.1)), Random(saturation, p=0.9, factor=(1.9, 1.9))]),
                    Random(equalize, p=0.6, share=(1, 1)),
                ]),
                InTurn([
                    Random(autocontrast, p=0.8, share=(1, 1)),
                    Random(solarize, p=0.2, threshold=(0.111111, 0.111111)),
                ]),
                OneOf([Random(brightness, p=0.1, factor=(0.7, 0.7)), Random(brightness, p=0.1, factor=(1.3, 1.3))]),
                InTurn([
                    Random(solarize, p=0.4, threshold=(0.444444, 0.444444)),
                    Random(autocontrast, p=0.9, share=(1, 1)),
                ]),
                InTurn([
                    OneOf([
                        Random(translate, p=0.9, y=(-0.453172, -0.453172)),
                        Random(translate, p=0.9, y=(0.453172, 0.453172)),
                    ]),
                    OneOf([
                        Random(translate, p=0.7, y=(-0.453172, -0.453172)),
                        Random(translate, p=0.7, y=(0.453172, 0.453172)),
                    ]),
                ]),
                InTurn([
                    Random(autocontrast, p=0.9, share=(1, 1)),
                    Random(solarize, p=0.8, threshold=(0.666667, 0.666667)),
                ]),
                InTurn([
                    Random(equalize, p=0.8, share=(1, 1)),
                    keras.layers.RandomInvert((0.1, 0.1), value_range=(0, 1)),
                ]),
                InTurn([
                    OneOf([
                        Random(translate, p=0.7, y=(-0.453172, -0.453172)),
                        Random(translate, p=0.7, y=(0.453172, 0.453172)),
                    ]),
                    Random(autocontrast, p=0.9, share=(1, 1)),
                ]),
            ]),
        ]
        self.built = True  # there is nothing to build, which Keras would find out by tracing all of it

    def call(self, images: Any, training: bool = True) -> Any:
        if not training:
            return images
        kind = keras.backend.standardize_dtype(images.dtype)
        check(images, kind)
        made = ops.cast(images, "float32") / (255 if kind == "uint8" else 1)
        for step in self.steps:
            made = step(made)
        return ops.cast(ops.round(made * 255) if kind == "uint8" else made, kind)
