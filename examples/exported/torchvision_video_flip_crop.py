# Augmentation policy 'video-flip-crop' (5bd7c54c0177), with torchvision.transforms.v2.
# Exported by autoaug 0.1.0; runs without it: clips = Augment()(clips); torch.manual_seed seeds it

from typing import Any

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F


class RandomValue(v2.Transform):
    """Apply a function with arguments drawn evenly between their ends; if it `moves` pixels, to boxes and masks too."""

    def __init__(self, function: Any, moves: bool = False, **ends: tuple[float, float]) -> None:
        super().__init__()
        self.function, self.moves, self.ends = function, moves, ends

    def make_params(self, flat_inputs: list[Any]) -> dict[str, float]:
        drawn = zip(self.ends.items(), torch.rand(len(self.ends)).tolist(), strict=True)
        return {name: low + (high - low) * share for (name, (low, high)), share in drawn}

    def transform(self, inpt: Any, params: dict[str, float]) -> Any:
        stays = isinstance(inpt, tv_tensors.TVTensor) and not (self.moves or isinstance(inpt, tv_tensors.Image))
        return inpt if stays else self.function(inpt, **params)


def check(clips: Any) -> None:
    """Raise ValueError where values would be misread."""
    seen = type(clips).__name__
    if isinstance(clips, torch.Tensor):
        low, high = (0, 1) if clips.dtype == torch.uint8 or not clips.numel() else clips.aminmax()
        seen = f"{clips.dtype} {list(clips.shape)} from {low} to {high}"
        if clips.ndim in (4, 5) and clips.numel() and bool(-1e-3 <= low <= high <= 1.001):
            return
    raise ValueError(f"clips must be [T, C, H, W] or [B, T, C, H, W] in uint8 or floats in [0, 1], not {seen}")


def pad_crop(image: Any, padding: float, x: float, y: float) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    height, width = F.get_size(image)
    down, across = round(padding * height), round(padding * width)
    top, left = int(y * (2 * down + 1)) - down, int(x * (2 * across + 1)) - across
    return F.crop(image, top, left, height, width)


class Augment(v2.Compose):
    """The policy for a clip ``[T, C, H, W]``, all frames of which are changed alike, or a batch ``[B, T, C, H, W]``,
    each clip of which draws for itself. With labels, it returns ``(clips, labels)``.
    """

    def __init__(self) -> None:
        super().__init__([
            v2.RandomHorizontalFlip(p=0.5),
            RandomValue(pad_crop, moves=True, padding=(0.125, 0.125), x=(0, 1), y=(0, 1)),
        ])

    def forward(self, clips: torch.Tensor, labels: Any = None) -> Any:
        check(clips)
        values = clips.as_subclass(torch.Tensor)
        values = values if clips.dtype == torch.uint8 else values.float()
        try:
            with torch.autocast(clips.device.type, enabled=False):  # 16-bit coordinates are too coarse
                made = [v2.Compose.forward(self, clip) for clip in (values if clips.ndim == 5 else values[None])]
        except TypeError as fault:
            raise TypeError(f"{fault} (autoaug export --exact takes any channels)") from None
        augmented = tv_tensors.wrap(torch.stack(made).view(clips.shape).to(clips.dtype), like=clips)
        return augmented if labels is None else (augmented, labels)
