"""Class labels as soft labels: plain functions, which exported modules contain verbatim."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from autoaug.functional.bounds import in_short, within_rounding
from autoaug.functional.tensors import check_dense, nan_unless


def soft_labels(labels: Any, classes: int | None = None, n: int | None = None) -> Tensor:
    """Labels as ``[n, classes]``: class indices become float32, soft labels keep their dtype. Numbers to predict,
    ``[n, numbers]``, stay what they are.

    Args:
        labels: class indices ``[n]``, or soft or one-hot labels ``[n, classes]`` in [0, 1]; tensors, arrays or lists.
        classes: the number of classes, which class indices need; None takes the width of soft labels, and 0 means that
            labels are numbers.
        n: the number of samples, to check the number of labels; None skips the check.

    Raises:
        ValueError: the labels are anything else. If they are on a GPU, no error is raised for their values, for which
            the host would have to wait: wrong ones become NaN.
    """
    given = counted_labels(labels, n)
    if classes == 0:
        return checked_numbers(given)
    return one_hot(given, classes) if given.ndim == 1 else checked_shares(given, classes)


def counted_labels(labels: Any, n: int | None = None) -> Tensor:
    """Labels of any form as a tensor of one or two dimensions; see `soft_labels`, whose checks of values come later."""
    given = as_tensor(labels)
    if given.ndim not in (1, 2):
        rule = "labels must be class indices [B], or soft labels [B, classes]"
        raise ValueError(f"{rule}, not of shape {list(given.shape)}")
    if n is not None and len(given) != n:
        raise ValueError(f"there are {len(given)} labels for {n} samples; pass one for each")
    return given


def as_tensor(labels: Any) -> Tensor:
    """Labels of any form as a numeric tensor; floating-point numbers in lists become float32."""
    if isinstance(labels, Tensor):
        check_dense(labels, "labels")
        return labels.as_subclass(Tensor)
    try:
        if isinstance(labels, list | tuple) and any(getattr(label, "shape", ()) for label in labels):
            given = torch.stack([as_tensor(label) for label in labels])
        else:  # an array may have negative strides or another byte order, which torch does not support; a copy has none
            order = getattr(getattr(labels, "dtype", None), "newbyteorder", None)
            copied = labels.astype(order("=")) if order else labels.copy() if hasattr(labels, "copy") else labels
            given = torch.tensor(copied, device="cpu")
    except (TypeError, ValueError, RuntimeError):
        kind = f"{type(labels).__name__} {in_short(labels)}"
        raise ValueError(f"labels must be numbers in a tensor, an array or a list, not the {kind}") from None
    return given.float() if isinstance(labels, list | tuple) and given.is_floating_point() else given


def one_hot(labels: Tensor, classes: int | None) -> Tensor:
    """Class indices ``[n]`` as ``[n, classes]`` float32."""
    if len(labels) and (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool):
        cure = "pass class indices, as by labels.long(), or 0 as the number of classes for numbers"
        raise ValueError(f"labels of shape [{len(labels)}] are {labels.dtype}; {cure}")
    if classes is None:
        cure = "give it as num_classes (classes in exported modules), or pass soft labels [B, classes]"
        raise ValueError(f"labels are class indices, whose mixing needs the number of classes: {cure}")
    if not len(labels):
        return torch.zeros(0, classes, dtype=torch.float32, device=labels.device)
    labels = labels.long()
    if labels.device.type != "cpu":
        shares = (labels[:, None] == torch.arange(classes, device=labels.device)).float()
        return nan_unless((labels >= 0) & (labels < classes), shares)
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        rule = f"class indices must be from 0 to {classes - 1}: there are {classes} classes"
        raise ValueError(f"a label is {low if low < 0 else high}; {rule}")
    return torch.nn.functional.one_hot(labels, classes).float()


def checked_numbers(labels: Tensor) -> Tensor:
    """Numbers ``[n, numbers]`` as floating point."""
    if labels.ndim != 2:
        raise ValueError(f"numbers must be [B, numbers], not {list(labels.shape)}; pass labels[:, None]")
    return labels if labels.is_floating_point() else labels.float()


def checked_shares(labels: Tensor, classes: int | None) -> Tensor:
    """Soft labels ``[n, classes]`` as floating point."""
    width = labels.shape[1]
    if width != (classes or max(width, 2)):
        cure = (
            "squeeze class indices to [n], or give 0 as the number of classes for numbers"
            if width == 1
            else "one column for each class"
        )
        raise ValueError(f"soft labels are {width} wide; they must be [n, {classes or 'classes'}]: {cure}")
    if labels.device.type != "cpu":
        shares = labels if labels.is_floating_point() else labels.float()
        return nan_unless(((shares >= -1e-3) & (shares <= 1 + 1e-3)).all(1), shares)
    if labels.numel():
        low, high = (
            (float("nan"),) * 2 if labels.is_complex() else (float(end) for end in labels.detach().float().aminmax())
        )
        if not within_rounding(low, high):
            rule = "they must be finite and in [0, 1]; 0 as the number of classes is for numbers"
            raise ValueError(f"soft labels have values from {low:g} to {high:g}; {rule}")
    return labels if labels.is_floating_point() else labels.float()
