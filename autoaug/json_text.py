"""JSON files checked against pydantic models, with the field of the fault in the error."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from autoaug.errors import AutoaugError, rule_of
from autoaug.files import read_text

Model = TypeVar("Model", bound=BaseModel)


def read_record(path: Path, model: type[Model], error: type[AutoaugError]) -> Model:
    """The file as `model`; raises `error` with one line that names the file, the field and the rule."""
    return parse_record(read_text(path, error), str(path), model, error)


def parse_record(text: str, source: str, model: type[Model], error: type[AutoaugError]) -> Model:
    """The JSON document `text` as `model`; raises `error` as `read_record` does, naming `source`."""
    try:
        return model.model_validate_json(text)
    except ValidationError as faults:
        fault = faults.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(step) for step in fault["loc"])
        raise error(f"{source} is damaged: {f'{field}: ' if field else ''}{rule_of(fault)}") from None
