"""The interface of modalities, so that no other package needs to know which one it works with.

A modality is a package with one `Modality` object, which third parties register as an entry point of the group
``autoaug.modalities``. Its parts are imported on first use, so that, for example, pictures do not load torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

from autoaug.errors import OptionError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from autoaug.data.source import Source
    from autoaug.modalities.arrays import ArrayEngine
    from autoaug.modalities.generators import Generator
    from autoaug.modalities.networks import Models
    from autoaug.modalities.runtime import Runtime
    from autoaug.policy.models import Adversarial

Role = Literal["alone", "joined", "carried", "closing"]


class Reading(NamedTuple):
    """How samples are read: how they are brought to one size, and which of their words must stay.

    Attributes:
        lengths: the size, in the modality's unit: one length for all axes, or one for each; empty keeps or chooses one.
        how: ``crop`` covers the size and cuts off the rest, ``letterbox`` fits into it, ``squash`` changes the shape.
        protect: a file of words that no operator changes, for modalities whose samples have words; empty for that in
            ``AUTOAUG_PROTECT``, if any.
    """

    lengths: tuple[int, ...] = ()
    how: Literal["crop", "letterbox", "squash"] = "crop"
    protect: str = ""


#: Samples keep their size, or get one that suits them.
AS_SUITS = Reading()


class Batch(NamedTuple):
    """Samples that go through the engine together.

    Attributes:
        values: ``[n, ...]``, samples of one shape.
        lengths: the length of each sample without padding, int64 ``[n]``; None if all have the same length.
    """

    values: Tensor
    lengths: Tensor | None = None


class Fusion(ABC):
    """How the operators of one kind run together. Maps have one entry per sample: ``[n, ...]``.

    Attributes:
        role: ``alone``: each operator runs once per step, on the samples that drew it. ``joined``: the maps of all
            operators of the kind in a step are applied together. ``carried``: the maps of consecutive steps are
            composed, and applied at the last of these steps. ``closing``: its map ends such a run and includes it.
        carrier: for carried and closing kinds, a name shared by kinds whose maps can be composed. If a plan has several
            carried kinds of one carrier, the last of them in the modality's order applies the maps of all.
        interpolates: whether carried maps that are applied one after another blur more than their composition does.
    """

    role: Role
    carrier: str = ""
    interpolates: bool = False

    @abstractmethod
    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        """The result of an operator's function for ``value [n]`` in its unit and ``uniforms [n, 4]``; if it runs alone,
        this is the new values. Maps of closing kinds depend only on the batch's shape and lengths; so do those of
        carried kinds, which are made on the host before anything is applied, for the lengths that samples have then.
        """

    @abstractmethod
    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        """Apply the maps to the batch; the values stay within `Values.bounds`."""

    def ways(self, batch: Batch, maps: Tensor) -> Tensor:
        """For maps of a carried kind, on the host, a number for the way to apply each, int64 ``[n]``, so that nothing
        has to be asked of the maps where they are applied. Only the batch's shape and lengths are used.
        """
        return maps.new_zeros(len(maps)).long()

    def apply_in(self, way: int, batch: Batch, maps: Tensor) -> Batch:
        """Apply maps that all have that way."""
        return self.apply(batch, maps)

    def identity(self, batch: Batch) -> Tensor:
        """The identity maps of a carried kind."""
        raise NotImplementedError

    def compose(self, first: Tensor, then: Tensor) -> Tensor:
        """Compose two maps into one, for carried and closing kinds: `first` is of the carrier, `then` of this kind."""
        raise NotImplementedError


class Values(Protocol):
    """Conversions of sample values between the user's format, the storage format, and the engine's format."""

    #: The lowest and the highest value in the engine's format.
    bounds: tuple[float, float]

    def opened(self, given: Any) -> tuple[Batch, bool, Callable[[Batch], Any]]:
        """The user's input to a transform as a batch, whether it was a single sample, and a function that converts such
        a batch back to the user's type. Raises ValueError for an unknown type.
        """

    def is_sample(self, given: Any) -> bool:
        """Whether part of a user's tuple or mapping can be a sample or a batch, and is no label or annotation."""

    def check(self, values: Tensor, look: bool = True) -> Tensor:
        """The values of a batch if they are valid, clamped if they are off only by rounding. Raises ValueError
        otherwise. With `look` False, only shape and type are checked.
        """

    def as_work(self, values: Tensor) -> Tensor:
        """Convert to the format of the engine and training; in floating point, if the modality is continuous."""

    def as_stored(self, values: Tensor, dtype: torch.dtype) -> Tensor:
        """Convert the result of `as_work` back to `dtype`."""


