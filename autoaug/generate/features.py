"""The space that samples are compared in: the last layer of a classifier that is trained here."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from autoaug.training.modes import evaluating

_AT_ONCE = 500


@torch.no_grad()
def classifier_features(
    classifier: nn.Module, stored: Tensor, device: str, as_work: Callable[[Tensor], Tensor]
) -> Tensor:
    """What the last linear layer of `classifier` gets, ``[n, d]``, for samples ``[n, ...]`` as they are stored, which
    `as_work` turns into what training works on; of a network without such a layer, its logits.
    """
    layers = [module for module in classifier.modules() if isinstance(module, nn.Linear)]
    seen: list[Tensor] = []
    hook = layers[-1].register_forward_pre_hook(lambda _, given: seen.append(given[0])) if layers else None
    found = []
    try:
        with evaluating(classifier):
            for part in torch.split(stored, _AT_ONCE):
                logits = classifier(as_work(part.to(device)))
                found.append((seen[-1] if hook else logits).float().cpu())
                seen.clear()
    finally:
        if hook:
            hook.remove()
    return torch.cat(found)
