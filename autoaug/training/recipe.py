"""The training recipe, which is the same for all candidates of a run."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: The smallest batch that batch normalization can use.
_SMALLEST = 2


Base = Literal["scratch", "finetune", "probe"]
Optimizer = Literal["sgd", "adamw"]
Schedule = Literal["one-cycle", "warmup-cosine", "constant"]
Precision = Literal["auto", "float32", "bfloat16"]
#: In `Recipe.freeze`, all weights except those of the head.
BACKBONE = "backbone"


class Recipe(BaseModel):
    """How models are trained. By default from scratch: SGD with Nesterov momentum under a one-cycle schedule (Smith and
    Topin, 2018), with label smoothing and gradients clipped to norm 1.

    Attributes:
        base: the recipe that it comes from; see `autoaug.training.presets`.
        epochs: full length, in passes over the training split.
        batch_size: samples per step, including copies.
        optimizer: ``sgd`` with Nesterov momentum 0.9, or ``adamw`` (Loshchilov and Hutter, 2019), which does not decay
            biases and the weights of normalizations.
        learning_rate: the highest learning rate of the schedule.
        weight_decay: the weight decay.
        label_smoothing: the share of each label that is spread over all classes (Szegedy et al., 2016).
        schedule: of the learning rate: ``one-cycle``, ``warmup-cosine`` (up in the first tenth, then down to 0 along a
            cosine), or ``constant``.
        layer_decay: the factor of the learning rate from each part of the network to the one before it, with 1 for the
            head (Howard and Ruder, 2018; Bao et al., 2022); see `autoaug.training.layers`.
        ema: the decay of an exponential moving average of the weights, which is then what is scored and kept; None for
            the weights of the last step.
        freeze: modules that are not trained: names in the network, or ``backbone`` for all but its head.
        precision: of the forward pass in training: ``auto`` is bfloat16 where the device is faster with it.
        gradient_bound: the highest norm of a step's gradient; None for no bound.
        views: how often each sample is augmented and passed through a frozen backbone; its head is trained on these
            features, which are kept in memory. None passes the samples of each step through the whole network.
        class_weights: the weights of classes in the loss: ``none``, or ``balanced``, in inverse proportion to their
            training samples.
        sampling: how often samples are trained on: all equally (``shuffled``), or all classes equally (``balanced``).
        equal: what all policies have in common: the samples that they train on (``samples``: fewer epochs with K
            copies), the epochs (``epochs``: K times the samples with K copies), or the samples passed through the model
            (``compute``: fewer steps with an attack, which passes them again).
        batch_counts: what `batch_size` counts for a policy with K copies: ``samples`` including copies, so that a batch
            has fewer inputs (Repeated Augmentation; Berman et al., 2019), or ``inputs``, so that a batch is K times as
            large (Batch Augmentation; Hoffer et al., 2020) and there are fewer steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    base: Base = "scratch"
    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=2)]
    optimizer: Optimizer = "sgd"
    learning_rate: Annotated[float, Field(gt=0)] = 0.1
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    schedule: Schedule = "one-cycle"
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    freeze: tuple[str, ...] = ()
    precision: Precision = "auto"
    gradient_bound: Annotated[float, Field(gt=0)] | None = 1.0
    views: Annotated[int, Field(ge=1)] | None = None
    class_weights: Literal["none", "balanced"] = "none"
    sampling: Literal["shuffled", "balanced"] = "shuffled"
    equal: Literal["samples", "epochs", "compute"] = "samples"
    batch_counts: Literal["samples", "inputs"] = "samples"

    @model_validator(mode="after")
    def _keeps_features_of_a_frozen_backbone(self) -> Self:
        if self.views is not None and self.freeze != (BACKBONE,):
            raise ValueError("views are features of a frozen backbone; set freeze to backbone, or leave views out")
        return self

    @property
    def words(self) -> str:
        """The recipe in one line; settings that most recipes leave as they are appear only where they differ."""
        parts = [
            f"{self.base}, {self.epochs} epoch{'s' * (self.epochs != 1)} of {self.optimizer}",
            f"learning rate {self.learning_rate:g} ({self.schedule})",
            f"weight decay {self.weight_decay:g}",
            f"batch {self.batch_size}",
        ]
        parts += [f"label smoothing {self.label_smoothing:g}"] if self.label_smoothing else []
        parts += [f"layer decay {self.layer_decay:g}"] if self.layer_decay < 1 else []
        parts += [f"averaged weights ({self.ema:g})"] if self.ema is not None else []
        parts += [f"frozen: {', '.join(self.freeze)}"] if self.freeze else []
        parts += [f"{self.views} views of each sample"] if self.views is not None else []
        parts += ["balanced class weights"] if self.class_weights == "balanced" else []
        parts += ["balanced sampling"] if self.sampling == "balanced" else []
        return ", ".join(parts)

    def steps(self, samples: int, copies: int, passes: float = 1.0) -> int:
        """Optimizer steps at full length for a split of `samples` samples and a policy with `copies`, which passes each
        sample through the model `passes` times.
        """
        total = self.epochs * samples * (copies if self.equal == "epochs" else 1)
        return math.ceil(total / (passes if self.equal == "compute" else 1) / self.samples_per_step(copies))

    def full_length_passes(self, samples: int) -> int:
        """The compute of a training on so many samples, in samples passed through the whole network."""
        if self.views is not None:
            return self.views * samples
        return self.steps(samples, 1) * self.batch_size

    def for_share(self, share: float) -> Recipe:
        """The recipe for a `share` of the split, with smaller batches so that the number of steps is the same, except
        for rounding. With 1,500 CIFAR-10 samples and 30 epochs, the ranks of eight policies on a quarter of the data
        (mean of two seeds) had a correlation of 0.64 with those of full trainings; with full-size batches, -0.24.
        """
        return self.model_copy(update={"batch_size": max(_SMALLEST, round(self.batch_size * share))})

    def samples_per_step(self, copies: int) -> int:
        """The batch size, rounded to a multiple of `copies`, so that all copies of a sample are in one step."""
        if self.batch_counts == "inputs":
            return self.batch_size * copies
        return max(1, round(self.batch_size / copies)) * copies


def default_epochs(samples: int) -> int:
    """The number of epochs for about 40,000 samples, between 30 and 60: enough not to underrate strong policies."""
    return min(60, max(30, round(40_000 / samples)))


def default_batch_size(samples: int) -> int:
    """A power of two near a twelfth of the split, from 32 to 256."""
    return int(min(256, max(32, 2 ** round(math.log2(max(samples, 12) / 12)))))


def default_recipe(samples: int) -> Recipe:
    """The default recipe for a number of training samples."""
    return Recipe(epochs=default_epochs(samples), batch_size=default_batch_size(samples))
