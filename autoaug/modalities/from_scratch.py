"""The networks of a modality without published weights: a few of its own, and those of users' functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from autoaug.errors import OptionError
from autoaug.modalities.networks import Start
from autoaug.modalities.own_networks import build_own, check_call, load_builder


class Network(NamedTuple):
    """A network that comes with a modality.

    Attributes:
        make: builds it for a shape of samples, a number of outputs, and a mean and standard deviation per channel.
        what: what it is, in words.
    """

    make: Callable[[tuple[int, ...], int, Tensor, Tensor], nn.Module]
    what: str


@dataclass(frozen=True)
class FromScratch:
    """`autoaug.modalities.networks.Models` whose trainings begin from random weights.

    Attributes:
        samples: what they take, in words.
        networks: by name; ``auto`` stands for the first.
        channels: the axis of a sample whose length is passed to a user's function.
        others: names of more networks of the modality, which it builds itself, as an error message shows them.
    """

    samples: str
    networks: Mapping[str, Network]
    channels: int = 0
    others: Sequence[str] = ()

    @property
    def functions(self) -> tuple[Any, Any, Any, Any, Any]:
        """``build, check, is_own, resolve, start``, as the functions of a module of networks."""
        return self.build, self.check, self.is_own, self.resolve, self.start

    @property
    def _known(self) -> list[str]:
        return ["auto", *self.networks, *self.others]

    def build(
        self,
        name: str,
        shape: tuple[int, ...],
        outputs: int,
        mean: Tensor,
        std: Tensor,
        seed: int,
        start: Start | None = None,  # noqa: ARG002 (there is none)
    ) -> nn.Module:
        """Build a network with random weights; the same `seed` gives the same ones."""
        name, _ = self.resolve(name, shape)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs, too
            if name in self.networks:
                return self.networks[name].make(shape, outputs, mean, std)
            return build_own(load_builder(name, self._known), name, shape[self.channels], outputs, shape)

    def is_own(self, name: str) -> bool:
        return name != "auto" and name not in self.networks

    def resolve(self, name: str, shape: tuple[int, ...]) -> tuple[str, str]:  # noqa: ARG002 (one suits all)
        name = next(iter(self.networks)) if name == "auto" else name
        return name, self.networks[name].what if name in self.networks else "as given"

    def start(
        self,
        name: str,  # noqa: ARG002 (no weights suit)
        weights: str,
        shape: tuple[int, ...],  # noqa: ARG002
        outputs: int,  # noqa: ARG002
        keep_size: bool = False,  # noqa: ARG002
    ) -> tuple[Start, str]:
        raise OptionError(f"--weights {weights}: networks for {self.samples} begin from random weights; leave it out")

    def check(self, name: str, weights: str | None = None) -> None:
        if self.is_own(name):
            check_call(load_builder(name, self._known), name)
        if weights is not None:
            self.start(name, weights, (), 0)
