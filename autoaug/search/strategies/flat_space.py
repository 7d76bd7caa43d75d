"""The check for flat spaces, in which every policy has the same dimensions."""

from __future__ import annotations

from autoaug.errors import SpaceError
from autoaug.search.space import SearchSpace


def check_flat(strategy: str, space: SearchSpace, may_choose: bool) -> None:
    """Raise `SpaceError` unless every policy of `space` has the same dimensions. If not `may_choose`, all dimensions
    must also be numbers.
    """
    if cause := _first_that_depends(space) or (None if may_choose else _first_choice(space)):
        flat = "flat spaces" if may_choose else "only flat numeric spaces"
        others = "tpe, random and auto take every space" + ("" if may_choose else "; gp takes choices")
        raise SpaceError(f"strategy {strategy!r} takes {flat}, but in space {space.name!r} {cause}; {others}")


def _first_that_depends(space: SearchSpace) -> str | None:
    fewest, most = space.layers
    if fewest < most:
        return f"there are {fewest} to {most} layers, each with its own dimensions"
    for base in space.base:
        if base.magnitude[0] < base.magnitude[1]:
            return f"the magnitude of {base.operator} depends on whether it is on"
    for what in ("mixing", "adversarial", "synthetic"):
        kinds = getattr(space, what).kinds
        if len(kinds) > 1:
            return f"{what} is one of {', '.join(kinds)}, each with its own dimensions"
    return None


def _first_choice(space: SearchSpace) -> str | None:
    if space.base:
        return f"{space.base[0].operator} is on or off"
    if len(space.families) > 1 and space.layers[1]:
        return "a layer is of one of several families"
    for what in ("norms", "losses"):
        if len(getattr(space.adversarial, what)) > 1 and space.adversarial.kinds != ("none",):
            return f"an attack is of one of several {what}"
    return None
