"""The GAN and its training: hinge loss, lazy R1, averaged weights, and augmentation before the discriminator."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from autoaug.data.splits import Samples
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.modalities.generators import Collapsed
from autoaug.modalities.image.generators.gaussian import at_once, check_gaussians, fit_pca
from autoaug.modalities.image.generators.networks import LATENT, PACKED, Discriminator, Generator
from autoaug.policy.models import Operation, Policy, in_turn
from autoaug.training.device import precision
from autoaug.training.feed import float_batches
from autoaug.utils.seeds import derive_seed

_BATCH = 48
_RATE, _BETAS = 2e-4, (0.0, 0.9)
_AVERAGE = 0.999
#: The weight of R1 (Mescheder et al., 2018), and how often it is applied; it is scaled up as if applied at every step.
_R1, _R1_EVERY = 10.0, 8
#: The default number of passes over the training images, and bounds on the steps. The discriminator soon memorizes a
#: small set, and samples get worse: on 1,000 Fashion-MNIST images, they were best after 500 to 1,000 steps.
_PASSES, _FEWEST, _MOST = 40, 400, 20_000
#: The learning rate for adapting another generator: only norms and embeddings are trained, with a higher rate.
_ADAPTER_RATE = 1e-3


#: Differentiable augmentation (Zhao et al., 2020) of real and generated images.
AUGMENTATION = Policy(
    name="diffaugment",
    layers=in_turn(
        Operation(operator="TranslateX", magnitude=(0.0, 0.125)),
        Operation(operator="TranslateY", magnitude=(0.0, 0.125)),
        Operation(operator="Cutout", magnitude=(0.0, 0.6)),
    ),
)


@dataclass
class GanFit:
    """A running training on `samples`; the images are drawn from the network `average`."""

    samples: Samples
    seed: int
    generator: Generator
    discriminator: Discriminator
    average: Generator
    optimizers: tuple[torch.optim.Adam, torch.optim.Adam]
    steps: int = 0

    def run(self, steps: int, device: str, every: int) -> Iterator[int]:
        """Train up to a total of `steps`; yield the number taken after `every` that many steps, and at the end. The
        random numbers of a step follow from the seed and the step, so that an interrupted training can be resumed
        exactly.

        Raises:
            Collapsed: a loss is not finite.
        """
        for part in (self.generator, self.discriminator, self.average):
            part.to(device).to(memory_format=torch.channels_last)
        self.generator.train()
        labels = torch.from_numpy(self.samples.labels)
        by_class = [torch.nonzero(labels == c).squeeze(1) for c in torch.unique(labels)]
        while self.steps < steps:
            generator = torch.Generator().manual_seed(derive_seed(self.seed, "gan", self.steps))
            rows = _packs(by_class, generator)
            real = next(float_batches(self.samples.inputs, iter([rows.flatten().numpy()]), device, "image"))
            kinds = labels[rows[:, 0]].to(device)
            loss = _step(self, real, kinds, generator, device)
            self.steps += 1
            if not math.isfinite(loss):
                raise Collapsed(f"the loss of the generator is not finite after {self.steps} of {steps} steps")
            if self.steps % every == 0 or self.steps == steps:
                yield self.steps

    def tensors(self) -> dict[str, Tensor]:
        """The learned tensors."""
        return dict(self.average.state_dict())

    def state(self) -> dict[str, Tensor]:
        """The state from which the training can be resumed, as tensors by name."""
        state = {"steps": torch.tensor(self.steps)}
        for part in ("generator", "discriminator", "average"):
            state |= {f"{part}.{name}": tensor for name, tensor in getattr(self, part).state_dict().items()}
        for i, optimizer in enumerate(self.optimizers):
            for key, values in optimizer.state_dict()["state"].items():
                state |= {f"optimizer.{i}.{key}.{name}": torch.as_tensor(value) for name, value in values.items()}
        return state

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Resume from a state; raises `RuntimeError` or `KeyError` if it belongs to another network."""
        self.steps = int(state["steps"])
        for part in ("generator", "discriminator", "average"):
            own = {k.removeprefix(f"{part}."): v for k, v in state.items() if k.startswith(f"{part}.")}
            getattr(self, part).load_state_dict(own)
        for i, optimizer in enumerate(self.optimizers):
            states: dict[int, dict[str, Tensor]] = {}
            for key, value in state.items():
                if key.startswith(f"optimizer.{i}."):
                    _, _, index, name = key.split(".", 3)
                    states.setdefault(int(index), {})[name] = value
            optimizer.load_state_dict({**optimizer.state_dict(), "state": states})


class Gan:
    """See `autoaug.modalities.generators.Generator`."""

    fewest = 10
    adapts = True

    def usual_steps(self, samples: int) -> int:
        return min(_MOST, max(_FEWEST, round(_PASSES * samples / _BATCH)))

    def begin(self, train: Samples, classes: int, seed: int, source: Mapping[str, Tensor] | None = None) -> GanFit:
        """Begin a training on the images of `train`. With the weights of another generator as `source`, adapt it: only
        norms, embeddings and parameters that depend on the number of classes are trained.
        """
        gaussians = fit_pca(train, classes)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs, too
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
        return GanFit(train, seed, generator, discriminator, average, optimizers)

    def check(self, tensors: Mapping[str, Tensor], shape: tuple[int, ...], classes: int) -> None:
        check_gaussians(tensors, shape, classes)

    def sample(self, tensors: Mapping[str, Tensor], labels: np.ndarray, seed: int, device: str) -> np.ndarray:
        """Generate an image for each of ``labels [n]``, uint8 ``[n, C, H, W]``; the same seed gives the same images."""
        network = Generator(tensors["mean"].clone(), tensors["components"].clone())
        network.load_state_dict(dict(tensors))
        return _sample(network, labels, seed, device)


def _packs(by_class: list[Tensor], generator: torch.Generator) -> Tensor:
    """Rows ``[n, PACKED]`` of one class each; classes are drawn by their frequency."""
    sizes = torch.tensor([float(len(rows)) for rows in by_class])
    kinds = torch.multinomial(sizes, _BATCH // PACKED, replacement=True, generator=generator)
    return torch.stack(
        [by_class[k][torch.randint(len(by_class[k]), (PACKED,), generator=generator)] for k in kinds.tolist()]
    )


def _augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    return apply_plan(draw_plan(AUGMENTATION, len(images), generator), images, check=False)


def _packed(images: Tensor) -> Tensor:
    return images.view(-1, PACKED, *images.shape[1:])


def _step(training: GanFit, real: Tensor, kinds: Tensor, generator: torch.Generator, device: str) -> float:
    each = kinds.repeat_interleave(PACKED)
    ours, theirs = training.optimizers

    def generated() -> Tensor:
        images: Tensor = training.generator(torch.randn(len(each), LATENT, generator=generator).to(device), each)
        return images

    with torch.no_grad(), precision(device):
        fake = generated().float()
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
        fooling = -training.discriminator(_packed(_augmented(generated().float(), generator)), kinds).float().mean()
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
def _sample(generator: Generator, labels: np.ndarray, seed: int, device: str) -> np.ndarray:
    draw = torch.Generator().manual_seed(seed)
    generator.to(device).eval()
    batches = []
    for part in torch.split(torch.from_numpy(labels), at_once(generator.components)):
        images = generator(torch.randn(len(part), LATENT, generator=draw).to(device), part.to(device))
        batches.append((images * 255).round().to(torch.uint8).cpu())
    return torch.cat(batches).numpy()
