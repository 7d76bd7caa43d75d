"""The networks of a modality, and what their trainings begin from: a part of the interface of modalities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Start:
    """What the trainings of a run begin from, instead of random weights.

    Attributes:
        weights: the path of a file, or ``pretrained`` for the published weights of the network; empty once these are no
            longer needed, because other weights will be loaded.
        digest: of the weights; see `autoaug.utils.weights.weights_digest`.
        takes: how the network takes its samples, as plain JSON values that only the modality reads.
    """

    weights: str
    digest: str
    takes: Mapping[str, Any] = field(default_factory=dict)

    def without_weights(self) -> Start:
        """The same form of the network, with random weights."""
        return replace(self, weights="")


class Models(Protocol):
    """Proxy networks."""

    def build(
        self,
        name: str,
        shape: tuple[int, ...],
        outputs: int,
        mean: Tensor,
        std: Tensor,
        seed: int,
        start: Start | None = None,
    ) -> nn.Module:
        """Build a network with `outputs` outputs per sample of `shape`, which standardizes its input by `mean` and
        `std` per channel. It is new, or has the weights of `start`, and standardizes as these require.

        Raises:
            UnknownName: there is no network with that name.
            OptionError: it cannot be built, or the weights are not those of `start`.
        """

    def resolve(self, name: str, shape: tuple[int, ...]) -> tuple[str, str]:
        """The network that `name` stands for with samples of `shape`, and why; ``auto`` stands for another one."""

    def start(
        self, name: str, weights: str, shape: tuple[int, ...], outputs: int, keep_size: bool = False
    ) -> tuple[Start, str]:
        """What trainings of the network `name` begin from with these `weights` (a path or ``pretrained``), and what
        the user should know of it: how samples are taken, and whether the head is replaced. With `keep_size`, samples
        are taken at the size that they have, if the network can, rather than at that of the weights. Raises
        `OptionError` if the weights cannot be read, or belong to another network.
        """

    def is_own(self, name: str) -> bool:
        """Whether `name` is a user's function."""

    def check(self, name: str, weights: str | None = None) -> None:
        """Raise as `build` does if `name` is not available, or its `weights` cannot be read, as far as this can be
        known without the data. A user's function is loaded to check it.
        """
