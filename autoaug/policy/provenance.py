"""Where a policy comes from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autoaug.policy.frozen import FrozenModel
from autoaug.utils.sketch import union


class Provenance(FrozenModel):
    """Where a policy comes from and what may be claimed about it; it does not affect what the policy does.

    Attributes:
        data, data_fingerprint: the data on which it was found.
        verdict: the verdict of the run, as text.
        metric: what the policy was chosen by.
        difference, ci95: the metric on the test split minus that of the strongest baseline, with its 95 % interval;
            shares in [-1, 1].
        license: the SPDX identifier of the license under which the policy is shared; its author fills it in.
        chosen_on: a sketch (see `autoaug.utils.sketch`) of the samples that it was chosen on: those that models were
            trained or scored on. These samples cannot judge it. Empty if unknown.
    """

    data: str
    data_fingerprint: str
    verdict: str
    metric: str = "accuracy"
    difference: float | None = None
    ci95: tuple[float, float] | None = None
    license: str | None = None
    chosen_on: Annotated[str, Field(pattern=r"^([0-9a-f]{12}( [0-9a-f]{12}){0,99})?$")] = ""


def joined(first: Provenance | None, second: Provenance | None) -> Provenance | None:
    """The provenance of two joined policies: the samples that they were chosen on, and no claim."""
    known = first or second
    if known is None:
        return None
    return Provenance(
        data=known.data,
        data_fingerprint=known.data_fingerprint,
        verdict="nothing is claimed about joined policies",
        chosen_on=union(first.chosen_on if first else "", second.chosen_on if second else ""),
    )
