"""Training the GAN: hinge loss, lazy R1, averaged weights, and our own operators in front of the discriminator."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from autoaug.data.splits import Samples
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.generate.gaussian import at_once, fit_pca
from autoaug.generate.networks import LATENT, PACKED, Discriminator, Generator
from autoaug.policy.models import Operation, Policy, in_turn
from autoaug.training.device import precision
from autoaug.training.feed import float_batches
from autoaug.utils.seeds import derive_seed

_BATCH = 48
_RATE, _BETAS = 2e-4, (0.0, 0.9)
_AVERAGE = 0.999
#: R1 (Mescheder et al., 2018) is taken every so many steps, with a weight as if it were taken at each.
_R1, _R1_EVERY = 10.0, 8
#: Passes over the training images where nobody says: a small set's discriminator soon knows it by heart, and samples
#: become worse. On 1,000 Fashion-MNIST images they were best after 500 to 1,000 steps.
_PASSES, _FEWEST, _MOST = 40, 400, 20_000
#: Adapting a given generator, only norms and embeddings learn: far fewer parameters, at a higher rate.
_ADAPTER_RATE = 1e-3


#: Differentiable augmentation (Zhao et al., 2020): real and made images are shifted and cut in the same ways.
AUGMENTATION = Policy(
    name="diffaugment",
    layers=in_turn(
        Operation(operator="TranslateX", magnitude=(0.0, 0.125)),
        Operation(operator="TranslateY", magnitude=(0.0, 0.125)),
        Operation(operator="Cutout", magnitude=(0.0, 0.6)),
    ),
)


class Collapsed(ArithmeticError):
    """The training of a generator failed: its loss is not finite, or its samples of a class are all alike."""


def default_steps(images: int) -> int:
    """How many steps a training on so many images takes where nobody says."""
    return min(_MOST, max(_FEWEST, round(_PASSES * images / _BATCH)))


@dataclass
class GanTraining:
    """A training under way; `average` is the generator whose samples are used."""

    generator: Generator
    discriminator: Discriminator
    average: Generator
    optimizers: tuple[torch.optim.Adam, torch.optim.Adam]
    steps: int = 0

    def state(self) -> dict[str, Tensor]:
        """All that it continues from, as tensors by name."""
        found = {"steps": torch.tensor(self.steps)}
        for part in ("generator", "discriminator", "average"):
            found |= {f"{part}.{name}": tensor for name, tensor in getattr(self, part).state_dict().items()}
        for i, optimizer in enumerate(self.optimizers):
            for key, values in optimizer.state_dict()["state"].items():
                found |= {f"optimizer.{i}.{key}.{name}": torch.as_tensor(value) for name, value in values.items()}
        return found

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Go on from a state; raises `RuntimeError` or `KeyError` where it is another network's."""
        self.steps = int(tensors["steps"])
        for part in ("generator", "discriminator", "average"):
            own = {k.removeprefix(f"{part}."): v for k, v in tensors.items() if k.startswith(f"{part}.")}
            getattr(self, part).load_state_dict(own)
        for i, optimizer in enumerate(self.optimizers):
            states: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                if key.startswith(f"optimizer.{i}."):
                    _, _, index, name = key.split(".", 3)
                    states.setdefault(int(index), {})[name] = value
            optimizer.load_state_dict({**optimizer.state_dict(), "state": states})


