"""Spaces that samples are compared in: the last layer of a classifier trained here, or of Inception."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn

from autoaug.errors import OptionError, first_line
from autoaug.training.modes import evaluating

_AT_ONCE, _AT_ONCE_INCEPTION = 500, 32


@torch.no_grad()
def classifier_features(classifier: nn.Module, images: Tensor, device: str) -> Tensor:
    """What the last linear layer of `classifier` sees of ``images [n, C, H, W]`` uint8, ``[n, d]``; of a network
    without one, its logits.
    """
    layers = [module for module in classifier.modules() if isinstance(module, nn.Linear)]
    seen: list[Tensor] = []
    hook = layers[-1].register_forward_pre_hook(lambda _, given: seen.append(given[0])) if layers else None
    found = []
    try:
        with evaluating(classifier):
            for part in torch.split(images, _AT_ONCE):
                logits = classifier(part.to(device).float() / 255)
                found.append((seen[-1] if hook else logits).float().cpu())
                seen.clear()
    finally:
        if hook:
            hook.remove()
    return torch.cat(found)


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
            raise OptionError(f"{refused} ({first_line(fault)[:120]})") from None
        self.model, self.device = model.to(device), device

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """``[n, 2048]`` features of ``images [n, C, H, W]`` uint8."""
        colored = images.expand(-1, 3, -1, -1)
        return torch.cat([self.model(part.to(self.device)).cpu() for part in torch.split(colored, _AT_ONCE_INCEPTION)])
