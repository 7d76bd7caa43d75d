"""The seam: what a modality brings, so that no room above it need know which one it works on.

A modality is a package with one `Modality` object, which third parties name as an entry point of the group
``autoaug.modalities``. Its parts are imported on first use: whoever asks for pictures alone does not load torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

from autoaug.errors import OptionError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from autoaug.data.source import Source
    from autoaug.data.splits import Samples
    from autoaug.modalities.runtime import Runtime
    from autoaug.policy.models import Adversarial

Role = Literal["alone", "joined", "carried", "closing"]


class Batch(NamedTuple):
    """Samples that go through the engine together.

    Attributes:
        values: ``[n, ...]``, of one shape.
        lengths: how much of each is no padding, int64 ``[n]``; None where all have one length.
    """

    values: Tensor
    lengths: Tensor | None = None


class Fusion(ABC):
    """How the operators of one kind run together. Maps are of each sample: ``[n, ...]``.

    Attributes:
        role: ``alone``: each operator runs once per step, on the samples that drew it. ``joined``: all operators of
            the kind in one step give maps, which are applied at once. ``carried``: maps of consecutive steps are
            composed, and applied at the last of them. ``closing``: its map ends such a run, and takes it in.
        carrier: of carried and closing kinds, the name that kinds share whose maps compose with one another. Where
            several carried kinds of one carrier are in a plan, the one that stands last among the modality's applies
            the maps of all.
    """

    role: Role
    carrier: str = ""

    @abstractmethod
    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        """What an operator's function gives for ``value [n]`` in its unit and ``uniforms [n, 4]``; of one that runs
        alone the new values. Maps of carried and closing kinds depend on the batch's shape and lengths alone.
        """

    @abstractmethod
    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        """The batch under its maps, its values within `Values.bounds`."""

    def identity(self, batch: Batch) -> Tensor:
        """The maps that change nothing, of a carried kind."""
        raise NotImplementedError

    def compose(self, first: Tensor, then: Tensor) -> Tensor:
        """One map for two, of carried and closing kinds: `first` is of the carrier, `then` of this kind."""
        raise NotImplementedError


class Values(Protocol):
    """The values of samples: as users hand them in, as they are stored, and as the engine works on them."""

    #: The least and the greatest value that the engine works on.
    bounds: tuple[float, float]

    def opened(self, given: Any) -> tuple[Batch, bool, Callable[[Batch], Any]]:
        """What a user hands to a transform as a batch, whether it was one sample alone, and what turns such a batch
        into the same kind of thing again. Raises ValueError where it is of no kind that is known.
        """

    def check(self, values: Tensor, look: bool = True) -> Tensor:
        """A batch's values where they are as they should be: the same, or clamped where only rounding is wrong. Raises
        ValueError otherwise; `look` False leaves the values unseen.
        """

    def as_work(self, values: Tensor) -> Tensor:
        """What the engine and training work on: floating point."""

    def as_stored(self, values: Tensor, dtype: torch.dtype) -> Tensor:
        """What `as_work` gave, as `dtype` again."""


class Mixer(Protocol):
    """How two samples become one. Each sample has a mode ``[n]``, 0 or a kind's number from 1, the weight ``[n]`` of
    its own values and two numbers ``[n, 2]`` in [0, 1) for a place.
    """

    kinds: tuple[str, ...]

    def draw(
        self, modes: tuple[int, int], probability: float, alpha: float, n: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """For n samples the mode (one of `modes`, evenly, or 0 where it is not mixed), the partner ``[n]``, the weight
        (from Beta(alpha, alpha), or as the kind needs it) and the place.
        """

    def mix(self, batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
        """The batch, each sample mixed with its partner in its own mode."""

    def label_weights(self, batch: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
        """The weight ``[n]`` of each sample's own label; of the batch the shape and lengths alone count."""


