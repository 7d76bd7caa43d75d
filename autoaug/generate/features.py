"""The feature space in which samples are compared: the inputs of the last layer of a classifier trained on the data."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from autoaug.training.layers import evaluating, head_of

_AT_ONCE = 500


@torch.no_grad()
def classifier_features(
    classifier: nn.Module, stored: Tensor, device: str, as_work: Callable[[Tensor], Tensor]
) -> Tensor:
    """The inputs ``[n, d]`` of the last linear layer of `classifier`, for samples ``[n, ...]`` in storage format, which
    `as_work` converts to the format of training. For a network without linear layers, its logits.
    """
    head = head_of(classifier)
    seen: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, given: seen.append(given[0])) if head else None
    features = []
    try:
        with evaluating(classifier):
            for part in torch.split(stored, _AT_ONCE):
                logits = classifier(as_work(part.to(device)))
                features.append((torch.cat(seen) if hook else logits).float().cpu())
                seen.clear()
    finally:
        if hook:
            hook.remove()
    return torch.cat(features)
