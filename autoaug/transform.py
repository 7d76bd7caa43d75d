"""A policy as a module: draw a plan for each batch, and carry it out."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import get_worker_info

from autoaug.apply import apply_plan
from autoaug.drawing import seed_in_worker
from autoaug.engine import mix_labels
from autoaug.errors import OptionError, PolicyError
from autoaug.operators import get_operator
from autoaug.plan import Plan, draw_plan
from autoaug.policy import Policy, read_policy

__all__ = ["Plan", "PolicyTransform", "apply_plan", "check_operators", "draw_plan", "load_policy", "mix_labels"]


def check_operators(policy: Policy) -> Policy:
    """The policy itself; raises `UnknownName` where it uses an operator that is not registered."""
    for name in policy.operator_names():
        get_operator(name)
    return policy


def load_policy(name_or_path: str | Path) -> Policy:
    """The policy of that name, file, or names joined by ``+``, with operators that exist.

    Raises:
        PolicyError: the file breaks a rule of the format.
        UnknownName: there is no such policy, or it uses an operator that is not registered.
    """
    return check_operators(read_policy(name_or_path))


def soft_labels(labels: Tensor, num_classes: int | None = None) -> Tensor:
    """``[n]`` class indices as ``[n, classes]`` float32; labels that are soft already pass through."""
    if labels.ndim == 2:
        return labels if labels.is_floating_point() else labels.float()
    classes = num_classes or int(labels.max()) + 1
    return nn.functional.one_hot(labels.long(), classes).float()


def _like(images: Tensor, augmented: Tensor) -> Tensor:
    """`augmented` as one image or a batch, and as a ``tv_tensors.Image``, where `images` is."""
    result = augmented if images.ndim == 4 else augmented[0]
    if type(images) is Tensor:
        return result
    from torchvision import tv_tensors

    return tv_tensors.wrap(result, like=images) if isinstance(images, tv_tensors.TVTensor) else result


class PolicyTransform(nn.Module):
    """A policy as a module: ``images [B, C, H, W]`` in, the same shape and dtype out, each augmented in its own way.

    Images are floating point in [0, 1] or uint8. One image ``[C, H, W]`` is augmented alone, so the module also
    serves as a transform of single samples in a ``DataLoader``; a policy that mixes needs batches. With labels
    (``[B]`` class indices or ``[B, classes]`` soft) it returns ``(images, soft labels [B, classes])``. With other
    targets (nested lists, tuples and dicts; for a batch a list of them) it returns them with their ``tv_tensors`` of
    boxes, masks and key-points moved as the images are. Adversarial samples and K copies need the model and the
    batch, so the trainer makes them, not this module.

    The module may be called from several threads. In the worker processes of a ``DataLoader`` each worker draws from
    a generator of its own, which follows from `seed` and the loader's seed for that worker and epoch.

    Args:
        policy: what to draw from.
        seed: of the module's own generator; None takes a fresh one from the global generator.
        num_classes: the width of the soft labels; where it is None and labels are indices, the batch's highest
            label tells.
        check: whether to look at the values of the images: finite, and in [0, 1].

    Attributes:
        done: the share of the training that is over, for a policy with a schedule: set it before each epoch.

    Raises:
        UnknownName: the policy uses an operator that is not registered.
    """

    def __init__(
        self, policy: Policy, seed: int | None = None, num_classes: int | None = None, check: bool = True
    ) -> None:
        super().__init__()
        self.policy = check_operators(policy)
        self.done = 0.0
        self.num_classes = num_classes
        self.check = check
        self.seed = int(torch.randint(2**62, ())) if seed is None else seed
        self._worker_seed: int | None = None
        self._lock = threading.Lock()
        self.generator = torch.Generator()
        self.generator.manual_seed(self.seed)

    def forward(self, images: Tensor, labels: Any = None) -> Any:
        """Draw a plan for this batch, or this image, and carry it out."""
        if labels is None and self.policy.mixing is not None:
            raise PolicyError(f"policy {self.policy.name!r} mixes images ({self.policy.mixing.kind}); pass labels too")
        if images.ndim not in {3, 4}:
            raise OptionError(f"images must be [B, C, H, W], or [C, H, W] alone, not of shape {list(images.shape)}")
        batch = images if images.ndim == 4 else images[None]
        if labels is not None and (type(labels) is not Tensor or images.ndim == 3):
            return self._with_targets(images, batch, labels)
        if labels is not None and len(labels) != len(images):
            raise OptionError(f"there are {len(labels)} labels for {len(images)} images; pass one for each")
        plan = self.draw(len(batch))
        augmented = _like(images, apply_plan(plan, batch.as_subclass(Tensor), check=self.check))
        if labels is None:
            return augmented
        return augmented, mix_labels(plan, soft_labels(labels, self.num_classes), *images.shape[-2:])

    def _with_targets(self, images: Tensor, batch: Tensor, targets: Any) -> tuple[Tensor, Any]:
        """One image and its targets, or a batch and a list of the targets of each."""
        from autoaug.targets import move_targets

        if self.policy.mixing is not None:
            raise PolicyError(
                f"policy {self.policy.name!r} mixes images; boxes, masks and key-points cannot follow that"
            )
        if images.ndim == 4 and (not isinstance(targets, list | tuple) or len(targets) != len(images)):
            raise OptionError(f"targets of a batch must be a list of {len(images)}, one for each image")
        plan, size = self.draw(len(batch)), (images.shape[-2], images.shape[-1])
        augmented = _like(images, apply_plan(plan, batch.as_subclass(Tensor), check=self.check))
        each = [targets] if images.ndim == 3 else targets
        moved = [move_targets(plan, i, target, size) for i, target in enumerate(each)]
        return augmented, moved[0] if images.ndim == 3 else type(targets)(moved)

    def draw(self, n: int) -> Plan:
        """The plan for the next `n` images."""
        worker = get_worker_info()
        with self._lock:
            if worker is not None and worker.seed != self._worker_seed:
                self._worker_seed = worker.seed
                self.generator.manual_seed(seed_in_worker(self.seed, worker.seed))
            return draw_plan(self.policy.at(self.done), n, self.generator)

    def __getstate__(self) -> dict[str, Any]:
        """The module without its lock, which cannot be pickled, so that it can be sent to workers and copied."""
        state = {k: v for k, v in self.__dict__.items() if k not in {"_lock", "generator"}}
        return state | {"drawn": self.generator.get_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        drawn = state.pop("drawn")
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._lock = threading.Lock()
        self.generator = torch.Generator()
        self.generator.set_state(drawn)

    def extra_repr(self) -> str:
        """What ``print(module)`` shows."""
        return f"policy={self.policy.name!r}, fingerprint={self.policy.fingerprint()!r}"
