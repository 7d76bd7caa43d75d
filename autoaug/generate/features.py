"""Spaces that samples are compared in: the last layer of a classifier trained here, or of Inception."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn

from autoaug.errors import OptionError
from autoaug.training.train import Training

_AT_ONCE, _AT_ONCE_INCEPTION = 500, 32


class ClassifierFeatures(nn.Module):
    """What a trained classifier's last layer sees, ``[n, d]``, for uint8 images; the form that torchmetrics takes."""

    def __init__(self, training: Training, device: str) -> None:
        super().__init__()
        self.model = training.model.eval()
        self.device = device
        last = [m for m in self.model.modules() if isinstance(m, nn.Linear)][-1]
        self.num_features = last.in_features
        self._seen: list[Tensor] = []
        last.register_forward_pre_hook(lambda _, given: self._seen.append(given[0].detach().float().cpu()))

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """``[n, d]`` features of ``images [n, C, H, W]`` uint8."""
        self._seen.clear()
        for part in torch.split(images, _AT_ONCE):
            self.model(part.to(self.device).float() / 255)
        return torch.cat(self._seen)


class InceptionFeatures(nn.Module):
    """The 2,048 features that FID and KID are published on, for uint8 images of one or three channels.

    Args:
        weights: a file of the Inception weights of Heusel et al. (2017) as torch-fidelity converted them.
        device: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        OptionError: the file is none of these weights, or torch-fidelity is missing.
    """

    num_features = 2048

    def __init__(self, weights: Path, device: str) -> None:
        super().__init__()
        if importlib.util.find_spec("torch_fidelity") is None:
            raise OptionError("--inception needs torch-fidelity; pip install 'autoaug[inception]'")
        from torchmetrics.image.fid import NoTrainInceptionV3

        refused = f"--inception {str(weights)!r} is no file of Inception weights as torch-fidelity has them"
        try:
            torch.load(weights, weights_only=True, map_location="cpu")  # the library below would run what is pickled
            model = NoTrainInceptionV3("inception-v3-compat", [str(self.num_features)], str(weights))
        except Exception as fault:  # a foreign file may raise anything
            lines = str(fault).strip().splitlines()
            raise OptionError(f"{refused} ({lines[0][:120] if lines else type(fault).__name__})") from None
        self.model, self.device = model.to(device), device

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """``[n, 2048]`` features of ``images [n, C, H, W]`` uint8."""
        coloured = images.expand(-1, 3, -1, -1)
        return torch.cat([self.model(part.to(self.device)).cpu() for part in torch.split(coloured, _AT_ONCE_INCEPTION)])
