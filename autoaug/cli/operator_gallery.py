"""The registered operators as rows."""

from __future__ import annotations

from typing import Any

from autoaug.modalities.operators import all_operators


def rows() -> list[dict[str, Any]]:
    """Each operator's name, modality, family, sign, range of values and unit, in the order of the families."""
    ordered = sorted(all_operators().values(), key=lambda o: (o.modality, o.family, o.name))
    return [
        {
            "name": o.name,
            "modality": o.modality,
            "family": o.family,
            "signed": o.signed,
            "range": [-o.limit if o.signed else 0.0, o.limit],
            "unit": o.unit,
            "summary": o.summary,
        }
        for o in ordered
    ]
