"""Exports that a person would have written: the policy in the words of a library.

They draw from the policy's distribution, by the library's own random generator. Consecutive steps are applied one after
another, as is usual there, where autoaug composes those that move samples.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence
from functools import cache
from itertools import takewhile

from autoaug.exporters.assemble import constants, definitions, import_block, imports, names_used, needed
from autoaug.exporters.base import Target, header, left_out
from autoaug.modalities.base import Modality
from autoaug.modalities.kinds import mixed_by
from autoaug.modalities.operators import IDENTITY, get_operator
from autoaug.modalities.runtime import Call, Expression, Words
from autoaug.policy.loading import load_policy, randaugment
from autoaug.policy.models import Layer, Operation, Policy, SubPolicy

#: The longest line of code.
_WIDTH = 120


class NotIdiomatic(Exception):
    """The library has no words for some part of a policy, which the message names."""


def words_of(modality: Modality, target: str) -> Words | None:
    """The words of the target's library for samples of that modality, if they are known."""
    runtime = modality.exports.get(target)
    return None if runtime is None else runtime.words


def idiomatic_text(policy: Policy, target: Target, words: Words, modality: Modality, approximate: bool = False) -> str:
    """The policy as a module in the words of the target's library; raises `NotIdiomatic` where it has none. Mixing may
    be left out where it may `approximate`.
    """
    for part, reason in (
        (policy.schedule, "its layers change in the course of the training"),
        (policy.chains, "it blends chains"),
    ):
        if part:
            raise NotIdiomatic(reason)
    writer = _Writer(target.name, words)
    steps = writer.layers(policy.layers) or [words.nothing()]
    augment = _with_steps(words.shell.read_text(encoding="utf-8").rstrip(), steps)
    body = [_helpers(augment, words), augment]
    notes = [*_notes(policy, target, modality), *([words.published_note] if writer.used_published else [])]
    if policy.mixing:
        kinds = mixed_by(policy.mixing.kind)
        mixing = words.mixing(kinds, policy.mixing.probability, policy.mixing.alpha)
        if mixing is None and not (approximate and "mixing" in target.lacks):
            raise NotIdiomatic(f"{target.name} does not mix by {policy.mixing.kind}")
        if mixing is None:
            notes.append(left_out("mixing"))
        else:
            body.append(mixing)
    text = "\n\n\n".join(part for part in body if part)
    known = {name: line for file in words.helpers for name, line in imports(file).items()}
    known |= {re.split(r"\s+", line)[-1]: line for line in words.imports}
    names = names_used(ast.parse(text))
    defined = {name: definition.source for file in words.helpers for name, definition in constants(file).items()}
    fixed = {name: source for name, source in defined.items() if name in names}
    names |= names_used(ast.parse("\n".join(fixed.values())))
    used = import_block(line for name, line in known.items() if name in names)
    head = [header(policy, target, words.use, notes, used), used]
    return "\n\n".join([*head, *(["\n".join(fixed.values())] if fixed else [])]) + f"\n\n\n{text}\n"


class _Writer:
    """Writes the layers of a policy in the words of a library.

    Attributes:
        used_published: whether the library's own form of a published policy is among what was written.
    """

    def __init__(self, target: str, words: Words) -> None:
        self.target, self.words, self.used_published = target, words, False

    def layers(self, layers: Sequence[Layer]) -> list[Expression]:
        """One expression after another; the library's own form of as many layers as it has one for."""
        written: list[Expression] = []
        rest = tuple(layers)
        while rest:
            own, count = self._published(rest)
            self.used_published |= bool(own)
            if own:
                written.append(own)
            else:
                count, steps = _repeats(rest), self._layer(rest[0])
                written += steps if count == 1 or not steps else [Call("*[", steps, f"] * {count}")]
            rest = rest[count:]
        return written

    def _published(self, layers: tuple[Layer, ...]) -> tuple[str, int]:
        """The library's own form of the first of these layers, if it has one, and of how many."""
        for name, form in self.words.published.items():
            if name == "randaugment":
                count = _repeats(layers)
                for m, strength in enumerate(_strengths()):
                    if strength == layers[:1]:
                        return form.format(n=count, m=m), count
            elif (published := _published_layers(name)) == layers[: len(published)]:
                return form, len(published)
        return "", 1

    def _layer(self, layer: Layer) -> list[Expression]:
        possible = [sub_policy for sub_policy in layer.sub_policies if sub_policy.weight > 0]
        if len(possible) == 1:
            return self._steps(possible[0])
        total = sum(sub_policy.weight for sub_policy in possible)
        items = [self._one(self._steps(sub_policy)) for sub_policy in possible]
        return [self.words.choice(items, [sub_policy.weight / total for sub_policy in possible])]

    def _one(self, steps: list[Expression]) -> Expression:
        if not steps:
            return self.words.nothing()
        return steps[0] if len(steps) == 1 else self.words.in_turn(steps)

    def _steps(self, sub_policy: SubPolicy) -> list[Expression]:
        written = (self._operation(operation) for operation in sub_policy.operations)
        return [expression for expression in written if expression is not None]

    def _operation(self, operation: Operation) -> Expression | None:
        """The operation; None for one that does nothing."""
        probability, ranges = drawn_values(operation)
        if not probability or not ranges:
            return None
        (low, end), (start, high) = ranges[0], ranges[-1]
        if (low, start) == (end, high) and low < high:  # two values, which the library may have one expression for
            either = self.words.operation(operation.operator, low, high, probability, either=True)
            if either is not None:
                return either
        written = [self.words.operation(operation.operator, *own, probability, either=False) for own in ranges]
        known = [expression for expression in written if expression is not None]
        if len(known) < len(ranges):
            raise NotIdiomatic(f"{self.target} has no {operation.operator} that is drawn and defined as here")
        return known[0] if len(known) == 1 else self.words.choice(known, [0.5, 0.5])


