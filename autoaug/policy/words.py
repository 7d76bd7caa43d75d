"""What a policy does, in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby

from autoaug.policy.loading import builtin_files, read_policy
from autoaug.policy.models import Adversarial, Layer, Mixing, Operation, Policy, SubPolicy

#: The most operators of a choice that are named, and how many of a longer one.
_NAMED, _NAMED_OF_MANY = 6, 3
_ROUNDING = 1e-3
#: Within a sentence, a policy of a trial is called by its name if its description has more characters.
LONGEST = 100
#: The digits of magnitudes and probabilities, and of those of policies that read alike otherwise.
_DIGITS, _MORE_DIGITS = 2, 4


def in_words(policy: Policy, digits: int = _DIGITS) -> str:
    """What the policy does, in one line: published parts by their names, other layers by their operators, and numbers
    with so many digits.

    >>> from autoaug.policy.loading import load_policy
    >>> in_words(load_policy("flip-crop+trivialaugment-wide"))
    'flip-crop + trivialaugment-wide'
    >>> in_words(load_policy("none"))
    'no augmentation'
    """
    parts = [*_layers_in_words(policy.layers, digits)]
    if policy.schedule:
        parts.append(f"a schedule of {len(policy.schedule)} phases")
    if policy.chains:
        parts = [f"{policy.chains.width} averaged chains of ({' + '.join(parts)})"]
    if policy.synthetic:
        parts.append(f"{100 * policy.synthetic.share:.0f} % {policy.synthetic.kind} samples")
    if policy.mixing:
        parts.append(_mixing_in_words(policy.mixing, digits))
    if policy.adversarial:
        parts.append(_attack_in_words(policy.adversarial))
    if policy.regularization and policy.regularization.dropout:
        parts.append(f"dropout {policy.regularization.dropout:.{digits}g}")
    if policy.regularization and policy.regularization.weight_decay is not None:
        parts.append(f"weight decay {policy.regularization.weight_decay:.{digits}g}")
    copies = f", {policy.copies} copies" if policy.copies > 1 else ""
    return (" + ".join(parts) or "no augmentation") + copies


def in_distinct_words(policies: Sequence[Policy]) -> list[str]:
    """Each policy `in_words`, with more digits where several would read alike."""
    words = [in_words(policy) for policy in policies]
    same = Counter(words)
    return [
        in_words(policy, _MORE_DIGITS) if same[own] > 1 else own for policy, own in zip(policies, words, strict=True)
    ]


def policy_label(name: str, policy: Policy, trial: int | None) -> str:
    """What a policy is called: by what it does, if that is short and it comes from a trial, of which its name tells the
    number or the stage.

    >>> policy_label("trial-7", Policy(), 7), policy_label("mine", Policy(), None)
    ('no augmentation', 'mine')
    """
    words = name if trial is None else in_words(policy)
    return words if len(words) <= LONGEST else name


@cache
def _published() -> dict[str, tuple[Layer, ...]]:
    """The layers of the published policies that consist of layers alone, the longest first."""
    policies = {name: read_policy(name) for name in builtin_files()}
    plain = {
        name: policy.layers
        for name, policy in policies.items()
        if policy.layers and policy == Policy(name=policy.name, layers=policy.layers, provenance=policy.provenance)
    }
    return dict(sorted(plain.items(), key=lambda item: -len(item[1])))


def _layers_in_words(layers: Sequence[Layer], digits: int) -> Iterator[str]:
    """Parts joined by "+": runs of layers that a published policy has, and the other layers, equal ones together."""
    rest: list[Layer] = []
    start = 0
    while start < len(layers):
        known = next(
            ((name, len(own)) for name, own in _published().items() if tuple(layers[start : start + len(own)]) == own),
            None,
        )
        if known is None:
            rest.append(layers[start])
            start += 1
            continue
        yield from _counted(rest, digits)
        rest = []
        yield known[0]
        start += known[1]
    yield from _counted(rest, digits)


def _counted(layers: Sequence[Layer], digits: int) -> Iterator[str]:
    for layer, run in groupby(layers):
        count, words = len([*run]), _layer_in_words(layer, digits)
        yield f"{count} × {words}" if count > 1 else words


def _layer_in_words(layer: Layer, digits: int) -> str:
    choices = [sub_policy for sub_policy in layer.sub_policies if sub_policy.weight > 0]
    if len(choices) == 1:
        return _sequence_in_words(choices[0], digits)
    operations = [operation for sub_policy in choices for operation in sub_policy.operations]
    named = list(dict.fromkeys(operation.operator for operation in operations))
    names = ", ".join(named if len(named) <= _NAMED else [*named[:_NAMED_OF_MANY], "…"])
    what = "" if all(len(sub_policy.operations) <= 1 for sub_policy in choices) else " sequences"
    return f"one of {len(choices)}{what} ({names}){_strength_of(operations, digits)}"


def _sequence_in_words(sub_policy: SubPolicy, digits: int) -> str:
    return ", then ".join(f"{o.operator}{_strength_of([o], digits)}" for o in sub_policy.operations) or "Identity"


def _strength_of(operations: Sequence[Operation], digits: int) -> str:
    """The magnitudes that the operations reach, and their common probability; nothing for those that are only on or
    off.
    """
    graded = [o.magnitude for o in operations if o.magnitude != (1.0, 1.0)]
    words = ""
    if graded:
        low, high = min(low for low, _ in graded), max(high for _, high in graded)
        least, most = f"{low:.{digits}g}", f"{high:.{digits}g}"
        words = f" {most}" if all(high - low < _ROUNDING for low, high in graded) else f" up to {most}"
        words = words if low < _ROUNDING or "up to" not in words else f" {least} to {most}"
    likely = {o.probability for o in operations}
    return words + (f" at p {likely.pop():.{digits}g}" if len(likely) == 1 and likely != {1.0} else "")


def _mixing_in_words(mixing: Mixing, digits: int) -> str:
    return mixing.kind + (f" at p {mixing.probability:.{digits}g}" if mixing.probability < 1 else "")


def _attack_in_words(attack: Adversarial) -> str:
    own = {"magnitudes": "adversarial magnitudes", "worst-of": f"the worst of {attack.steps} changes"}
    kind = own.get(attack.kind, f"{attack.kind.upper()} attacks")
    return f"{kind} on {100 * attack.share:.0f} %"
