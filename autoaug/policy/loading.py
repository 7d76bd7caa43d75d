"""Load policies by name or from files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, reduce
from operator import add
from pathlib import Path

from autoaug.errors import PolicyError, UnknownName
from autoaug.modalities.base import Modality
from autoaug.modalities.kinds import fitting_modality
from autoaug.modalities.operators import IDENTITY, get_operator
from autoaug.modalities.registry import all_modalities
from autoaug.policy.models import Layer, Policy, SubPolicy
from autoaug.utils.files import read_text
from autoaug.utils.yaml import MOST_BYTES, parse_yaml, validate


def modality_of_policy(policy: Policy, given: str | None = None) -> Modality:
    """The modality of the samples of a policy: that of its operators, or the first one that has its kinds of mixing,
    attacks and generators; or the `given` one. Raises the errors of `check_known`, also where the given one lacks any.
    """
    return fitting_modality(policy.operator_names(), policy.kinds(), given)


def check_known(policy: Policy) -> Policy:
    """The policy itself.

    Raises:
        UnknownName: it uses an operator that is not registered.
        PolicyError: its operators are of several modalities, or theirs has not the kinds of the rest; or it has
            `learned` for an operator that learns nothing.
    """
    modality_of_policy(policy)
    for name, _ in policy.learned:
        if name == IDENTITY or get_operator(name).learns is None:
            raise PolicyError(f"policy {policy.name!r} has `learned` for {name}, which learns nothing; remove it")
    return policy


def check_modality(policy: Policy, name: str) -> None:
    """Raise `PolicyError` where the modality with that name, which the data are of, has not all of the policy."""
    try:
        modality_of_policy(policy, name)
    except PolicyError as fault:
        raise PolicyError(f"policy {policy.name!r} does not fit the data: {fault}") from None


def check_can_work(policy: Policy, lacking: Mapping[str, str]) -> None:
    """Raise `PolicyError` if the policy has one of the `lacking` operators, which have nothing to work with."""
    for name in policy.operator_names():
        if name in lacking:
            raise PolicyError(f"policy {policy.name!r} has {name}, which would change nothing: {lacking[name]}")


def load_policy(given: str | Path | Policy) -> Policy:
    """The policy of that name, file or run folder, or names joined by ``+``, with operators and kinds that there are; a
    policy is itself.

    Raises:
        PolicyError: the file breaks a rule of the format, or the folder has no policy.
        UnknownName: there is no such policy, or it uses an operator that is not registered.
    """
    return check_known(given if isinstance(given, Policy) else read_policy(given))


def builtin_files() -> dict[str, Path]:
    """The files of the named policies: those of every modality, and ``none``, which belongs to no modality."""
    folders = [Path(__file__).parent / "policies", *(m.policies for m in all_modalities().values() if m.policies)]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}


def builtin_names() -> list[str]:
    """Names of the policies that come with all modalities, including those of third parties."""
    return sorted(builtin_files())


def parse_policy(text: str, source: str = "policy") -> Policy:
    """Parse a policy from a YAML (or JSON) document; raises `PolicyError` with the line and the rule."""
    return validate(Policy, parse_yaml(text, source, PolicyError), PolicyError)


def randaugment(n: int = 2, m: float = 9.0) -> Policy:
    """RandAugment (Cubuk et al., 2020): `n` operators (1 to 16) at strength `m` of 30, with torchvision's ranges.

    Raises:
        PolicyError: `n` or `m` is out of range.
    """
    if not (1 <= n <= 16 and 0 <= m <= 30):
        raise PolicyError(f"randaugment takes n from 1 to 16 and m from 0 to 30, not n = {n}, m = {m:g}")
    base = read_policy("randaugment")  # with m = 9; operators without a strength have magnitude 1
    operations = [
        o if o.magnitude == (1.0, 1.0) else o.model_copy(update={"magnitude": (round(o.magnitude[0] * m / 9, 6),) * 2})
        for sub_policy in base.layers[0].sub_policies
        for o in sub_policy.operations
    ]
    layer = Layer(sub_policies=tuple(SubPolicy(operations=(operation,)) for operation in operations))
    return Policy(name=f"randaugment({n},{m:g})", layers=(layer,) * n)


def published_policy(name: str) -> Policy | None:
    """The published policy of that name, or several joined by ``+``; None if there is none. Files are not looked at."""
    parts = [_published(part) for part in name.split("+")]
    if not all(parts):
        return None
    with suppress(PolicyError):  # they cannot be joined
        return reduce(add, [part for part in parts if part])
    return None


def _published(name: str) -> Policy | None:
    """The published policy of that single name; None if there is none."""
    if name in (files := builtin_files()):
        return _parsed(files[name])
    if given := re.fullmatch(r"randaugment\(\s*(?:n\s*=\s*)?(\d+)\s*,\s*(?:m\s*=\s*)?(\d+(?:\.\d+)?)\s*\)", name):
        return randaugment(int(given[1]), float(given[2]))
    return None


@cache
def _parsed(file: Path) -> Policy:
    """The policy in the file of a named one. Its name is the file's; it is parsed once, which takes milliseconds."""
    return parse_policy(read_text(file, PolicyError), file.stem)


def read_policy(name_or_path: str | Path) -> Policy:
    """The policy of that name, file or run folder, or names joined by ``+``; its operators and kinds are not
    looked up.

    Names are those of `builtin_names`, and ``randaugment(n,m)``. A folder with such a name is written ``./none``.

    Raises:
        PolicyError: the file breaks a rule of the format, the folder has no policy, or there is nothing at the path.
        UnknownName: there is no such name.
    """
    text, path = str(name_or_path), Path(name_or_path)
    if path.is_file():
        return parse_policy(read_text(path, PolicyError, at_most=MOST_BYTES), str(path))
    if (published := _published(text)) is not None:
        return published
    if path.is_dir():
        if not (path / "policy.yaml").is_file():
            raise PolicyError(f"{text} has no policy.yaml; a run folder has one when the run is finished")
        return read_policy(path / "policy.yaml")
    if "+" in text:
        first, rest = text.split("+", 1)
        return read_policy(first) + read_policy(rest)
    if path.suffix in {".yaml", ".yml", ".json"} or "/" in text:
        raise PolicyError(f"there is no policy file or run folder {text!r}")
    raise UnknownName("policy", text, builtin_names())
