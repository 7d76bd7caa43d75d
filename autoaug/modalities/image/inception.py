"""The Inception features, on which published metrics of generated images are based."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn

from autoaug.errors import OptionError, first_line

_AT_ONCE = 32


class InceptionFeatures(nn.Module):
    """The 2,048 features on which published FID and KID are based, for uint8 images with one or three channels.

    Args:
        weights: a file with the Inception weights of Heusel et al. (2017), as converted by torch-fidelity.
        device: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        OptionError: the file does not contain these weights, or torch-fidelity or torchmetrics is missing.
    """

    num_features = 2048

    def __init__(self, weights: Path, device: str) -> None:
        super().__init__()
        for name in ("torch_fidelity", "torchmetrics"):
            if importlib.util.find_spec(name) is None:
                raise OptionError(f"--inception needs {name}; pip install 'autoaug[inception]'")
        from torchmetrics.image.fid import NoTrainInceptionV3

        refused = f"--inception {str(weights)!r} is not a file of Inception weights from torch-fidelity"
        try:
            torch.load(weights, weights_only=True, map_location="cpu")  # the library below would run pickled code
            model = NoTrainInceptionV3("inception-v3-compat", [str(self.num_features)], str(weights))
        except Exception as fault:  # a foreign file may raise anything
            raise OptionError(f"{refused} ({first_line(fault)[:120]})") from None
        self.model, self.device = model.to(device), device

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """The features ``[n, 2048]`` of uint8 ``images [n, C, H, W]``; raises `OptionError` for other channels."""
        if images.shape[1] not in (1, 3):
            raise OptionError(f"--inception needs images with 1 or 3 channels, not {images.shape[1]}; leave it out")
        colored = images.expand(-1, 3, -1, -1)
        return torch.cat([self.model(part.to(self.device)).cpu() for part in torch.split(colored, _AT_ONCE)])
