"""YAML (and JSON) documents checked against pydantic models; errors give the line.

A document is read as plain data: mappings with text keys, lists, text, numbers, true, false and null. Unquoted values
follow YAML 1.1. A field that requires a number also accepts text that Python reads as one (``1e-1``). Dates are text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.constructor import ConstructorError

from autoaug.errors import AutoaugError, first_line, printable, rule_of

Model = TypeVar("Model", bound=BaseModel)

#: The most bytes in a file written by hand: a policy or a space.
MOST_BYTES = 2**22
#: The most values in a document, after aliases are expanded.
MOST_NODES = 250_000
#: The deepest nesting of values.
_DEEPEST = 50
#: The most characters in a number: a longer one cannot be meant.
_LONGEST_NUMBER = 100
_SHOWN = 80
_PLAIN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map"))
# Dates are text, as in JSON: no field is a date.
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Loader(yaml.SafeLoader):
    """Reads only plain data, with at most `most` values after aliases are expanded."""

    def __init__(self, text: str, most: int) -> None:
        super().__init__(text)
        self.yaml_implicit_resolvers = _RESOLVERS
        self._left, self._depth = most, 0
        #: The number of values in each node; an alias is the same node. None while the node is being read.
        self._sizes: dict[int, int | None] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        start = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        before = self._left
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ConstructorError(None, None, f"it is nested deeper than {_DEEPEST} levels", start)
        is_alias = self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if is_alias:
            size = self._sizes.get(id(node))
            if size is None:
                raise ConstructorError(None, None, "an alias refers to a value that contains it", start)
            self._left -= size
        else:
            self._left -= 1
            self._sizes[id(node)] = before - self._left
        if self._left < 0:
            raise ConstructorError(None, None, "it has too many values after aliases are expanded", start)
        self._depth -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                raise ConstructorError(None, None, f"it has the key {_cut(key.value)!r} twice", key.start_mark)
            seen.add((key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key))
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag not in _PLAIN:
            raise ConstructorError(None, None, f"{printable(_cut(node.tag))} is not a plain value", node.start_mark)
        is_number = node.tag.endswith((":int", ":float"))
        try:
            if is_number and len(node.value) > _LONGEST_NUMBER:
                raise ValueError
            return super().construct_object(node, deep)
        except (ValueError, KeyError, IndexError):  # from int(), float() and the table of truth values
            kind = node.tag.rpartition(":")[2]
            raise ConstructorError(None, None, f"{_cut(node.value)!r} is not a valid {kind}", node.start_mark) from None


@dataclass(frozen=True)
class YamlDocument:
    """A parsed document: its plain value, and a function that returns the node tree, which has the line numbers."""

    source: str
    value: Any
    nodes: Callable[[], yaml.Node | None]

    def line_of(self, location: tuple[int | str, ...]) -> int:
        """The line (from 1) of the deepest node on the path `location`."""
        node = self.nodes()
        line = 1 if node is None else node.start_mark.line + 1
        for step in location:
            child = _child(node, step)
            if child is None:
                break
            node, line = child
        return line


def _child(node: yaml.Node | None, step: int | str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        value = node.value[step]
        return value, value.start_mark.line + 1
    return None


def parse_yaml(text: str, source: str, error: type[AutoaugError], most: int = MOST_NODES) -> YamlDocument:
    """Parse `text` as plain data with at most `most` values; a valid JSON document is read by the rules of JSON.

    Raises:
        error: `text` is not such a document; the message gives the line.
    """
    with suppress(ValueError, RecursionError):  # text that is not JSON must be YAML, so only YAML errors are reported
        value = json.loads(text, object_pairs_hook=_without_doubles)
        return YamlDocument(source, value, lambda: _nodes_of_json(text, most))
    try:
        loader = _Loader(text, most)
        root = loader.get_single_node()
        return YamlDocument(source, None if root is None else loader.construct_document(root), lambda: root)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        reason = getattr(fault, "problem", None) or first_line(fault)
        raise error(f"{source}, line {line}: not valid YAML ({printable(reason)})") from None
    except (ValueError, OverflowError) as fault:  # an escape or a directive with an invalid number
        raise error(f"{source}: not valid YAML ({printable(first_line(fault))})") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise ValueError("a key occurs twice")
    return mapping


def _nodes_of_json(text: str, most: int) -> yaml.Node | None:
    """The nodes of a JSON document; None if it has one line, or is not valid YAML, for example because of tabs."""
    if "\n" not in text:
        return None
    try:
        return _Loader(text, most).get_single_node()
    except (yaml.YAMLError, ValueError, OverflowError):
        return None


def validate(
    model: type[Model], document: YamlDocument, error: type[AutoaugError], context: str | None = None
) -> Model:
    """The document as `model`, whose validators may ask for the `context`; raises `error` with the line, the field, the
    rule and the value.
    """
    if document.value is None:
        raise error(f"{document.source}: it is empty; a mapping of fields is expected")
    if not isinstance(document.value, dict):
        raise error(f"{document.source}: a mapping of fields is expected, not {type(document.value).__name__}")
    try:
        return model.model_validate(document.value, context=context)
    except ValidationError as faults:
        raise error(_first_fault(document, faults)) from None


def _first_fault(document: YamlDocument, faults: ValidationError) -> str:
    fault = faults.errors(include_url=False)[0]
    field = ".".join(str(step) for step in fault["loc"] if step != "[key]") or "document"
    message = rule_of(fault)
    if fault["type"] == "extra_forbidden":
        message = "unknown field; remove it or correct its name"
    elif fault["type"] != "value_error" and not isinstance(fault["input"], dict | list):
        message += f", not {_cut(repr(fault['input']))}"
        if fault["type"] == "string_type":
            message += "; put it in quotes"
    return f"{document.source}, line {document.line_of(fault['loc'])}: {printable(_cut(field))}: {printable(message)}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
