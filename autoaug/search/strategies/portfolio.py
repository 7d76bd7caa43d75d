"""The shapes that a search begins with: those of its space, or a few that suit any families."""

from __future__ import annotations

from collections.abc import Iterator

from autoaug.search.sampling import REACH, Given, ShapeValues, sample_shaped, usual_shape
from autoaug.search.space import SearchSpace, Shape

#: How much weaker the best published policy is tried too, and as which of the shapes.
_WEAKER, _WEAKER_AT = 0.7, 4


def portfolio(space: SearchSpace, best: str | None = None, strength: float | None = None) -> Iterator[ShapeValues]:
    """Yield shapes that are worth a try on any data, each once, as values for `sample_shaped` within `space`: those of
    the space's own portfolio, or one or two layers of its families at `strength` (or the middle one), with and without
    mixing; and among the first the layers of the `best` published policy, as they are and weaker.
    """
    wanted = [values_of(space, shape) for shape in space.portfolio] or _derived(space, strength)
    if best is not None:
        published = {**values_of(space, Shape()), "layers of": best}
        wanted.insert(_WEAKER_AT, {**published, "reach": _WEAKER})
        wanted.insert(0, published)  # trained as a baseline already, so it costs nothing
    seen: set[str] = set()
    for shape in wanted:
        mark = f"{shape}" if shape["layers of"] != "space" else sample_shaped(space, Given(shape)).fingerprint()
        if mark not in seen:
            seen.add(mark)
            yield shape


def values_of(space: SearchSpace, shape: Shape) -> ShapeValues:
    """A shape as values for `sample_shaped`, moved to the nearest ones that the space allows."""
    base: ShapeValues = {b.operator: "on" if b.operator in shape.base else "off" for b in space.base}
    magnitudes = {f"{name}.magnitude": magnitude for name, magnitude in shape.base.items()}
    values = {
        "layers of": shape.layers_of or "space",
        "reach": shape.reach,
        "layers": shape.layers,
        "probability": shape.probability,
        "strength": shape.strength,
        "mixing": shape.mixing if shape.mixing in space.mixing.kinds else space.mixing.kinds[0],
        "mixing.probability": shape.mixing_probability,
        "mixing.alpha": shape.alpha,
        "copies": shape.copies,
        "extra": shape.extra,
        "extra.strength": shape.strength,
    }
    usual = usual_shape(space)
    if shape.family is not None:
        values["family"] = shape.family
    if "adversarial" in usual:
        kinds = space.adversarial.shaped
        values["adversarial"] = shape.adversarial if shape.adversarial in kinds else kinds[0]
    return within(space, {**usual, **base, **magnitudes, **values})


def within(space: SearchSpace, values: ShapeValues) -> ShapeValues:
    """The nearest values that the space allows."""
    ranges: dict[str, tuple[float, float]] = {
        "layers": space.layers,
        "reach": REACH,
        "strength": space.strength,
        "extra.strength": space.strength,
        "probability": space.probability,
        "mixing.probability": space.mixing.probability,
        "mixing.alpha": space.mixing.alpha,
        "copies": space.copies,
    }
    ranges |= {f"{base.operator}.magnitude": base.magnitude for base in space.base}
    return {
        name: min(ranges[name][1], max(ranges[name][0], value)) if name in ranges else value
        for name, value in values.items()
    }


def _derived(space: SearchSpace, strength: float | None) -> list[ShapeValues]:
    """A few shapes of the space's own families."""
    low, high = space.strength
    middle = low + 0.5 * (high - low) if strength is None else strength
    usual, bare = usual_shape(space), {base.operator: "off" for base in space.base}
    mixings = [{"mixing": kind, "mixing.probability": 0.5} for kind in space.mixing.kinds if kind != "none"]
    changes: list[ShapeValues] = [{"layers": 2}, {"layers": 2, "strength": 0.5 * middle}]
    for family in space.families:
        changes += [{"layers": 2, "family": family, **bare}, {"layers": 1, "family": family}]
    changes += [{"layers": 1, **mixing} for mixing in mixings] + [{"layers": 0, **mixing} for mixing in mixings]
    changes += [{"layers": 0}]
    return [within(space, {**usual, "strength": middle, **change}) for change in changes]
