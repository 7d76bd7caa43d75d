"""What a modality provides for export targets: the sources of functions, which exported modules contain, and the words
of a library, in which they are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, Protocol


class Call(NamedTuple):
    """A call with a list of expressions, which is set on one line or on several.

    Attributes:
        head, tail: the text before and after the list, with its brackets.
        items: the expressions.
    """

    head: str
    items: Sequence[Expression]
    tail: str


#: Text of Python code.
Expression = str | Call


class Words(Protocol):
    """How users of a library write augmentation: the expressions of an idiomatic export.

    Attributes:
        use: how to use the exported code, shown in its first lines.
        imports: the import statements that expressions and `shell` may need; those used are kept.
        helpers: files with functions and classes that expressions may name; those used are exported. They are not
            imported, since the library need not be installed.
        shell: a file with the text of ``Augment``, in which ``STEPS`` stands for the policy.
        published: the library's own form of published policies, by their names; ``randaugment`` has the fields ``{n}``
            and ``{m}``.
        published_note: a line about these forms, shown in the first lines where one is used.
    """

    use: str
    imports: Sequence[str]
    helpers: Sequence[Path]
    shell: Path
    published: Mapping[str, str]
    published_note: str

    def operation(self, operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
        """The operator applied with a `probability` and a value that is uniform from `low` to `high`, or `either` of
        them, in its own unit and signed; None if the library, with a few lines of helpers, cannot express that.
        """

    def choice(self, items: Sequence[Expression], weights: Sequence[float]) -> Expression:
        """One of two or more expressions, drawn with these weights, of a total of 1."""

    def in_turn(self, items: Sequence[Expression]) -> Expression:
        """Two or more expressions, one after another."""

    def nothing(self) -> Expression:
        """An expression that does nothing."""

    def mixing(self, kinds: Sequence[str], probability: float, alpha: float) -> str | None:
        """The text of a function that mixes a batch by one of the equally likely `kinds`, see `Mixer`; None if the
        library cannot express that.
        """


@dataclass(frozen=True)
class Runtime:
    """What exported code of one target needs.

    Attributes:
        use: how to use the exported code, shown in its first lines.
        words: how users of the target's library write policies; None if that is not known.
    """

    use: str
    words: Words | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class TorchRuntime(Runtime):
    """The parts of an exported module on tensors. Each part is a module, whose definitions are exported if they are
    used.

    Attributes:
        library: operators written with the target's library, as functions with the names of autoaug's; other operators
            are exported from autoaug's own source.
        takes_one: whether the library's operators take one sample instead of a batch; ``one_by_one`` then batches them.
        kinds: the name in ``apply_operations`` for each kind of autoaug's own operators.
        library_kinds: the same for the library's operators, where it is not ``samples``.
        apply: a module with ``apply_operations``.
        plain, mixing: modules with a class ``Augment`` for policies that do not mix and for those that do.
        with_targets: a module with an ``Augment`` that replaces the plain one and also moves annotations; None if the
            library has none.
    """

    library: ModuleType
    takes_one: bool
    kinds: Mapping[str, str]
    apply: ModuleType
    plain: ModuleType
    mixing: ModuleType
    with_targets: ModuleType | None = None
    library_kinds: Mapping[str, str] = field(default_factory=dict)


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
