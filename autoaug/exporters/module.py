"""From a policy to the text of a module."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from autoaug import drawing, noise
from autoaug.errors import PolicyError
from autoaug.exporters.assemble import Definition, definitions, import_block, imports, needed
from autoaug.exporters.runtime import mixing, plain
from autoaug.operators import get_operator
from autoaug.policy import Policy
from autoaug.transform import drawing_table
from autoaug.version import __version__


@dataclass(frozen=True)
class Target:
    """A library to export to: its name, what the module does with it, and the runtime with its operators."""

    name: str
    summary: str
    runtime: ModuleType


def module_text(policy: Policy, target: Target) -> str:
    """The module for `policy`: imports, the policy as data, the functions it needs, and the class ``Augment``."""
    shell = mixing if policy.mixing else plain
    modules = [drawing, noise, target.runtime, shell]
    available: dict[str, Definition] = {}
    for module in modules:
        available |= definitions(module)
    functions = [_function_name(name, target, available) for name in policy.operator_names()]
    order = needed(
        ["draw_operations", *(["draw_mixing", "own_share"] if policy.mixing else []), *functions, "Augment"], available
    )
    body = {name: available[name] for name in order if name != "Augment"}
    used = {name for definition in [*body.values(), available["Augment"]] for name in definition.uses}
    statements = {k: v for module in modules for k, v in imports(module).items()}
    imported = import_block(v for k, v in statements.items() if k in used)
    table = "Table = list[list[tuple[float, list[tuple[int, float, float, float, bool]]]]]"
    head = [_header(policy, target), "from __future__ import annotations", imported, table, _layers(policy)]
    parts = ["\n\n".join(head)]
    if policy.mixing:
        mixing_values = (policy.mixing.kind, policy.mixing.probability, policy.mixing.alpha)
        parts[-1] += "\n\n# Kind, probability, and the parameter of the Beta distribution of the weights."
        parts[-1] += f"\nMIXING = {mixing_values!r}"
    parts += [definition.source for definition in body.values()]
    limits = [get_operator(name).limit for name in policy.operator_names()]
    rows = "".join(f"\n    ({f}, {limit!r})," for f, limit in zip(functions, limits, strict=True))
    parts.append(
        f"# The operators that LAYERS numbers, each with its value at magnitude 1.\nOPERATORS = [{rows}\n]"
        if rows
        else "OPERATORS = []"
    )
    parts.append(available["Augment"].source)
    return "\n\n\n".join(parts) + "\n"


def _function_name(operator: str, target: Target, available: dict[str, Definition]) -> str:
    name = get_operator(operator).function.__name__
    if name not in available or not hasattr(target.runtime, name):
        raise PolicyError(f"operator {operator!r} cannot be exported to {target.name}")
    return name


def _layers(policy: Policy) -> str:
    """The policy's layers as a literal, a line a branch, with the operators' names in comments."""
    names = policy.operator_names()
    lines = [
        "# A layer is a list of branches, one of which is drawn per image: (weight, operations). An operation is",
        "# (operator, probability, lowest magnitude, highest magnitude, whether both signs are drawn).",
        "LAYERS: Table = [",
    ]
    for branches in drawing_table(policy):
        lines.append("    [")
        for weight, operations in branches:
            comment = ", ".join(names[operation[0]] for operation in operations) or "nothing"
            lines.append(f"        ({weight!r}, {operations!r}),  # {comment}")
        lines.append("    ],")
    return "\n".join([*lines, "]"])


def _header(policy: Policy, target: Target) -> str:
    left_out = [
        f"# The policy also asks for {what}, which the training loop has to provide."
        for what in (
            f"{policy.copies} copies of each image in a batch" if policy.copies > 1 else "",
            f"adversarial samples: {policy.adversarial!r}" if policy.adversarial else "",
        )
        if what
    ]
    title = f"# Augmentation policy {policy.name!r} ({policy.fingerprint()}), {target.summary}."
    return "\n".join(
        [title, f"# Exported by autoaug {__version__}; runs without it: images = Augment()(images)", *left_out]
    )
