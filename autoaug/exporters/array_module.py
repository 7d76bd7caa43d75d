"""Export to modules without torch, made of operators written for arrays and a shell for the library."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from autoaug.engine.plan import drawn_operators
from autoaug.exporters.assemble import Definition, definitions, import_block, imports, needed
from autoaug.exporters.base import Target, expressible, header, runtime_of
from autoaug.exporters.module import layers_text
from autoaug.modalities.base import Modality
from autoaug.modalities.operators import IDENTITY, Operator, get_operator
from autoaug.modalities.registry import get_modality
from autoaug.modalities.runtime import ArrayRuntime
from autoaug.policy.models import Policy


@dataclass(frozen=True)
class ArrayTarget(Target):
    """A library that works on arrays.

    Attributes:
        name, summary: see `Target`.
        functions: the name of the module whose array functions are called.
    """

    name: str
    summary: str
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
        shown, left_out = expressible(policy, self, approximate)
        shell = runtime.shell.read_text(encoding="utf-8").rstrip()
        operators = [get_operator(name) for name in drawn_operators(shown)]
        available = _functions(runtime)
        wanted = [*(o.function.__name__ for o in operators), *re.findall(r"\b[a-z_]+(?=\()", shell)]
        body = [available[name].source for name in needed(wanted, available)]
        text = "\n\n\n".join([*body, _operators(operators, runtime), shell])
        if self.functions != "np":
            text = re.sub(r"\bnp\.", f"{self.functions}.", text)
        known = {name: line for module in runtime.modules for name, line in imports(module).items()}
        known |= {re.split(r"\s+", line)[-1]: line for line in runtime.imports}
        used = import_block(line for name, line in known.items() if re.search(rf"\b{name}\b", text + runtime.types))
        head = [
            header(policy, self, runtime.use, [note, *left_out]),
            "from __future__ import annotations",
            used,
            runtime.types,
        ]
        return "\n\n".join([*head, layers_text(shown)]) + "\n\n\n" + text + "\n"


def _functions(runtime: ArrayRuntime) -> dict[str, Definition]:
    return {name: definition for module in runtime.modules for name, definition in definitions(module).items()}


def _operators(operators: list[Operator], runtime: ArrayRuntime) -> str:
    rows = "".join(
        f"\n    ({runtime.kinds.get(o.kind, 'samples')!r}, {o.function.__name__}, {o.limit!r})," for o in operators
    )
    comment = "# The operators that LAYERS refers to by index: kind, function, and value at magnitude 1."
    return f"{comment}\nOPERATORS = [{rows}\n]" if rows else f"{comment}\nOPERATORS: list[tuple[str, Any, float]] = []"
