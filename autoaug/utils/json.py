"""JSON files checked against pydantic models; errors name the invalid field."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from autoaug.errors import AutoaugError, printable, rule_of
from autoaug.utils.files import read_bytes

Model = TypeVar("Model", bound=BaseModel)
Line = TypeVar("Line")


def read_record(path: Path, model: type[Model], error: type[AutoaugError], cure: str = "") -> Model:
    """Read the file as `model`; raises `error` with one line naming the file, the field, the rule and the `cure`."""
    return parse_record(read_bytes(path, error), str(path), model, error, cure)


def parse_record(
    text: str | bytes, source: str, model: type[Model], error: type[AutoaugError], cure: str = ""
) -> Model:
    """Parse the JSON document `text` as `model`; raises `error` as `read_record` does, naming `source`."""
    try:
        return model.model_validate_json(text)
    except ValidationError as faults:
        raise error(f"{source} is damaged: {first_fault(faults)}{f'; {cure}' if cure else ''}") from None


def read_lines(path: Path, adapter: TypeAdapter[Line], error: type[AutoaugError]) -> list[Line]:
    """Read the lines of a JSON Lines file; a missing file has none. Damaged lines are skipped. Raises `error` if the
    file cannot be read at all.
    """
    lines = []
    for line in read_bytes(path, error).splitlines() if path.is_file() else ():
        with suppress(ValidationError):
            lines.append(adapter.validate_json(line))
    return lines


def first_fault(faults: ValidationError) -> str:
    """The first validation error in one line: the field, and the rule that it breaks."""
    fault = faults.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(step) for step in fault["loc"])
    return printable(f"{field}: {rule_of(fault)}" if field else rule_of(fault))