def _repeats(layers: tuple[Layer, ...]) -> int:
    """How often the first layer comes before another one does."""
    return len(list(takewhile(lambda layer: layer == layers[0], layers)))


@cache
def _published_layers(name: str) -> tuple[Layer, ...]:
    return load_policy(name).layers


@cache
def _strengths() -> list[tuple[Layer, ...]]:
    """The layer of RandAugment for each of its strengths."""
    return [randaugment(1, m).layers for m in range(31)]


def drawn_values(operation: Operation) -> tuple[float, list[tuple[float, float]]]:
    """The probability of an operation, and the equally likely ranges of its value, signed and in its unit; none for an
    operation that does nothing. A switch has the value 1, and the probability that it is on.
    """
    if operation.operator == IDENTITY:
        return 0.0, []
    operator, (low, high) = get_operator(operation.operator), operation.magnitude
    if operator.is_switch:
        on = 1.0 if low >= 0.5 else max(high - 0.5, 0) / (high - low or 1)
        return operation.probability * on, [(1.0, 1.0)] if on else []
    low, high = low * operator.limit, high * operator.limit
    if high == 0:
        return 0.0, []
    if not operator.signed or operation.sign == "positive":
        return operation.probability, [(low, high)]
    if operation.sign == "negative":
        return operation.probability, [(-high, -low)]
    return operation.probability, [(-high, high)] if low == 0 else [(-high, -low), (low, high)]


def _with_steps(shell: str, steps: list[Expression]) -> str:
    """The text of the shell, with the steps where it says so."""
    line = next(line for line in shell.splitlines() if "STEPS" in line)
    head, tail = line.strip().split("STEPS")
    indent = len(line) - len(line.lstrip())
    call = Call(head[:-1], steps, tail) if head.endswith("*") else Call(f"{head}[", steps, f"]{tail}")
    return shell.replace(line.strip(), rendered(call, indent, broken=True))


def rendered(expression: Expression, indent: int = 0, broken: bool = False) -> str:
    """The text of an expression that begins at a column: on one line where it fits there, unless it must be `broken`
    into lines, one for each of its items.
    """
    if isinstance(expression, str):
        return _wrapped(expression, indent)
    line = _line(expression)
    if not broken and indent + len(line) < _WIDTH:
        return line
    first = expression.items[0] if len(expression.items) == 1 else ""
    if not isinstance(first, str) and first.head[0].isalpha() and indent + 5 + len(_line(first)) > _WIDTH:
        # A call around one call takes no lines of its own, as a person would write it.
        expression = Call(f"{expression.head}{first.head}", first.items, f"{first.tail}{expression.tail}")
    lines = "".join(f"{' ' * (indent + 4)}{rendered(item, indent + 4)},\n" for item in expression.items)
    return f"{expression.head}\n{lines}{' ' * indent}{_wrapped(expression.tail, indent)}"


def _line(expression: Expression) -> str:
    """The text of an expression on one line."""
    if isinstance(expression, str):
        return expression
    return f"{expression.head}{', '.join(map(_line, expression.items))}{expression.tail}"


def _wrapped(text: str, indent: int) -> str:
    """The text of a call that begins at a column, continued on indented lines where it is too long for one."""
    first, rest = " " * indent, " " * (indent + 4)
    lines = textwrap.wrap(
        text, _WIDTH - 1, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines).lstrip()


def _helpers(text: str, words: Words) -> str:
    """The helpers that the text uses."""
    available = {name: definition for file in words.helpers for name, definition in definitions(file).items()}
    return "\n\n\n".join(available[name].source for name in needed(sorted(names_used(ast.parse(text))), available))


def _notes(policy: Policy, target: Target, modality: Modality) -> list[str]:
    """What a reader should know beyond the code: whether steps are composed elsewhere."""

    def moves(sub_policy: SubPolicy) -> int:
        operators = [get_operator(o.operator) for o in sub_policy.operations if o.probability]
        return sum(modality.fusions[o.kind].interpolates and not o.is_switch for o in operators)

    if sum(max(map(moves, layer.sub_policies)) for layer in policy.layers) < 2:
        return []
    return [f"Movements in a row are sampled one by one, as usual in {target.name}; --exact composes them."]
