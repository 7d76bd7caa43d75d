"""A policy as a module that draws a plan for each batch and applies it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.arrays import run_on_arrays
from autoaug.engine.draw_buffer import DrawBuffer
from autoaug.engine.execute import mix_labels
from autoaug.engine.plan import Plan, draw_plan, mixing_of
from autoaug.engine.structures import STRUCTURES, Structure, structure_of
from autoaug.engine.targets import move_targets
from autoaug.errors import OptionError, PolicyError, as_option_error
from autoaug.functional.bounds import check_classes
from autoaug.functional.containers import of_each, with_parts
from autoaug.functional.labels import counted_labels, soft_labels
from autoaug.functional.sampling import Seeded
from autoaug.modalities.arrays import ArrayEngine, Opened
from autoaug.modalities.base import Batch
from autoaug.modalities.kinds import in_embedding
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import check_known, modality_of_policy
from autoaug.policy.models import Policy

BACKENDS = ("auto", "torch")


class PolicyTransform(Seeded):
    """A policy as a module: takes a batch and returns it with the same shape and dtype, each sample augmented
    independently.

    The modality defines what a batch may be (`autoaug.modalities.base.Values.opened`): tensors, arrays and other usual
    types; the result has the same type. A single sample is accepted, too, so the module can transform samples in a
    ``DataLoader``; a policy that mixes needs batches.

    With labels (class indices ``[B]`` or soft labels ``[B, classes]``: a tensor, an array or a list) a call returns
    samples and labels: soft ones ``[B, classes]`` if the policy mixes samples or `num_classes` is given, and otherwise
    the labels that were passed. With other targets (nested lists, tuples, dicts and dataclasses; for a batch, a list of
    them) it returns them with their annotations (``tv_tensors`` of boxes, masks and keypoints) moved along with the
    samples. Adversarial samples and K copies need the model and the whole batch, so the training loop makes them.

    Instead of two arguments, more of them (``sample, boxes, masks``), a tuple ``(sample, target, …)`` or a mapping such
    as ``{"sample": …, "boxes": …}`` can be passed, as in torchvision; it is returned with its one sample augmented.

    The module may be called from several threads, copied and pickled. In a ``DataLoader``, each worker process draws
    from its own generator, which follows from `seed` and the loader's seed for that worker and epoch.

    Args:
        policy: the policy to draw from.
        seed: the seed of the module's generator, an integer; None draws one from the global generator.
        num_classes: the width of the soft labels, which a policy that mixes needs to mix class indices. 0 means that
            labels are numbers ``[B, numbers]``, which are mixed as they are.
        check: whether to check the values of the samples, for example that they are finite.
        modality: the modality of the samples; needed only if neither the operators nor the kinds of mixing tell, and it
            is not the first registered one.
        backend: ``torch`` augments everything by torch. ``auto`` augments single samples and batches in storage format
            (uint8) on the CPU by the modality's engine on arrays, if it has one, unless the policy mixes or has
            chains: the same plans, with results that differ by rounding, and many times faster for single samples.

    Attributes:
        done: the fraction of the training that is over, for a policy with a schedule; set it before each epoch. Worker
            processes see what it was when they began, so a ``DataLoader`` must not have ``persistent_workers``.

    Raises:
        UnknownName: the modality or an operator of the policy is not registered.
        PolicyError: the operators belong to several modalities.
        OptionError: the policy is none, or the seed, the number of classes or the backend is invalid; in a call, the
            samples, labels or targets are.
    """

    def __init__(
        self,
        policy: Policy,
        seed: int | None = None,
        num_classes: int | None = None,
        check: bool = True,
        modality: str | None = None,
        backend: str = "auto",
    ) -> None:
        with as_option_error():
            super().__init__(seed)
            self.num_classes = check_classes(num_classes)
        if not isinstance(policy, Policy):
            raise OptionError(
                f"policy must be a Policy, not {policy!r}; load_policy loads one by its name or from a file"
            )
        self.policy = check_known(policy)
        self.modality = modality_of_policy(policy, modality).name
        if backend not in BACKENDS:
            raise OptionError(f"there is no backend {backend!r}; there are: {', '.join(BACKENDS)}")
        self.backend = backend
        self._engine = self._array_engine()
        self.done = 0.0
        self.check = check
        self._draws = DrawBuffer(policy, self.modality, self._engine.operators if self._engine else ())
        self._process = self.rank, self.worker
        self._lock = threading.Lock()

    def forward(self, inputs: Any, labels: Any = None, *more: Any) -> Any:
        """Draw a plan for this batch, or this sample, and apply it."""
        if more:
            inputs, labels = (inputs, labels, *more), None
        if labels is None and isinstance(inputs, STRUCTURES):
            return self._within(structure_of(inputs, get_modality(self.modality).values))
        return self._transformed(inputs, labels)

    def _within(self, structure: Structure) -> Any:
        """The structure with its sample, or batch, augmented and what is beside it moved along."""
        others = structure.others
        if not others:
            return structure.made(self._transformed(structure.sample, None), ())
        with as_option_error():
            _, alone, _ = get_modality(self.modality).values.opened(structure.sample)
        if alone:
            return structure.made(*self._transformed(structure.sample, others))
        if len(others) > 1:
            raise OptionError(f"a batch can have one part beside it, its labels or targets, not {len(others)}")
        sample, moved = self._transformed(structure.sample, others[0])
        return structure.made(sample, [moved])

    def _transformed(self, inputs: Any, labels: Any) -> Any:
        engine = None if torch.compiler.is_compiling() else self._engine
        opened = None if engine is None else engine.opened(inputs)
        if engine is None or opened is None:
            return self._augmented(inputs, labels)
        if labels is None and opened.alone:
            return opened.back([self._sample(engine, opened.samples[0], inputs)])
        return self._augmented(inputs, labels, engine, opened)

    def _augmented(
        self, inputs: Any, labels: Any, engine: ArrayEngine | None = None, opened: Opened | None = None
    ) -> Any:
        """The samples and, if given, the labels; `opened` are the samples as arrays, for their engine."""
        with as_option_error():
            if opened is None:
                batch, alone, back = self._batch(inputs)
            else:
                batch, alone = Batch(torch.zeros((), device="cpu").expand(opened.shape)), opened.alone
            n = len(batch.values)
            given = self._labels(labels, alone, n)
            targets = [] if labels is None or given is not None else [labels] if alone else of_each(labels, n)
        plan = self.draw(n)
        if engine is None or opened is None:
            result = back(apply_plan(plan, batch, check=False))  # checked above
        else:
            result = opened.back(run_on_arrays(engine, plan, opened.samples, lambda: self._batch(inputs)[0]))
        if labels is None:
            return result
        if given is not None:
            return result, mix_labels(plan, given, batch)
        moved = [move_targets(plan, i, target, batch) for i, target in enumerate(targets)]
        return result, moved[0] if alone else with_parts(labels, moved)

    def _batch(self, inputs: Any) -> tuple[Batch, bool, Callable[[Batch], Any]]:
        """The checked inputs; see `autoaug.modalities.base.Values.opened`."""
        values = get_modality(self.modality).values
        batch, alone, back = values.opened(inputs)
        return batch._replace(values=values.check(batch.values, look=self.check)), alone, back

    def _array_engine(self) -> ArrayEngine | None:
        """The modality's engine on arrays, if the policy is one that samples can follow one by one."""
        one_by_one = self.backend == "auto" and not (self.policy.mixing or self.policy.chains)
        return get_modality(self.modality).arrays if one_by_one else None

    def _sample(self, engine: ArrayEngine, sample: np.ndarray, inputs: Any) -> np.ndarray:
        """Augment a single sample, drawn in plain numbers; the plan is that of `draw`."""
        with self._lock:
            generator = super().generator
            if self._process != (self.rank, self.worker):  # which begins its own stream
                self._process = self.rank, self.worker
                self._draws.discard()
            drawn = self._draws.take(self.done, generator)
        if isinstance(drawn, Plan):
            return run_on_arrays(engine, drawn, [sample], lambda: self._batch(inputs)[0])[0]
        return engine.run(sample, drawn)

    @property
    def generator(self) -> torch.Generator:
        """The generator for this process, where the last draw left it."""
        self._draws.rewind(self.own)
        return super().generator

    def get_extra_state(self) -> Tensor:
        """See `Seeded.get_extra_state`."""
        self._draws.rewind(self.own)
        return super().get_extra_state()

    def set_extra_state(self, state: Tensor) -> None:
        """See `Seeded.set_extra_state`."""
        self._draws.discard()
        super().set_extra_state(state)

    def _labels(self, labels: Any, alone: bool, n: int) -> Any:
        """The labels of a batch, soft if they are mixed or `num_classes` is given; None if there are no labels, or
        other targets.
        """
        mixing = self.policy.mixing
        if mixing is not None and in_embedding({"mixing": [mixing.kind]}, get_modality(self.modality)):
            raise PolicyError(
                f"policy {self.policy.name!r} mixes vectors in a network ({mixing.kind}), which a transform does not "
                "have: leave mixing to the training loop, with policy.model_copy(update={'mixing': None})"
            )
        if mixing is not None and labels is None and mixing_of(self.modality).mixes_labels:
            raise PolicyError(f"policy {self.policy.name!r} mixes samples ({mixing.kind}); pass labels too")
        if mixing is not None and alone:
            labeled = " with class labels" if mixing_of(self.modality).mixes_labels else ""
            raise PolicyError(
                f"policy {self.policy.name!r} mixes samples; pass a batch{labeled}: a single sample, or boxes, masks "
                "and keypoints, cannot be mixed"
            )
        are_labels = mixing is not None or type(labels) is Tensor or isinstance(labels, np.ndarray)
        if alone or labels is None or not (are_labels or _are_numbers(labels)):
            return None
        if mixing is None and self.num_classes is None:
            counted_labels(labels, n)
            return labels
        return soft_labels(labels, self.num_classes, n)

    def draw(self, n: int) -> Plan:
        """The plan for the next `n` samples."""
        with self._lock:
            return draw_plan(self.policy.at(self.done), n, self.generator, self.modality)

    def __getstate__(self) -> dict[str, Any]:
        """The state without what cannot be pickled, so that the module can be copied and sent to workers."""
        self._draws.rewind(self.own)
        return {k: v for k, v in super().__getstate__().items() if k not in ("_lock", "_engine")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._lock, self._engine = threading.Lock(), self._array_engine()

    def extra_repr(self) -> str:
        """What ``print(module)`` shows."""
        return f"policy={self.policy.name!r}, fingerprint={self.policy.fingerprint()!r}"


def _are_numbers(labels: Any) -> bool:
    """Whether a list holds one number per sample, the class index."""
    return isinstance(labels, list | tuple) and all(
        isinstance(label, Number) or (isinstance(label, Tensor) and not label.ndim) for label in labels
    )
