"""Recipes by name: from scratch, fine-tuning, and a probe; and files that change parts of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from torch import nn

from autoaug.errors import OptionError, UnknownName
from autoaug.training.recipe import (
    BACKBONE,
    Base,
    Optimizer,
    Precision,
    Recipe,
    Schedule,
    default_batch_size,
    default_epochs,
)
from autoaug.utils.files import read_text
from autoaug.utils.yaml import parse_yaml, validate

BASES = ("auto", "scratch", "finetune", "probe")
#: The highest learning rate of each optimizer, and its weight decay. A linear head alone takes a higher rate: with
#: 0.001 it was not fitted after 40 epochs (validation accuracy 22 % instead of 45 % on letters, 60 % instead of 74 % on
#: coins; ResNet-9 pretrained on CIFAR-10).
_RATES: Mapping[Base, Mapping[Optimizer, tuple[float, float]]] = {
    "scratch": {"sgd": (0.1, 5e-4), "adamw": (1e-3, 0.05)},
    "finetune": {"sgd": (0.01, 5e-4), "adamw": (1e-3, 0.05)},
    "probe": {"sgd": (0.1, 5e-4), "adamw": (0.03, 0.05)},
}
#: Fine-tuning of networks that do not normalize by layer: they have few parts, and with 0.001 and a factor of 0.75
#: strong policies were underrated (RandAugment on letters, validation accuracy: 77 % instead of 82 % with a ResNet-10-T
#: at the same length, and 46 % instead of 78 % with a ResNet-9 at half the length).
_CONVOLUTIONAL = {"learning_rate": 0.003, "layer_decay": 0.9}
_LAYER_DECAY, _VIEWS = 0.75, 4


def _names(value: Any) -> Any:
    """Names of modules as a tuple: also from text with commas; ``none`` for none."""
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",") if name.strip() and name.strip() != "none"]
    return tuple(value) if isinstance(value, list) else value


class Changes(BaseModel):
    """A recipe file, or what the command line changes: fields of a `Recipe`, and the recipe that they change."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    base: Literal["auto", "scratch", "finetune", "probe"] = "auto"
    epochs: Annotated[int, Field(ge=1)] | None = None
    batch_size: Annotated[int, Field(ge=2)] | None = None
    optimizer: Optimizer | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] | None = None
    schedule: Schedule | None = None
    layer_decay: Annotated[float, Field(gt=0, le=1)] | None = None
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    freeze: Annotated[tuple[str, ...], BeforeValidator(_names)] | None = None
    precision: Precision | None = None
    gradient_bound: Annotated[float, Field(gt=0)] | Literal["none"] | None = None
    views: Annotated[int, Field(ge=1)] | None = None
    class_weights: Literal["none", "balanced"] | None = None
    sampling: Literal["shuffled", "balanced"] | None = None
    equal: Literal["samples", "epochs", "compute"] | None = None
    batch_counts: Literal["samples", "inputs"] | None = None

    def fields(self) -> dict[str, Any]:
        """The given fields of a `Recipe`."""
        given = {name: value for name, value in self.model_dump(exclude={"base"}).items() if value is not None}
        return given | ({"gradient_bound": None} if self.gradient_bound == "none" else {})


def load_changes(recipe: str) -> Changes:
    """The recipe of that name, or in that YAML file.

    Raises:
        UnknownName: it is neither.
        OptionError: the file breaks a rule; the message names the line, and the nearest name of an unknown key.
    """
    if recipe in BASES:
        return Changes.model_validate({"base": recipe})
    path = Path(recipe)
    if not path.is_file():
        if path.suffix:
            raise OptionError(f"--recipe {recipe}: there is no such file; known recipes are: {', '.join(BASES)}")
        raise UnknownName("recipe", recipe, [*BASES, "FILE.yaml"])
    document = parse_yaml(read_text(path, OptionError), str(path), OptionError)
    for key in document.value if isinstance(document.value, dict) else ():
        if key not in Changes.model_fields:
            unknown = UnknownName("recipe key", str(key), Changes.model_fields)
            raise OptionError(f"{path}, line {document.line_of((key,))}: {unknown}")
    return validate(Changes, document, OptionError)


def resolve_recipe(
    changes: Changes, network: nn.Module, has_weights: bool, samples: int, task: str = "classification"
) -> tuple[Recipe, str]:
    """The recipe for `network` and a number of training samples, and why it is the one.

    Args:
        changes: what the user wants.
        network: the network to train.
        has_weights: whether it begins from weights, rather than from random ones.
        samples: the size of the training split.
        task: the name of the task. Smoothing would pull predicted numbers toward their mean, so they are not smoothed.

    Raises:
        OptionError: `views` without a frozen backbone, or a balance of what is neither classes nor labels.
    """
    base, why = _base(changes, has_weights)
    given = changes.fields()
    layered = any(isinstance(module, nn.LayerNorm | nn.MultiheadAttention) for module in network.modules())
    optimizer: Optimizer = given.get("optimizer") or ("adamw" if layered or base != "scratch" else "sgd")
    if "optimizer" not in given:
        why += f"; {optimizer}, {_why_optimizer(base, layered)}"
    if given.get("freeze", (BACKBONE,)) != (BACKBONE,):
        given.setdefault("views", None)
    preset = _preset(base, _trained(base, changes), optimizer, layered, samples)
    preset |= {"label_smoothing": 0.0} if task == "regression" else {}
    fields = preset | given | {"base": base, "optimizer": optimizer}
    if fields.get("views") is not None and fields.get("freeze") != (BACKBONE,):
        raise OptionError("views are features of a frozen backbone: set freeze to backbone, or leave views out")
    for name in ("class_weights", "sampling") if task not in ("classification", "multi-label") else ():
        if fields.get(name) == "balanced":
            option = f"--{name.replace('_', '-')}"
            raise OptionError(f"{option} balanced is for classes and labels, and this is {task}; leave it out")
    return Recipe.model_validate(fields), why


def _base(changes: Changes, has_weights: bool) -> tuple[Base, str]:
    if changes.base != "auto":
        return changes.base, "as given"
    return ("finetune", "because there are weights to begin from") if has_weights else ("scratch", "without weights")


def _trained(base: Base, changes: Changes) -> Base:
    """The recipe whose rates suit what is trained: of a frozen backbone only the head, of a thawed one all weights."""
    if base == "scratch" or changes.freeze is None:
        return base
    return "probe" if changes.freeze == (BACKBONE,) else "finetune"


def _why_optimizer(base: Base, layered: bool) -> str:
    if layered:
        return "because the network normalizes by layer, as transformers do"
    return "because the network does not normalize by layer" if base == "scratch" else f"as in {base}"


def _preset(base: Base, trained: Base, optimizer: Optimizer, layered: bool, samples: int) -> dict[str, Any]:
    """The fields of a recipe before changes, with the rates of `trained`, for a network that is `layered` or is not."""
    rate, decay = _RATES[trained][optimizer]
    fields: dict[str, Any] = {
        "epochs": default_epochs(samples),
        "batch_size": default_batch_size(samples),
        "learning_rate": rate,
        "weight_decay": decay,
        "schedule": "one-cycle" if base == "scratch" and optimizer == "sgd" else "warmup-cosine",
    }
    if trained == "finetune":
        fields |= {"layer_decay": _LAYER_DECAY}
        fields |= _CONVOLUTIONAL if optimizer == "adamw" and not layered else {}
    if base == "probe":
        fields |= {"freeze": (BACKBONE,), "views": _VIEWS}
    return fields
