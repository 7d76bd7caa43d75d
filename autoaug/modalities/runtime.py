"""What a modality gives the export targets: the sources of real functions, which travel with exported code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Runtime:
    """What exported code of one target needs.

    Attributes:
        use: how the exported code is used, as its first lines say.
    """

    use: str


@dataclass(frozen=True)
class TorchRuntime(Runtime):
    """A module on tensors. Its parts are modules too: what they define travels as far as it is used.

    Attributes:
        library: the operators that are written with the target's library, as functions named like ours; others are
            carried along as autoaug has them.
        takes_one: whether the library's take one sample instead of a batch; ``one_by_one`` then makes them batched.
        kinds: what ``apply_operations`` calls each kind of our own operators.
        steps, chains: each an ``augment_samples``, of layers in turn and of chains that are blended.
        plain, mixing: each a class ``Augment``, of policies that do not mix and of those that do.
        with_targets: an ``Augment`` in the place of the plain one, which draws and moves annotations too; None where
            the library has none.
    """

    library: ModuleType
    takes_one: bool
    kinds: Mapping[str, str]
    steps: ModuleType
    chains: ModuleType
    plain: ModuleType
    mixing: ModuleType
    with_targets: ModuleType | None = None


@dataclass(frozen=True)
class ArrayRuntime(Runtime):
    """A module on arrays.

    Attributes:
        modules: the functions that there are, operators by the names of ours.
        kinds: what the shell calls the kinds of operators that it tells from ``samples``.
        imports: the shell's own import statements.
        types: the type aliases at the module's head.
        shell: a file with the text of ``Augment``, in the form of the target's library.
    """

    modules: tuple[ModuleType, ...]
    kinds: Mapping[str, str]
    imports: tuple[str, ...]
    types: str
    shell: Path
