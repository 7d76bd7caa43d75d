"""Shapes to choose the next trial from, and the choice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from autoaug.policy.models import Policy
from autoaug.search.sampling import Drawn, Given, ShapeValues, Suggest
from autoaug.search.space import SearchSpace
from autoaug.search.strategies.base import TrialRecord
from autoaug.search.strategies.surrogate import expected_scores

#: The share of the random shapes that have the layers of a published policy.
_PUBLISHED = 0.25

Drawing = Callable[[SearchSpace, Suggest], Policy]


class ShapedPolicy(NamedTuple):
    """The values of a shape, by the name of the choice, and the policy that they make."""

    values: ShapeValues
    policy: Policy


def known_shapes(space: SearchSpace, draw: Drawing, shapes: Sequence[ShapeValues]) -> Iterator[ShapedPolicy]:
    """Candidates with the values of `shapes`."""
    for values in shapes:
        yield ShapedPolicy(values, draw(space, Given(values)))


def random_shapes(
    space: SearchSpace, draw: Drawing, published: Collection[str], generator: np.random.Generator
) -> Iterator[ShapedPolicy]:
    """Endless random candidates: in one of four, the layers are those of a `published` policy."""
    names = list(published)
    while True:
        takes = bool(names) and generator.random() < _PUBLISHED
        drawn = Drawn(generator, {"layers of": names[int(generator.random() * len(names))] if takes else "space"})
        policy = draw(space, drawn)
        yield ShapedPolicy(drawn.values, policy)


def most_promising(alike: Sequence[TrialRecord], candidates: Sequence[ShapedPolicy]) -> ShapedPolicy | None:
    """The candidate with the highest expected score, given trials that are `alike`, which have no other condition in
    common than that of the trial to come; None if all were tried, or nothing is known yet.

    Policies of which least is known are not preferred: among hundreds of random ones they are the extreme ones, which
    in real trainings are too strong (reports/README.md, "Searches replayed").
    """
    known = [(record.policy, record.score) for record in alike if record.score is not None]
    if not known:
        return None
    tried = {record.fingerprint for record in alike}
    # Rounded, so that of policies with the same traits the first is taken on any machine.
    expected = expected_scores(known, [candidate.policy for candidate in candidates]).round(6)
    ranked = (candidates[number] for number in (-expected).argsort(kind="stable"))
    return next((candidate for candidate in ranked if candidate.policy.fingerprint() not in tried), None)
