"""A policy as a module: draw a plan for each batch, and carry it out."""

from __future__ import annotations

import threading
from numbers import Number
from typing import Any

import numpy as np
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.execute import mix_labels
from autoaug.engine.plan import Plan, draw_plan
from autoaug.errors import PolicyError, as_option_error
from autoaug.functional.bounds import check_classes
from autoaug.functional.labels import soft_labels
from autoaug.functional.sampling import Seeded
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import check_operators, load_policy
from autoaug.policy.models import Policy

__all__ = ["Plan", "PolicyTransform", "apply_plan", "check_operators", "draw_plan", "load_policy", "mix_labels"]


class PolicyTransform(Seeded):
    """A policy as a module: ``inputs [B, C, H, W]`` in, the same shape and dtype out, each augmented in its own way.

    Samples are uint8, or floating point in [0, 1]; values outside by at most 1e-3 are clamped. One sample ``[C, H, W]``
    is augmented alone, so the module also serves as a transform of single samples in a ``DataLoader``; a policy that
    mixes needs batches. A ``PIL.Image`` (``L`` or ``RGB``) comes back as one, and NumPy arrays, ``[H, W]``,
    ``[H, W, C]`` or ``[B, H, W, C]``, as arrays.

    With labels (``[B]`` class indices or ``[B, classes]`` soft: a tensor, an array or a list) a batch comes back as
    ``(samples, soft labels [B, classes])``. With other targets (nested lists, tuples, dicts and dataclasses; for a batch
    a list of them) it returns them with their ``tv_tensors`` of boxes, masks and key-points moved as the samples are.
    Adversarial samples and K copies need the model and the batch, so the trainer makes them, not this module.

    The module may be called from several threads, copied and pickled. In the worker processes of a ``DataLoader`` each
    worker draws from a generator of its own, which follows from `seed` and the loader's seed for that worker and epoch.

    Args:
        policy: what to draw from.
        seed: of the module's own generator, a whole number; None takes a fresh one from the global generator.
        num_classes: the width of the soft labels; where it is None and labels are indices, the batch's highest
            label tells.
        check: whether to look at the values of the samples: finite, and in [0, 1].

    Attributes:
        done: the share of the training that is over, for a policy with a schedule: set it before each epoch.

    Raises:
        UnknownName: the policy uses an operator that is not registered.
        OptionError: the seed or the number of classes is none; when called, samples, labels or targets are not as above.
    """

    def __init__(
        self, policy: Policy, seed: int | None = None, num_classes: int | None = None, check: bool = True
    ) -> None:
        with as_option_error():
            super().__init__(seed)
            self.num_classes = check_classes(num_classes)
        self.policy = check_operators(policy)
        self.modality = get_modality()
        self.done = 0.0
        self.check = check
        self._lock = threading.Lock()

    def forward(self, inputs: Any, labels: Any = None) -> Any:
        """Draw a plan for this batch, or this sample, and carry it out."""
        with as_option_error():
            values = self.modality.values
            batch, alone, back = values.opened(inputs)
            batch = values.check(batch, look=self.check)
            soft = self._soft_labels(labels, alone, len(batch))
            targets = None if labels is None or soft is not None else _of_each(labels, alone, len(batch))
        plan = self.draw(len(batch))
        augmented = apply_plan(plan, batch, check=False)  # they were looked at
        result, size = back(augmented), (batch.shape[-2], batch.shape[-1])
        if soft is not None:
            return result, mix_labels(plan, soft, *size)
        return result if targets is None else (result, _moved(plan, targets, size, labels, alone))

    def _soft_labels(self, labels: Any, alone: bool, n: int) -> Tensor | None:
        """The labels of a batch as soft ones; None where there are no labels, or other targets."""
        mixing = self.policy.mixing
        if mixing is not None and labels is None:
            raise PolicyError(f"policy {self.policy.name!r} mixes samples ({mixing.kind}); pass labels too")
        if mixing is not None and alone:
            raise PolicyError(
                f"policy {self.policy.name!r} mixes samples; pass a batch of them with class labels: one sample, and "
                "boxes, masks and key-points, cannot follow that"
            )
        are_labels = mixing is not None or type(labels) is Tensor or isinstance(labels, np.ndarray)
        if alone or labels is None or not (are_labels or _are_numbers(labels)):
            return None
        return soft_labels(labels, self.num_classes, n)

    def draw(self, n: int) -> Plan:
        """The plan for the next `n` samples."""
        with self._lock:
            return draw_plan(self.policy.at(self.done), n, self.generator)

    def __getstate__(self) -> dict[str, Any]:
        """The module without its lock, which cannot be pickled, so that it can be sent to workers and copied."""
        return {k: v for k, v in super().__getstate__().items() if k != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._lock = threading.Lock()

    def extra_repr(self) -> str:
        """What ``print(module)`` shows."""
        return f"policy={self.policy.name!r}, fingerprint={self.policy.fingerprint()!r}"


def _of_each(targets: Any, alone: bool, n: int) -> list[Any]:
    """The targets of each sample."""
    from autoaug.modalities.image.annotations import of_each  # with torchvision, which takes a second to load

    return [targets] if alone else of_each(targets, n)


def _moved(plan: Plan, each: list[Any], size: tuple[int, int], like: Any, alone: bool) -> Any:
    """The targets of each sample, moved with it, in a container as they came in."""
    from autoaug.engine.targets import move_targets
    from autoaug.modalities.image.annotations import with_parts

    moved = [move_targets(plan, i, target, size) for i, target in enumerate(each)]
    return moved[0] if alone else with_parts(like, moved)


def _are_numbers(labels: Any) -> bool:
    """Whether a list holds one number for each sample, and so their class indices."""
    return isinstance(labels, list | tuple) and all(
        isinstance(label, Number) or (isinstance(label, Tensor) and not label.ndim) for label in labels
    )