class Annotations(Protocol):
    """Targets that move with their sample, such as boxes."""

    #: The kinds of operators that move them.
    moving: tuple[str, ...]

    def extend(self, movement: list[Tensor], step: Tensor) -> None:
        """Add one sample's map of such an operator to what has moved it."""

    def follow(self, movement: list[Tensor], targets: Any, size: Any, /) -> Any:
        """The targets of a sample, moved with it; `size` is its shape without the first dimension. Raises ValueError
        where they cannot be.
        """


class Loader(Protocol):
    """Data sets of this modality where they lie. `autoaug.data.layouts` has what is the same for every modality."""

    #: The ending of files that `write` writes, such as ``.png``.
    ending: str

    def recognizes(self, data: str) -> bool:
        """Whether `data`, a path or a name, looks like a data set of this modality."""

    def open(self, data: str, memory_limit: int, size: int | None = None) -> Source:
        """The data set, with samples in files at `size`; arrays above `memory_limit` bytes are mapped from disk.
        Raises `DataError` where there is none, or it breaks a rule of its format.
        """

    def write(self, sample: np.ndarray, path: Path) -> None:
        """Write a stored sample as a file."""

    def as_array(self, samples: np.ndarray) -> np.ndarray:
        """Stored samples as `open` finds them in an ``.npz``."""


class Models(Protocol):
    """Proxy networks."""

    def build(self, name: str, shape: tuple[int, ...], outputs: int, mean: Tensor, std: Tensor, seed: int) -> nn.Module:
        """A fresh network that gives so many `outputs` per sample of `shape`, and standardizes what it is given by
        `mean` and `std` per channel. Raises `UnknownName` or `OptionError` where there is none of that name.
        """

    def is_own(self, name: str) -> bool:
        """Whether `name` is a function of the user's own."""

    def check(self, name: str) -> None:
        """Raise as `build` does where `name` cannot be had, before there are data: also where the function of the
        user's own is not there.
        """


class Pictures(Protocol):
    """Samples as a reader of the report sees them; without torch."""

    def html(self, sample: np.ndarray, words: str) -> str:
        """A stored sample as an HTML fragment: an ``<img>`` or ``<svg>``, as wide as its place, with `words` as its
        alternative text, which it must escape. Raises ValueError where the array is no sample of the modality.
        """


class Collapsed(ArithmeticError):
    """A fit failed: its loss is not finite, or the samples of a class are all alike."""


class GeneratorFit(Protocol):
    """A fit of a generator under way. All that it learns, and all that it continues from, is tensors by name."""

    #: That have been taken.
    steps: int

    def run(self, steps: int, device: str, every: int) -> Iterator[int]:
        """Take steps up to so many in all, yielding the number taken every so many of them, and at the end. What is
        drawn at a step follows from the seed and the step. Raises `Collapsed` where it fails.
        """

    def tensors(self) -> Mapping[str, Tensor]:
        """What has been learned."""

    def state(self) -> Mapping[str, Tensor]:
        """What the fit continues from."""

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state; raises RuntimeError or KeyError where it is another's."""


class Generator(Protocol):
    """A kind of generator of samples."""

    #: Fewer samples per class than this are remembered, not learned.
    fewest: int
    #: Whether a fit can start from what another has learned.
    adapts: bool

    def usual_steps(self, samples: int) -> int:
        """How many steps a fit to so many samples takes by default; 0 where it is done when it begins."""

    def begin(
        self, train: Samples, classes: int, seed: int, source: Mapping[str, Tensor] | None = None
    ) -> GeneratorFit:
        """A fit to training samples; with `source`, what a generator has learned, one that adapts it."""

    def check(self, tensors: Mapping[str, Tensor], shape: tuple[int, ...], classes: int) -> None:
        """Raise RuntimeError where this was not learned from samples of that `shape` and so many classes."""

    def sample(self, tensors: Mapping[str, Tensor], labels: np.ndarray, seed: int, device: str) -> np.ndarray:
        """A stored sample for each of ``labels [n]``; the same seed makes the same."""


#: The loss ``[n]`` of values ``[n, …]``.
Loss = Callable[["Tensor"], "Tensor"]
#: Values under a corruption at a severity from 1 to 5, the same each time.
Corruption = Callable[["Tensor", int], "Tensor"]


