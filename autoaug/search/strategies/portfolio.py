"""Policy shapes that work well in practice, for a search to begin with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from autoaug.search.sampling import usual_shape
from autoaug.search.space import SearchSpace


def portfolio(
    space: SearchSpace, published: Iterable[str] = (), best: str | None = None, strength: float | None = None
) -> Iterator[dict[str, Any]]:
    """Yield shapes that work well in practice, each once, as values for `sample_shaped` within `space`: the layers of
    each `published` policy after the usual base operations, alone and with mixing; the layers of the `best` of them
    without base operations, weaker or mixed; and one or two layers of the space's own families at `strength` (or the
    middle one).
    """
    usual = usual_shape(space)
    families = list(space.families)
    low, high = space.strength
    middle = low + 0.5 * (high - low) if strength is None else strength
    second = {"family": families[min(2, len(families) - 1)]} if families else {}
    cutmix, mixup = (
        {"mixing": kind, "mixing.probability": 0.3, "mixing.alpha": 0.2} if kind in space.mixing.kinds else {}
        for kind in ("cutmix", "mixup")
    )
    bare = {base.operator: "off" for base in space.base}
    wanted: list[dict[str, Any]] = []
    for name in published:
        wanted += [{"layers of": name}, {"layers of": name, **cutmix}]
    if best is not None:
        wanted += [{"layers of": best, "reach": reach, **bare} for reach in (0.9, 0.7)]
        wanted += [{"layers of": best, **mixup, **bare}]
    wanted += [
        {"layers": 2, "strength": middle},
        {"layers": 2, "strength": middle, **second, **cutmix},
        {"layers": 1, "strength": middle, **bare},
        {"layers": 0, **cutmix},
    ]
    shapes = [{name: _within(space, name, value) for name, value in {**usual, **values}.items()} for values in wanted]
    yield from (shape for i, shape in enumerate(shapes) if shape not in shapes[:i])


def _within(space: SearchSpace, name: str, value: Any) -> Any:
    """The nearest value that the space allows."""
    ranges = {
        "layers": space.layers,
        "strength": space.strength,
        "probability": space.probability,
        "mixing.probability": space.mixing.probability,
        "mixing.alpha": space.mixing.alpha,
    }
    if name not in ranges:
        return value
    low, high = ranges[name]
    return min(high, max(low, value))
