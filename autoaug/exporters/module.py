"""Torch modules: a policy as the text of one, with the operators of a library, or else with autoaug's own."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import ModuleType

from autoaug.engine.plan import drawing_table, drawn_operators, mixing_numbers
from autoaug.exporters.assemble import Definition, definitions, import_block, imports, needed, reachable
from autoaug.exporters.base import Target, header
from autoaug.exporters.runtime import chains, mixing, plain, steps, with_targets
from autoaug.modalities.operators import Operator, get_operator
from autoaug.policy.models import Layer, Policy

#: How the module is used, in its first lines.
USE = "samples = Augment()(samples)"


@dataclass(frozen=True)
class TorchTarget(Target):
    """A library that works on tensors.

    Attributes:
        name, summary: see `Target`.
        library: the operators that are written with it; others are carried along as autoaug has them.
        per_image: whether those take one sample instead of a batch.
        moves_targets: whether boxes, masks and key-points move with the samples (torchvision's ``tv_tensors``).
    """

    name: str
    summary: str
    library: ModuleType
    per_image: bool
    moves_targets: bool

    def text(self, policy: Policy, approximate: bool = False) -> str:  # noqa: ARG002 (it expresses everything)
        return module_text(policy, self)


def module_text(policy: Policy, target: TorchTarget) -> str:
    """The module for `policy`: imports, the policy as data, the functions it needs, and the class ``Augment``."""
    operators = [get_operator(name) for name in drawn_operators(policy)]
    follows = target.moves_targets and not policy.mixing and not policy.chains
    shell = mixing if policy.mixing else with_targets if follows else plain
    body_of = chains if policy.chains else steps
    modules = reachable([*(inspect.getmodule(o.function) or shell for o in operators), body_of, shell, target.library])
    available: dict[str, Definition] = {}
    for module in modules:
        available |= definitions(module)
    own = definitions(target.library)
    available["augment_images"] = definitions(body_of)["augment_images"]
    rows = [_row(operator, target, operator.function.__name__ in own) for operator in operators]
    wraps = ["one_by_one"] if any("one_by_one" in row for row in rows) else []
    starts = [] if follows else ["augment_images"]
    order = needed([*starts, *(o.function.__name__ for o in operators), *wraps, "Augment"], available)
    body = {name: available[name] for name in order if name != "Augment"}
    used = {name for definition in [*body.values(), available["Augment"]] for name in definition.uses}
    statements = {k: v for module in modules for k, v in imports(module).items()}
    imported = import_block(v for k, v in statements.items() if k in used)
    table = "Table = list[list[tuple[float, list[tuple[int, float, float, float, bool]]]]]"
    head = [header(policy, target, USE, []), "from __future__ import annotations", imported, table, layers_text(policy)]
    parts = ["\n\n".join(head) + _constants(policy), *(definition.source for definition in body.values())]
    lines = "".join(f"\n    {row}," for row in rows)
    comment = "# What LAYERS numbers: the kind of operator, its function, and its value at magnitude 1."
    parts.append(f"{comment}\nOPERATORS = [{lines}\n]" if rows else "OPERATORS = []")
    parts.append(available["Augment"].source)
    return "\n\n\n".join(parts) + "\n"


def _row(operator: Operator, target: TorchTarget, is_own: bool) -> str:
    name = operator.function.__name__
    if not is_own:
        kind = "warp" if operator.kind == "projection" else operator.kind
        return f"({kind!r}, {name}, {operator.limit!r})"
    return f"('samples', {f'one_by_one({name})' if target.per_image else name}, {operator.limit!r})"


def _constants(policy: Policy) -> str:
    text = ""
    if policy.chains:
        text += "\n\n# How many chains, and the parameter of the distributions of their weights."
        text += f"\nCHAINS = {(policy.chains.width, policy.chains.alpha)!r}"
    if policy.mixing:
        text += "\n\n# The modes (drawn evenly), the probability, and the parameter of the weights' Beta distribution."
        text += f"\nMIXING = {mixing_numbers(policy.mixing)!r}"
    return text


def layers_text(policy: Policy) -> str:
    """The policy's layers as a literal, a line a sub-policy, with the operators' names in comments; of a schedule each
    phase's, and how to go from one to the next.
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
            "# They apply until a share of the training is done: call set_progress(epoch / epochs) before each epoch.",
            f"SCHEDULE: list[tuple[float, Table]] = [{phases}\n]",
            "LAYERS: Table = list(SCHEDULE[0][1])",
            "",
            "",
            "def set_progress(done: float) -> None:",
            '    """Bring the layers into force that apply when a share `done` of the training, in [0, 1], is over."""',
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
