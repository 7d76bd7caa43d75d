"""Checks of the probe results and generator records in ``result.json`` that the report reads.

Only the fields that the report reads are checked: probes, and strategies of third parties, may store other fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autoaug.policy.models import Policy
from autoaug.results.record import Count
from autoaug.utils.json import first_fault

#: An operator's strength, its affinity and its diversity.
Measurement = tuple[float, float, float]


class _Facts(BaseModel):
    model_config = ConfigDict(extra="allow", allow_inf_nan=False)


class _ProbeResult(_Facts):
    """What every probe records: its cost."""

    sample_passes: Count


class _Affinity(_ProbeResult):
    """Measurements of each operator, one of them at strength 0.5; none if the probe failed."""

    operators: dict[str, list[Measurement]] = {}

    @model_validator(mode="after")
    def _half_is_measured(self) -> Self:
        for name, measurements in self.operators.items():
            if all(measurement[0] != 0.5 for measurement in measurements):
                raise ValueError(f"operator {name!r} has no measurement at strength 0.5")
        return self


class _Matching(_ProbeResult):
    """The shift between the splits; only the cost if there were too few samples or the probe failed."""

    initial: float | None = None
    residual: float | None = None
    noise: float | None = None
    policy: dict[str, Any] | None = None
    untried: list[str] = []

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        numbers = (self.initial, self.residual, self.noise)
        if any(number is None for number in numbers) and "initial" in self.model_fields_set:
            raise ValueError("initial, residual and noise must be given together or not at all")
        if self.initial is not None and "policy" not in self.model_fields_set:
            raise ValueError("it lacks policy, which must be null if nothing was found")
        if self.policy is not None:
            Policy.model_validate(self.policy)
            if self.initial is not None and self.initial <= 0:
                raise ValueError("initial is not above 0, so there was nothing to explain")
        return self


class _Generated(_Facts):
    """A generator: why it failed, or statistics of its samples and their cost."""

    seconds: float
    failed: str | None = None
    sampling_seconds: float = 0.0
    bytes: Count = 0
    sample_filter: dict[str, Count] = {}
    judged: dict[str, float] = {}
    classes_before: Annotated[list[Count], Field(min_length=1)] = [0]
    classes_after: Annotated[list[Count], Field(min_length=1)] = [0]
    groups_before: Annotated[list[Count], Field(min_length=1)] = [0]
    groups_after: Annotated[list[Count], Field(min_length=1)] = [0]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        given = self.model_fields_set
        wanted = {"sampling_seconds", "bytes", "sample_filter"} if "failed" not in given else set()
        wanted |= {f"{what}_after" for what in ("classes", "groups") if f"{what}_before" in given}
        if missing := sorted(wanted - given):
            raise ValueError(f"it lacks {missing[0]}")
        if "failed" in given and self.failed is None:
            raise ValueError("failed must be the reason as text if it is given")
        return self


_PROBES: Mapping[str, type[_Facts]] = {"affinity": _Affinity, "matching": _Matching}


def read_probe(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The checked result of the probe `name`; raises `ValueError` if the report cannot read it."""
    return _read(_PROBES.get(name, _ProbeResult), name, facts)


def read_generated(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The checked record of the generator of that kind; raises `ValueError` if the report cannot read it."""
    return _read(_Generated, kind, facts)


def _read(model: type[_Facts], name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return model.model_validate(facts).model_dump(exclude_unset=True)
    except ValidationError as faults:
        raise ValueError(f"{name}: {first_fault(faults)}") from None
