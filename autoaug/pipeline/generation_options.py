"""The options of commands that make samples; see `autoaug.pipeline.options`."""

# No `from __future__ import annotations` here: the annotations are evaluated.
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from autoaug.pipeline.data_options import Allow, DataAgain, Modality, Protect, Resizing, Size
from autoaug.pipeline.options import Accept, Device, Seed
from autoaug.utils.options import Option, Options
from autoaug.utils.quantities import between

if TYPE_CHECKING:
    from autoaug.policy.models import Policy


@dataclass(frozen=True, kw_only=True)
class FitOptions(Options):
    """The options of fitting a generator.

    Attributes:
        watch: called with the number of finished steps, the number of all steps, and one sample per class
            ``[classes, ...]``.
    """

    data: DataAgain = field(kw_only=False)
    out: Annotated[str | Path, Option("The folder to create.")]
    kind: Annotated[str, Option("gan, or pca: a Gaussian per class, fitted in a second.")] = "gan"
    steps: Annotated[
        int | None,
        Option("Training steps of a gan; by default 40 passes over the samples.", check=between(1, 10**8)),
    ] = None
    source: Annotated[
        str | Path | None,
        Option("Start from this generator, and train only its norms and embeddings.", flag="--from"),
    ] = None
    size: Size = None
    resize: Resizing = "crop"
    seed: Seed = 0
    device: Device = "auto"
    allow: Allow = ()
    watch: Callable[[int, int, Any], None] | None = None


@dataclass(frozen=True, kw_only=True)
class SampleOptions(Options):
    """The options of drawing samples from a generator.

    Attributes:
        watch: called with the number of finished steps of the training of the sample filter, which takes most of the
            time, and the number of all steps.
    """

    generator: Annotated[str | Path, Option("A folder made by autoaug generate fit.", is_argument=True)] = field(
        kw_only=False
    )
    data: Annotated[
        str | Path | None, Option("As for autoaug search; by default what it was fitted on.", is_argument=True)
    ] = field(default=None, kw_only=False)
    out: Annotated[str | Path, Option("The folder to create, with one subfolder per class.")]
    per_class: Annotated[
        int, Option("Samples to draw per class, before the sample filter.", check=between(1, 10**7))
    ] = 100
    accept: Accept = None
    judge: Annotated[bool, Option("Also measure the quality of the samples.")] = False
    inception: Annotated[
        str | Path | None,
        Option("Also judge with the features of these Inception weights, a file that torch-fidelity reads."),
    ] = None
    seed: Seed = 0
    device: Device = "auto"
    allow: Allow = ()
    watch: Callable[[int, int], None] | None = None


@dataclass(frozen=True, kw_only=True)
class ExpandOptions(Options):
    """The options of writing data with augmented copies.

    Attributes:
        watch: called with the number of finished copies and the number of all copies.
    """

    data: DataAgain = field(kw_only=False)
    policy: Annotated[
        "str | Path | Policy", Option("A policy file, a run folder, or a built-in name.", is_argument=True)
    ] = field(kw_only=False)
    out: Annotated[str | Path, Option("The folder to create.")]
    copies: Annotated[int, Option("Augmented copies per training sample.", check=between(1))] = 1
    modality: Modality = None
    protect: Protect = None
    seed: Seed = 0
    workers: Annotated[int, Option("Number of threads.", check=between(1))] = 2
    watch: Callable[[int, int], None] | None = None
