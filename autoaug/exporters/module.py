"""Export to torch modules that use the operators of a library, and autoaug's own where the library has none."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from dataclasses import dataclass
from types import ModuleType

from autoaug.engine.plan import drawing_table, drawn_operators, mixing_numbers, mixing_of
from autoaug.exporters.assemble import Definition, constants, definitions, import_block, imports, needed, reachable
from autoaug.exporters.base import Target, header, runtime_of
from autoaug.functional import chains, sampling, steps, tensors
from autoaug.modalities.base import Modality
from autoaug.modalities.operators import IDENTITY, Operator, get_operator
from autoaug.modalities.registry import get_modality
from autoaug.modalities.runtime import TorchRuntime
from autoaug.policy.models import Layer, Policy


@dataclass(frozen=True)
class TorchTarget(Target):
    """A library that works on tensors.

    Attributes:
        name, summary, is_bare: see `Target`.
    """

    name: str
    summary: str
    is_bare: bool = False

    def supports(self, operator: str) -> bool:
        return operator == IDENTITY or self.name in get_modality(get_operator(operator).modality).exports

    def text(self, policy: Policy, modality: Modality, approximate: bool = False, note: str = "") -> str:  # noqa: ARG002 (it says all)
        runtime = runtime_of(self, modality, TorchRuntime)
        operators = [get_operator(name) for name in drawn_operators(policy)]
        rows = [_row(operator, runtime) for operator in operators]
        parts = _parts(policy, operators, rows, runtime)
        used = {name for definition in parts.values() for name in definition.uses}
        statements = {k: v for module in _modules(policy, operators, runtime) for k, v in imports(module).items()}
        imported = import_block(line for name, line in statements.items() if name in used)
        head = [
            header(policy, self, runtime.use, [note], imported),
            "from __future__ import annotations",
            imported,
            _constants_of_draws(used),
            layers_text(policy),
        ]
        augment = parts.pop("Augment").source
        first = "\n\n".join(head) + _constants(policy, modality)
        return "\n\n\n".join([first, *(part.source for part in parts.values()), _table_of(rows), augment]) + "\n"


def _constants_of_draws(used: Collection[str]) -> str:
    """The types and constants of `autoaug.functional` that the module uses, as text."""
    available = {**constants(sampling), **constants(tensors)}
    names = needed([*(name for name in available if name in used), "Table"], available)
    return "\n".join(available[name].source for name in names)


def _shells(policy: Policy, runtime: TorchRuntime) -> tuple[ModuleType, ModuleType | None]:
    """The modules of ``Augment`` and ``augment_samples``; None if the former does not need the latter."""
    if policy.chains or policy.mixing or runtime.with_targets is None:
        return runtime.mixing if policy.mixing else runtime.plain, chains if policy.chains else steps
    return runtime.with_targets, None


def _modules(policy: Policy, operators: list[Operator], runtime: TorchRuntime) -> list[ModuleType]:
    """All modules whose definitions may be exported; for definitions of the same name, the last module wins."""
    shell, body = _shells(policy, runtime)
    own = (inspect.getmodule(operator.function) or shell for operator in operators)
    return reachable([*own, runtime.apply, *([body] if body else []), shell, runtime.library])


def _parts(policy: Policy, operators: list[Operator], rows: list[str], runtime: TorchRuntime) -> dict[str, Definition]:
    """The functions and classes that the module needs, by name, in reading order."""
    available: dict[str, Definition] = {}
    for module in _modules(policy, operators, runtime):
        available |= definitions(module)
    starts, (_, body) = [], _shells(policy, runtime)
    if body is not None:
        starts = ["augment_samples"]
        available["augment_samples"] = definitions(body)["augment_samples"]
    wraps = ["one_by_one"] if any("one_by_one" in row for row in rows) else []
    names = [operator.function.__name__ for operator in operators]
    return {name: available[name] for name in needed([*starts, *names, *wraps, "Augment"], available)}


def _row(operator: Operator, runtime: TorchRuntime) -> str:
    """The operator's line in the module's table."""
    name = operator.function.__name__
    if name not in definitions(runtime.library):
        return f"({runtime.kinds[operator.kind]!r}, {name}, {operator.limit!r})"
    kind = runtime.library_kinds.get(operator.kind, "samples")
    return f"({kind!r}, {f'one_by_one({name})' if runtime.takes_one else name}, {operator.limit!r})"


def _table_of(rows: list[str]) -> str:
    if not rows:
        return "OPERATORS = []"
    lines = "".join(f"\n    {row}," for row in rows)
    comment = "# The operators that LAYERS refers to by index: kind, function, and value at magnitude 1."
    return f"{comment}\nOPERATORS = [{lines}\n]"


def _constants(policy: Policy, modality: Modality) -> str:
    text = ""
    if policy.chains:
        text += "\n\n# The number of chains, and the parameter of the distributions of their weights."
        text += f"\nCHAINS = {(policy.chains.width, policy.chains.alpha)!r}"
        text += f"\n\n# The lowest and the highest value of a sample.\nBOUNDS = {modality.values.bounds!r}"
    if policy.mixing:
        kinds = mixing_of(modality.name).kinds
        text += "\n\n# The equally likely modes, the probability, and the parameter of the weights' Beta distribution."
        text += f"\nMIXING = {mixing_numbers(policy.mixing, kinds)!r}"
    return text


def layers_text(policy: Policy) -> str:
    """The policy's layers as a literal with one line per sub-policy and operator names in comments. For a schedule, the
    layers of every phase and a function that switches between them.
    """
    explained = [
        "# A layer is a list of sub-policies, one of which is drawn per sample: (weight, operations). An operation is",
        "# (operator, probability, lowest magnitude, highest magnitude, share of negative signs).",
    ]
    if not policy.schedule:
        return "\n".join([*explained, f"LAYERS: Table = {_table(policy, policy.layers)}"])
    phases = "".join(f"\n    ({phase.until!r}, {_table(policy, phase.layers, '    ')})," for phase in policy.schedule)
    return "\n".join(
        [
            *explained,
            "# Each phase applies until a fraction of the training is done: call set_progress(epoch / epochs) before",
            "# each epoch.",
            f"SCHEDULE: list[tuple[float, Table]] = [{phases}\n]",
            "LAYERS: Table = list(SCHEDULE[0][1])",
            "",
            "",
            "def set_progress(done: float) -> None:",
            '    """Switch to the layers that apply when a fraction `done` of the training, in [0, 1], is over."""',
            "    LAYERS[:] = next((layers for until, layers in SCHEDULE if done < until), SCHEDULE[-1][1])",
        ]
    )


def _table(policy: Policy, layers: tuple[Layer, ...], indent: str = "") -> str:
    """Layers as a literal."""
    names = drawn_operators(policy)
    lines = []
    for sub_policies in drawing_table(policy, layers):
        lines.append(f"{indent}    [")
        for weight, operations in sub_policies:
            comment = ", ".join(names[i] if i >= 0 else "nothing" for i, *_ in operations) or "nothing"
            lines.append(f"{indent}        ({weight!r}, {operations!r}),  # {comment}")
        lines.append(f"{indent}    ],")
    return "\n".join(["[", *lines, f"{indent}]"]) if lines else "[]"
