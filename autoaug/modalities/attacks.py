"""Attacks on samples of any shape, for use by modalities: along the gradient, and the worst of random changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.modalities.base import Loss
from autoaug.policy.models import Adversarial, Layer, Operation, Policy, SubPolicy

_NORMS = {"linf": "L-infinity", "l2": "L2"}
#: The distance from the sample at which the first step starts if the loss is flat there, like a divergence from it.
_ASIDE = 1e-3


@dataclass(frozen=True)
class GradientAttack:
    """FGSM takes one step from the sample (Goodfellow et al., 2015); PGD takes several steps of ``2.5 epsilon / steps``
    from a random start (Madry et al., 2018). Values stay within ``how.epsilon`` of the originals in ``how.norm``.

    Args:
        bounds: the lowest and the highest value.
        levels: the highest stored value, to show radii as fractions such as 2/255; 0 shows them as decimals.
    """

    bounds: tuple[float, float]
    levels: int = 0

    def __call__(self, loss: Loss, values: Tensor, how: Adversarial, generator: torch.Generator) -> Tensor:
        """See `autoaug.modalities.base.Attack`."""
        step, moved = how.epsilon, values.detach()
        if how.kind == "pgd":
            step = 2.5 * how.epsilon / how.steps
            own = generator_on(values.device, generator)
            start = torch.rand(values.shape, generator=own, device=own.device).to(values) * 2 - 1
            moved = self._within(values, values + how.epsilon * (start if how.norm == "linf" else unit(start)), how)
        elif how.loss == "trades":
            own = generator_on(values.device, generator)
            aside = torch.randn(values.shape, generator=own, device=own.device).to(values)
            moved = self._within(values, values + _ASIDE * aside, how)
        for _ in range(how.steps):
            moved = moved.detach().requires_grad_()
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(loss(moved).sum(), moved)
            towards = gradient.sign() if how.norm == "linf" else unit(gradient)
            moved = self._within(values, moved.detach() + step * towards, how)
        return moved

    def words(self, how: Adversarial) -> str:
        """The attack as text for readers."""
        radius = f"{how.epsilon:.3g}"
        if self.levels and how.norm == "linf":
            radius = f"{how.epsilon * self.levels:.3g}/{self.levels}"
        return f"{how.kind.upper()} ({_NORMS[how.norm]}, radius {radius}, {how.steps} steps)"

    def _within(self, values: Tensor, moved: Tensor, how: Adversarial) -> Tensor:
        """Project `moved` onto the ball around `values` and onto the bounds."""
        away = moved - values
        if how.norm == "linf":
            away = away.clamp(-how.epsilon, how.epsilon)
        else:
            away = away * (how.epsilon / _lengths(away)).clamp(max=1)
        return (values + away).clamp(*self.bounds)


class FastGradient:
    """FGM: one step along the gradient of the loss, of a length that is ``how.epsilon`` times that of the sample's own
    vectors (Miyato et al., 2017, who scale the vectors instead). Vectors of zeros, which are padding, stay.
    """

    def __call__(self, loss: Loss, values: Tensor, how: Adversarial, generator: torch.Generator) -> Tensor:
        """See `autoaug.modalities.base.Attack`; the values are vectors ``[n, L, d]``."""
        scale = _lengths(values) * (values != 0).any(2, keepdim=True)

        def of_units(units: Tensor) -> Tensor:
            return loss(units * scale)

        step = GradientAttack((-math.inf, math.inf))
        return step(of_units, values / _lengths(values), how, generator) * scale

    def words(self, how: Adversarial) -> str:
        """The attack as text for readers."""
        return f"FGM ({100 * how.epsilon:.2g} % of the length of a sample's vectors)"


@dataclass(frozen=True)
class WorstOf:
    """Of ``how.steps`` random changes, each by one of the operators, take for each sample the one with the highest
    loss, if that is above the loss of the sample itself. This needs no gradient, and so suits every modality
    (worst-of-K of Engstrom et al., 2019, for turned and shifted images).

    Args:
        modality: the name of the samples' modality.
        reach: the operators, which must keep the label, each with its magnitude per unit of ``how.epsilon``; magnitudes
            end at 1.
        changes: what the operators do, for readers; ``{radius}`` and ``{percent}`` stand for ``how.epsilon``.
    """

    modality: str
    reach: Mapping[str, float]
    changes: str

    def __call__(self, loss: Loss, values: Tensor, how: Adversarial, generator: torch.Generator) -> Tensor:
        """See `autoaug.modalities.base.Attack`."""
        magnitudes = {name: min(1.0, reach * how.epsilon) for name, reach in self.reach.items()}
        choices = tuple(
            SubPolicy(operations=(Operation(operator=name, magnitude=(magnitude, magnitude)),))
            for name, magnitude in magnitudes.items()
        )
        policy, worst = Policy(layers=(Layer(sub_policies=choices),)), values
        with torch.no_grad():
            highest = loss(values)
            for _ in range(how.steps):
                moved = apply_plan(draw_plan(policy, len(values), generator, self.modality), values, check=False)
                found = loss(moved)
                is_worse = (found > highest).view(-1, *(1,) * (values.ndim - 1))
                worst, highest = torch.where(is_worse, moved, worst), torch.maximum(found, highest)
        return worst

    def words(self, how: Adversarial) -> str:
        """The attack as text for readers."""
        changes = self.changes.format(radius=f"{how.epsilon:.3g}", percent=f"{100 * how.epsilon:.2g} %")
        return f"worst of {how.steps} {changes}"


def generator_on(device: torch.device, generator: torch.Generator) -> torch.Generator:
    """The generator, if it is on that device, or else one there with a seed drawn from it: numbers for all values of a
    batch are too many to be sent.
    """
    if generator.device.type == device.type:
        return generator
    seed = torch.randint(2**62, (), generator=generator, device=generator.device)
    return torch.Generator(device).manual_seed(int(seed))


def unit(vectors: Tensor) -> Tensor:
    """Each sample's vector scaled to length 1."""
    return vectors / _lengths(vectors)


def _lengths(vectors: Tensor) -> Tensor:
    """The length of each sample's vector, ``[n, 1, …]``."""
    lengths: Tensor = vectors.flatten(1).norm(dim=1).clamp(min=1e-12)
    return lengths.view(-1, *(1,) * (vectors.ndim - 1))