class Mixer(Protocol):
    """Mixes pairs of samples. Each sample has a mode ``[n]`` (0, or one plus the index of a kind), the weight ``[n]``
    of its own values, which is 1 without mixing, and two numbers ``[n, 2]`` in [0, 1) for a position. `mixes_labels`
    tells whether mixed samples have mixed labels; otherwise they carry their targets themselves.
    """

    kinds: tuple[str, ...]
    mixes_labels: bool

    def draw(
        self, modes: tuple[int, int], probability: float, alpha: float, n: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draw for n samples the mode (one of `modes` with equal probability, or 0 for no mixing), the partner ``[n]``,
        the weight (from Beta(alpha, alpha), or as the kind requires) and the position.
        """

    def mix(self, batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
        """Mix each sample of the batch with its partner in its own mode. The modes are on the host; the engine gives
        those of one kind at a time, and the weights and positions on the device of the batch.
        """

    def label_weights(self, batch: Batch, partner: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
        """The weight ``[n]`` of each sample's own label, from the batch before its operators and the partners' rows."""


class Annotations(Protocol):
    """Targets that move with their sample, such as boxes."""

    #: The kinds of operators that move them.
    moving: tuple[str, ...]

    def extend(self, movement: list[Tensor], step: Tensor) -> None:
        """Add such an operator's map for one sample to its movement."""

    def follow(self, movement: list[Tensor], targets: Any, size: Any, /) -> Any:
        """Move the targets of a sample with it; `size` is its shape without the first dimension. Raises ValueError if
        they do not fit the sample.
        """


class Loader(Protocol):
    """Reads data sets of this modality. `autoaug.data.layouts` has what all modalities share."""

    #: The suffix of files that `write` writes, such as ``.png``.
    suffix: str
    #: The arrays, besides samples and labels, by which `open` knows an ``.npz`` file of this modality.
    extra_arrays: Mapping[str, np.ndarray]

    def recognizes(self, data: str) -> bool:
        """Whether `data`, a path or a name, looks like a data set of this modality."""

    def open(self, data: str, memory_limit: int, reading: Reading = AS_SUITS) -> Source:
        """Open the data set. Samples are read as `reading` says; arrays above `memory_limit` bytes
        are mapped from disk. Raises `DataError` if there is no such data set, or it breaks a rule of its format.
        """

    def write(self, sample: np.ndarray, path: Path) -> None:
        """Write a sample in storage format as a file."""

    def as_array(self, samples: np.ndarray) -> np.ndarray:
        """Convert samples in storage format to the format that `open` reads from an ``.npz`` file."""


class Tables(Protocol):
    """Samples as cells of a table, by the usual names of their columns."""

    def rows(self, data: str) -> Mapping[str, Mapping[str, str]] | None:
        """The cells of each sample in the data, as they are there, by the name of the sample in `Source`; None if the
        data are no table.
        """

    def cells(self, samples: np.ndarray) -> Sequence[Mapping[str, str]]:
        """The cells of samples ``[n, …]`` in storage format."""


class Pictures(Protocol):
    """Renders samples for the report, without torch."""

    def html(self, sample: np.ndarray, words: str) -> str:
        """Render a sample in storage format as an HTML fragment: an ``<img>`` or ``<svg>`` that fills its container,
        with `words` as its alternative text, which must be escaped. Raises ValueError if the array is not a sample of
        the modality.
        """


#: The loss ``[n]`` of values ``[n, …]``.
Loss = Callable[["Tensor"], "Tensor"]
#: Applies a corruption at a severity from 1 to 5 to values; deterministic.
Corruption = Callable[["Tensor", int], "Tensor"]


class Attack(Protocol):
    """Searches for nearby values that raise a model's loss."""

    def __call__(self, loss: Loss, values: Tensor, how: Adversarial, generator: torch.Generator) -> Tensor:
        """Perturb ``values [n, …]`` within the radius and within the modality's bounds."""

    def words(self, how: Adversarial) -> str:
        """The attack as text for readers, such as ``PGD (L2, radius 0.5, 20 steps)``."""


@dataclass(frozen=True)
class Proxy:
    """A smaller form of samples.

    Attributes:
        option: the option of a search that brings samples in files to that form.
        shape: of a sample.
        convert: turns stored samples ``[n, …]`` into that form.
    """

    option: str
    shape: tuple[int, ...]
    convert: Callable[[np.ndarray], np.ndarray]


class Modality(ABC):
    """One modality. Parts that are not overridden are absent."""

    name: str
    #: Whether values are continuous, in floating point: samples can then be blended, and gradients reach magnitudes.
    is_continuous: bool = True
    #: The largest of `Reading.lengths`, in the modality's unit.
    longest: int = 2**13
    #: Whether samples have words, which `Reading.protect` may name.
    has_words: bool = False
    #: The kinds of mixing and attacks that training does on the vectors ``[n, L, d]`` of a network's embedding.
    in_embedding: tuple[str, ...] = ()
    #: The families of operators, in the order in which `match` of the shift probe applies them.
    families: tuple[str, ...] = ()
    #: Slow operators, and how many times as long as others they take in a probe, features of the result included.
    slow_operators: Mapping[str, float] = {}
    #: Base operations that are commonly used, with their magnitude.
    usual_base: Mapping[str, float] = {}
    #: The default baselines of a search, if its space names none; the most used first.
    baselines: tuple[str, ...] = ("none",)
    #: The policy that is used by default in practice: what is returned is compared with it, if it is a baseline.
    usual_policy: str = ""
    #: The policy for training the sample filter's classifier, so that it is not overconfident in its errors.
    filter_policy: str = "none"
    #: The network for texts of samples, such as what is said in them; empty if there is none.
    transcriber: str = ""
    #: Folders of YAML files.
    policies: Path | None = None
    spaces: Path | None = None
    #: A template of a script for an exported model, with the placeholders ``network``, ``shape`` and ``classes``.
    inference: Path | None = None

    @abstractmethod
    def register(self) -> None:
        """Import the modules of the operators."""

    @property
    @abstractmethod
    def fusions(self) -> Mapping[str, Fusion]:
        """The fusions by kind of operator."""

    @property
    @abstractmethod
    def values(self) -> Values:
        """See `Values`."""

    def lengths(self, values: Tensor) -> Tensor | None:
        """The lengths without padding, int64 ``[n]``, as far as ``values [n, ...]`` tell; None if all are as long."""
        return None

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
    def arrays(self) -> ArrayEngine | None:
        """See `autoaug.modalities.arrays.ArrayEngine`; None also if it needs a package that is not installed."""
        return None

    @property
    def annotations(self) -> Annotations | None:
        """See `Annotations`."""
        return None

    @property
    def tables(self) -> Tables | None:
        """See `Tables`."""
        return None

    @property
    def attacks(self) -> Mapping[str, Attack]:
        """Attacks by the kind that policies name."""
        return {}

    @property
    def corruptions(self) -> Mapping[str, Corruption]:
        """Corruptions by name, from the modality's usual benchmark."""
        return {}

    @property
    def few_corruptions(self) -> Sequence[str]:
        """A few representative corruptions, to be measured within a trial."""
        return tuple(self.corruptions)

    @property
    def generators(self) -> Mapping[str, Generator]:
        """Generators by the kind that policies name."""
        return {}

    @property
    def exports(self) -> Mapping[str, Runtime]:
        """The parts of exported code, by the name of the target."""
        return {}

    def resources(self) -> Mapping[str, str]:
        """What operators read besides samples, such as recordings of the user's, with digests of it. A run records it.
        Raises `OptionError` if something cannot be read.
        """
        return {}

    def lacking(self) -> Mapping[str, str]:
        """The operators that have nothing to work with on this machine, such as a program, each with what to do."""
        return {}

    def baselines_for(self, shape: tuple[int, ...]) -> tuple[str, ...]:
        """The default baselines for samples of that shape."""
        return self.baselines

    def proxy(self, shape: tuple[int, ...]) -> Proxy | None:
        """A smaller form of samples of that shape, for searches where theirs takes long; None if there is none."""
        return None

    def examples(self) -> np.ndarray | None:
        """A few samples ``[n, ...]`` in storage format to show operators on; None if there are none."""
        return None

    def features(self, values: Tensor) -> list[Tensor]:
        """Blocks of features ``[n, d]`` in which the distributions of samples are compared."""
        return [values.flatten(1)]

    def copy_vectors(self, stored: np.ndarray) -> np.ndarray:
        """Stored samples as float32 vectors ``[n, d]`` whose distances distinguish copies from new samples."""
        return stored.reshape(len(stored), -1).astype(np.float32)

    def roughness(self, stored: np.ndarray) -> np.ndarray:
        """How much each stored sample looks like noise, ``[n]``, for noise that `copy_vectors` does not detect."""
        return np.zeros(len(stored))

    def published_features(self, weights: Path, device: str) -> Callable[[Tensor], Tensor]:
        """A function that computes the features ``[n, d]`` of stored samples that published metrics are based on, with
        the network in the file `weights`. Raises `OptionError` if that is not possible.
        """
        raise OptionError(f"there are no published features for the modality {self.name!r}: leave them out")