class Attack(Protocol):
    """A search for values nearby that raise a model's loss."""

    def __call__(self, loss: Loss, values: Tensor, how: Adversarial, generator: torch.Generator) -> Tensor:
        """Values within the radius of ``values [n, …]`` and within the modality's bounds."""

    def words(self, how: Adversarial) -> str:
        """The attack as a reader knows it, such as ``PGD (L2, radius 0.5, 20 steps)``."""


class Modality(ABC):
    """One modality. What is not overridden it does not have."""

    name: str
    #: Families of operators in the order in which what happens to a sample is undone worst by what follows.
    families: tuple[str, ...] = ()
    #: Base operations that practice has on, at which magnitude.
    usual_base: Mapping[str, float] = {}
    #: Policies that every search is compared with where its space names none, what practice uses most first.
    baselines: tuple[str, ...] = ("none",)
    #: The policy that practice takes by default: what is returned is compared with it, where it is a baseline.
    usual_policy: str = ""
    #: The policy under which the classifier of the sample filter is trained, so that it is not too sure of its errors.
    filter_policy: str = "none"
    #: Folders of YAML files.
    policies: Path | None = None
    spaces: Path | None = None
    #: A script that loads an exported model and names the class of a file: a template with the places ``network``,
    #: ``shape`` and ``classes``.
    inference: Path | None = None

    @abstractmethod
    def register(self) -> None:
        """Import the modules of the operators."""

    @property
    @abstractmethod
    def fusions(self) -> Mapping[str, Fusion]:
        """How operators run together, by their kind."""

    @property
    @abstractmethod
    def values(self) -> Values:
        """See `Values`."""

    @property
    @abstractmethod
    def loader(self) -> Loader:
        """See `Loader`."""

    @property
    @abstractmethod
    def models(self) -> Models:
        """See `Models`."""

    @property
    @abstractmethod
    def pictures(self) -> Pictures:
        """See `Pictures`."""

    @property
    def mixing(self) -> Mixer | None:
        """See `Mixer`."""
        return None

    @property
    def annotations(self) -> Annotations | None:
        """See `Annotations`."""
        return None

    @property
    def attacks(self) -> Mapping[str, Attack]:
        """By the kind that policies name."""
        return {}

    @property
    def corruptions(self) -> Mapping[str, Corruption]:
        """By name, those of the benchmark that is usual for the modality."""
        return {}

    @property
    def few_corruptions(self) -> Sequence[str]:
        """Of them some that stand for all, to be measured within a trial."""
        return tuple(self.corruptions)

    @property
    def generators(self) -> Mapping[str, Generator]:
        """By the kind that policies name."""
        return {}

    @property
    def exports(self) -> Mapping[str, Runtime]:
        """What exported code is made of, by the name of the target."""
        return {}

    def examples(self) -> np.ndarray | None:
        """A few stored samples ``[n, ...]`` to show operators on; None where there are none."""
        return None

    def features(self, values: Tensor) -> list[Tensor]:
        """Blocks of features ``[n, d]`` that tell how two sets of samples differ."""
        return [values.flatten(1)]

    def copy_vectors(self, stored: np.ndarray) -> np.ndarray:
        """Stored samples as float32 vectors ``[n, d]`` whose distances tell copies from new samples."""
        return stored.reshape(len(stored), -1).astype(np.float32)

    def roughness(self, stored: np.ndarray) -> np.ndarray:
        """How much each stored sample looks like noise, ``[n]``, where `copy_vectors` cannot tell."""
        return np.zeros(len(stored))

    def published_features(self, weights: Path, device: str) -> Callable[[Tensor], Tensor]:
        """What gives the features ``[n, d]`` of stored samples on which figures of generated ones are published, by the
        network in the file `weights`. Raises `OptionError` where that cannot be had.
        """
        raise OptionError(f"there are no published features of samples of the modality {self.name!r}: leave them out")