def new_gan(train: Samples, classes: int, seed: int, source: dict[str, Tensor] | None = None) -> GanTraining:
    """A fresh training on the images of `train`; with the weights of a given generator as `source`, one that adapts it:
    only its norms and embeddings, and what depends on the number of classes, learn.
    """
    gaussians = fit_pca(train, classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator, discriminator = Generator(**gaussians), Discriminator(train.inputs.shape, classes)
    learned, rate = list(generator.parameters()), _RATE
    if source is not None:
        own = generator.state_dict()
        given = {name: t for name, t in source.items() if name in own and name not in gaussians}
        fitting = {name: t for name, t in given.items() if own[name].shape == t.shape}
        generator.load_state_dict(own | fitting)
        for name, parameter in generator.named_parameters():
            parameter.requires_grad_(name not in fitting or "norms" in name)
        learned, rate = [p for p in generator.parameters() if p.requires_grad], _ADAPTER_RATE
    average = copy.deepcopy(generator).requires_grad_(False).eval()
    optimizers = (
        torch.optim.Adam(learned, rate, _BETAS),
        torch.optim.Adam(discriminator.parameters(), _RATE, _BETAS),
    )
    return GanTraining(generator, discriminator, average, optimizers)


def train_gan(training: GanTraining, samples: Samples, steps: int, seed: int, device: str, every: int) -> Iterator[int]:
    """Train in place up to `steps` in all, yielding the number of steps done every so many of them, and at the end.
    What is drawn at a step follows from `seed` and the step, so that an interrupted training goes on as it would have.

    Raises:
        Collapsed: a loss is not finite.
    """
    for part in (training.generator, training.discriminator, training.average):
        part.to(device).to(memory_format=torch.channels_last)
    training.generator.train()
    labels = torch.from_numpy(samples.labels)
    by_class = [torch.nonzero(labels == c).squeeze(1) for c in torch.unique(labels)]
    while training.steps < steps:
        generator = torch.Generator().manual_seed(derive_seed(seed, "gan", training.steps))
        rows = _packs(by_class, generator)
        real = next(float_batches(samples.inputs, iter([rows.flatten().numpy()]), device))
        kinds = labels[rows[:, 0]].to(device)
        loss = _step(training, real, kinds, generator, device)
        training.steps += 1
        if not math.isfinite(loss):
            raise Collapsed(f"the loss of the generator is not finite after {training.steps} of {steps} steps")
        if training.steps % every == 0 or training.steps == steps:
            yield training.steps


def _packs(by_class: list[Tensor], generator: torch.Generator) -> Tensor:
    """Rows ``[n, PACKED]`` of one class each; classes as often as they are."""
    sizes = torch.tensor([float(len(rows)) for rows in by_class])
    kinds = torch.multinomial(sizes, _BATCH // PACKED, replacement=True, generator=generator)
    return torch.stack(
        [by_class[k][torch.randint(len(by_class[k]), (PACKED,), generator=generator)] for k in kinds.tolist()]
    )


def _augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    return apply_plan(draw_plan(AUGMENTATION, len(images), generator), images, check=False)


def _packed(images: Tensor) -> Tensor:
    return images.view(-1, PACKED, *images.shape[1:])


def _step(training: GanTraining, real: Tensor, kinds: Tensor, generator: torch.Generator, device: str) -> float:
    each = kinds.repeat_interleave(PACKED)
    ours, theirs = training.optimizers

    def made() -> Tensor:
        images: Tensor = training.generator(torch.randn(len(each), LATENT, generator=generator).to(device), each)
        return images

    with torch.no_grad(), precision(device):
        fake = made().float()
    shown = _packed(_augmented(real, generator))
    penalized = training.steps % _R1_EVERY == 0
    if penalized:
        shown = shown.detach().requires_grad_()
    with precision(device):
        scores = training.discriminator(shown, kinds).float()
        others = training.discriminator(_packed(_augmented(fake, generator)), kinds).float()
    loss = relu(1 - scores).mean() + relu(1 + others).mean()
    if penalized:
        (slope,) = torch.autograd.grad(scores.sum(), shown, create_graph=True)
        loss = loss + _R1 / 2 * _R1_EVERY * slope.flatten(1).square().sum(1).mean()
    _descend(theirs, loss)
    with precision(device):
        fooling = -training.discriminator(_packed(_augmented(made().float(), generator)), kinds).float().mean()
    _descend(ours, fooling)
    _follow(training.average, training.generator)
    return float(loss.detach() + fooling.detach())


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimizer.step()


@torch.no_grad()
def _follow(average: nn.Module, current: nn.Module) -> None:
    for kept, new in zip(average.parameters(), current.parameters(), strict=True):
        kept.lerp_(new, 1 - _AVERAGE)
    for buffer, now in zip(average.buffers(), current.buffers(), strict=True):
        buffer.copy_(now)


@torch.no_grad()
def sample_gan(generator: Generator, labels: np.ndarray, seed: int, device: str) -> np.ndarray:
    """A sample for each of ``labels [n]``, uint8 ``[n, C, H, W]``; the same seed makes the same."""
    draw = torch.Generator().manual_seed(seed)
    generator.to(device).eval()
    found = []
    for part in torch.split(torch.from_numpy(labels), at_once(generator.components)):
        images = generator(torch.randn(len(part), LATENT, generator=draw).to(device), part.to(device))
        found.append((images * 255).round().to(torch.uint8).cpu())
    return torch.cat(found).numpy() if found else np.empty((0,), np.uint8)
