"""Export to modules without torch, made of operators written for arrays and a shell for the library."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from autoaug.engine.plan import drawn_operators
from autoaug.errors import PolicyError
from autoaug.exporters.assemble import Definition, definitions, import_block, imports, needed
from autoaug.exporters.base import Target, expressible, header, runtime_of
from autoaug.exporters.module import layers_text
from autoaug.modalities.base import Modality
from autoaug.modalities.operators import IDENTITY, Operator, get_operator
from autoaug.modalities.registry import get_modality
from autoaug.modalities.runtime import ArrayRuntime
from autoaug.policy.models import Policy

#: The most characters of what operators know in a line.
_WIDTH = 100


@dataclass(frozen=True)
class ArrayTarget(Target):
    """A library that works on arrays.

    Attributes:
        name, summary, is_bare: see `Target`.
        functions: the name of the module whose array functions are called.
    """

    name: str
    summary: str
    is_bare: bool = False
    functions: str = "np"
    lacks: Collection[str] = ("mixing", "chains")

    def supports(self, operator: str) -> bool:
        if operator == IDENTITY:
            return True
        registered = get_operator(operator)
        runtime = get_modality(registered.modality).exports.get(self.name)
        return isinstance(runtime, ArrayRuntime) and registered.function.__name__ in _functions(runtime)

    def text(self, policy: Policy, modality: Modality, approximate: bool = False, note: str = "") -> str:
        runtime = runtime_of(self, modality, ArrayRuntime)
        shown, left_out = expressible(policy, self, modality, approximate)
        shell = runtime.shell.read_text(encoding="utf-8").rstrip()
        operators = [get_operator(name) for name in drawn_operators(shown)]
        learned = _learned(shown, operators)
        available = _functions(runtime)
        wanted = [*(o.function.__name__ for o in operators), *re.findall(r"\b[a-z_]+(?=\()", shell)]
        body = [available[name].source for name in needed(wanted, available)]
        text = "\n\n\n".join([*body, _operators(operators, runtime, learned), shell])
        if self.functions != "np":
            text = re.sub(r"\bnp\.", f"{self.functions}.", text)
        known = {name: line for module in runtime.modules for name, line in imports(module).items()}
        known |= {re.split(r"\s+", line)[-1]: line for line in runtime.imports}
        known |= {"partial": "from functools import partial"} if learned else {}
        layers = layers_text(shown)
        types = _used(runtime.types, layers + text)
        used = import_block(line for name, line in known.items() if re.search(rf"\b{name}\b", text + types))
        head = [
            header(policy, self, runtime.use, [note, *left_out], used),
            "from __future__ import annotations",
            used,
            types,
        ]
        head += [_learned_text(learned)] if learned else []
        return "\n\n".join([*head, layers]) + "\n\n\n" + text + "\n"


def _functions(runtime: ArrayRuntime) -> dict[str, Definition]:
    return {name: definition for module in runtime.modules for name, definition in definitions(module).items()}


def _used(types: str, text: str) -> str:
    """The lines of `types` that the text needs. Each names a type or a constant, and may use those above it."""
    kept: list[str] = []
    for line in reversed(types.splitlines()):
        if re.search(rf"\b{line.split(' ')[0].rstrip(':')}\b", "\n".join([text, *kept])):
            kept.insert(0, line)
    return "\n".join(kept)


def _learned(policy: Policy, operators: Sequence[Operator]) -> dict[str, str]:
    """What operators know of the training samples, by the names of their functions. Raises `PolicyError` if one has
    learned nothing yet.
    """
    known = dict(policy.learned)
    for operator in operators:
        if operator.learns is not None and operator.name not in known:
            raise PolicyError(
                f"policy {policy.name!r} has {operator.name}, which has learned nothing of training samples: export "
                "the policy of a run, which has"
            )
    return {operator.function.__name__: known[operator.name] for operator in operators if operator.name in known}


def _learned_text(learned: Mapping[str, str]) -> str:
    """The constant with what operators know, in lines of usual length."""
    rows = "".join(f"\n    {name!r}: ({_literals(text)}\n    )," for name, text in learned.items())
    return f"# What operators know of the training samples.\nLEARNED = {{{rows}\n}}"


def _literals(text: str) -> str:
    """The text as literals, one after another, each with a line of the text or a part of it."""
    parts = (
        part for line in text.splitlines(keepends=True) for part in re.findall(rf".{{1,{_WIDTH}}}", line, re.DOTALL)
    )
    return "".join(f"\n        {part!r}" for part in parts) or " ''"


def _operators(operators: list[Operator], runtime: ArrayRuntime, learned: Collection[str]) -> str:
    def called(name: str) -> str:
        return f"partial({name}, learned=LEARNED[{name!r}])" if name in learned else name

    rows = "".join(
        f"\n    ({runtime.kinds.get(o.kind, 'samples')!r}, {called(o.function.__name__)}, {o.limit!r}),"
        for o in operators
    )
    comment = "# The operators that LAYERS refers to by index: kind, function, and value at magnitude 1."
    return f"{comment}\nOPERATORS = [{rows}\n]" if rows else f"{comment}\nOPERATORS: list[tuple[str, Any, float]] = []"
