"""YAML documents checked against pydantic models, with the line of the fault in the error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from autoaug.errors import AutoaugError, rule_of

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class YamlDocument:
    """A parsed document: its plain value, and the node tree that knows the lines."""

    source: str
    value: Any
    root: yaml.Node | None

    def line_of(self, location: tuple[int | str, ...]) -> int:
        """The line (from 1) of the deepest node on the path `location`."""
        node = self.root
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


def parse_yaml(text: str, source: str, error: type[AutoaugError]) -> YamlDocument:
    """Parse `text` safely; raises `error` with the line where it is not YAML."""
    try:
        return YamlDocument(source, yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        raise error(f"{source}, line {line}: not valid YAML ({getattr(fault, 'problem', fault)})") from None


def validate(model: type[Model], document: YamlDocument, error: type[AutoaugError]) -> Model:
    """The document as `model`; raises `error` with the line, the field, the rule and the value."""
    if not isinstance(document.value, dict):
        raise error(f"{document.source}: a mapping of fields is expected, not {type(document.value).__name__}")
    try:
        return model.model_validate(document.value)
    except ValidationError as faults:
        raise error(_first_fault(document, faults)) from None


def _first_fault(document: YamlDocument, faults: ValidationError) -> str:
    fault = faults.errors()[0]
    field = ".".join(str(step) for step in fault["loc"] if step != "[key]") or "document"
    message = rule_of(fault)
    if fault["type"] == "extra_forbidden":
        message = "there is no such field; remove it or correct its name"
    elif fault["type"] != "value_error" and not isinstance(fault["input"], dict | list):
        message += f", not {fault['input']!r}"
    return f"{document.source}, line {document.line_of(fault['loc'])}: {field}: {message}"
