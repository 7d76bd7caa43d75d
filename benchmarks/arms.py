"""The arms of the benchmark of generated data: policies, each with the arm it is compared with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import NamedTuple

import autoaug
from autoaug.policy.models import Adversarial, Policy, Synthetic


class Arm(NamedTuple):
    """A policy, the name of the arm it is compared with, and whether a training has as many ``samples`` or as many
    ``epochs`` as a training without copies.
    """

    policy: Policy
    against: str
    equal: str = "samples"


def arms(usual: Policy) -> dict[str, Arm]:
    """All arms by name: without other augmentation, and on top of the `usual` policy."""
    top = usual.name
    named = {"none": Arm(Policy(), "none"), top: Arm(usual, top)}
    for copies in (2, 4, 8):
        for equal in ("samples", "epochs"):
            policy = usual.model_copy(update={"copies": copies})
            named[f"{top}, K = {copies}, equal {equal}"] = Arm(policy, top, equal)
    for name, base in (("none", Policy()), (top, usual)):
        named |= dict(_on(name, base))
    how = Adversarial(kind="magnitudes", epsilon=0.2)
    named[f"{top}, adversarial magnitudes"] = Arm(usual.model_copy(update={"adversarial": how}), top)
    return named


def _on(name: str, base: Policy) -> Iterator[tuple[str, Arm]]:
    """Generated samples and attacks on top of a policy."""
    for kind in ("gan", "pca"):
        for share, confidence in ((0.25, 0.0), (0.5, 0.0), (0.5, 0.9)):
            synthetic = Synthetic(kind=kind, share=share, confidence=confidence)
            sure = f" surer than {confidence:g}" if confidence else ""
            yield f"{name}, {kind} {share:g}{sure}", Arm(base.model_copy(update={"synthetic": synthetic}), name)
    for attack, how in {
        "FGSM": Adversarial(kind="fgsm", epsilon=2 / 255),
        "TRADES": Adversarial(kind="pgd", steps=3, epsilon=2 / 255, loss="trades", beta=1.0),
    }.items():
        yield f"{name}, {attack}", Arm(base.model_copy(update={"adversarial": how}), name)


def searched(data: str, seed: int) -> Policy:
    """The best searched policy from a space that includes copies, generated samples and attacks."""
    with tempfile.TemporaryDirectory() as scratch:
        result = autoaug.search(
            data,
            space="regularized",
            budget="10x",
            seed=seed,
            seeds=2,
            max_seeds=2,
            workers=1,
            out=f"{scratch}/run",
            allow=("leak", "conflict"),
            finalists=1,
        )
    return next(c.policy for c in result.candidates if c.kind == "searched")
