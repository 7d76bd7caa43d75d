"""What a modality provides for export targets: the sources of functions, which exported modules contain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Runtime:
    """What exported code of one target needs.

    Attributes:
        use: how to use the exported code, shown in its first lines.
    """

    use: str


@dataclass(frozen=True)
class TorchRuntime(Runtime):
    """The parts of an exported module on tensors. Each part is a module, whose definitions are exported if they are
    used.

    Attributes:
        library: operators written with the target's library, as functions with the names of autoaug's; other operators
            are exported from autoaug's own source.
        takes_one: whether the library's operators take one sample instead of a batch; ``one_by_one`` then batches them.
        kinds: the name in ``apply_operations`` for each kind of autoaug's own operators.
        steps, chains: modules with ``augment_samples`` for consecutive layers and for blended chains.
        plain, mixing: modules with a class ``Augment`` for policies that do not mix and for those that do.
        with_targets: a module with an ``Augment`` that replaces the plain one and also moves annotations; None if the
            library has none.
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
    """The parts of an exported module on arrays.

    Attributes:
        modules: modules with the available functions; operators have the names of autoaug's.
        kinds: the shell's name for each kind of operator that is not ``samples`` there.
        imports: the import statements of the shell.
        types: the type aliases at the top of the module.
        shell: a file with the text of ``Augment`` for the target's library.
    """

    modules: tuple[ModuleType, ...]
    kinds: Mapping[str, str]
    imports: tuple[str, ...]
    types: str
    shell: Path
