"""The base of all records of results, and the types of their fields."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

CandidateKind = Literal["baseline", "searched", "control"]
Verdict = Literal["better", "worse", "no significant difference"]
Interval = tuple[float, float]
Unit = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Size = Annotated[int, Field(ge=1, lt=2**63)]
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Count = Annotated[int, Field(ge=0, lt=2**63)]


class Record(BaseModel):
    """Base of the records in ``result.json``: frozen, no unknown fields, and all numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
