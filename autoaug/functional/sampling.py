"""All random draws: plain functions on plain numbers, which exported modules contain verbatim.

Draws depend on the seed alone, so dtypes and devices are always explicit: the user may change PyTorch's defaults.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from autoaug.functional.bounds import check_seed
from autoaug.functional.workers import rank_of_process

#: An operator, its probability, its lowest and highest magnitude, and its share of negative signs.
Numbers = tuple[int, float, float, float, float]
Table = list[list[tuple[float, list[Numbers]]]]
#: For each layer, the sums of its sub-policies' weights up to each but the last, of a total of 1; and their operations,
#: as many of each.
Layers = list[tuple[list[float], list[list[Numbers]]]]
#: What one sample drew in a step: the operator or -1, its signed magnitude, and its four uniform numbers.
Step = tuple[int, float, list[float]]
#: What a sub-policy does in a step that it does not have.
NOTHING: Numbers = (-1, 0.0, 0.0, 0.0, 0.0)


def seed_in_rank(seed: int, rank: int) -> int:
    """The seed of a transform in a process of a distributed run: its own seed in rank 0, another one in each other."""
    return (seed + 0x9E3779B97F4A7C15 * rank) % 2**64


def seed_in_worker(seed: int, worker: int) -> int:
    """The seed of a transform's generator in a data loader worker, from its own seed and the worker's in this epoch."""
    return (1_000_003 * seed + worker) % 2**64


class Seeded(torch.nn.Module):
    """A module with a random generator: the same `seed` draws the same augmentations; None takes a random seed.

    In a ``DataLoader``, each worker process has its own random stream, a new one in each epoch; in a distributed run,
    each rank has its own. Copies, pickles and state dicts keep the state of the generator. A state dict from another
    rank continues with a stream of this rank's own, which follows from it.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__()
        self.seed = int(torch.randint(2**62, (), device="cpu")) if seed is None else check_seed(seed)
        self.rank = 0
        self.worker: int | None = None
        self.looked: bool | None = None
        self.own = torch.Generator("cpu")
        self.own.manual_seed(self.seed)

    @property
    def generator(self) -> torch.Generator:
        """The generator for this process."""
        self._find_rank()
        worker = get_worker_info()
        if worker is not None and worker.seed != self.worker:
            self.worker = worker.seed
            self.own.manual_seed(seed_in_worker(seed_in_rank(self.seed, self.rank), worker.seed))
        return self.own

    def _find_rank(self) -> None:
        """Look for the rank once, and again when a process group is there: a draw of one sample takes microseconds."""
        grouped = torch.distributed.is_available() and torch.distributed.is_initialized()
        if grouped == self.looked:
            return
        self.looked, rank = grouped, rank_of_process()
        if rank is not None and rank != self.rank:
            self.rank, self.worker = rank, None
            self.own.manual_seed(seed_in_rank(self.seed, rank))

    def get_extra_state(self) -> Tensor:
        """The generator's state, the seed and the rank, as bytes in one tensor."""
        self._find_rank()
        numbers = self.seed.to_bytes(8, "little") + self.rank.to_bytes(8, "little")
        return torch.cat([self.own.get_state(), torch.frombuffer(bytearray(numbers), dtype=torch.uint8)])

    def set_extra_state(self, state: Tensor) -> None:
        """Continue from the state that `get_extra_state` returned."""
        self._find_rank()
        content = state.cpu()
        numbers = content[-16:].numpy().tobytes()
        self.own.set_state(content[:-16].clone())
        self.seed, rank = int.from_bytes(numbers[:8], "little"), int.from_bytes(numbers[8:], "little")
        if rank != self.rank:  # one rank often saves its state for all
            self.seed = int(torch.randint(2**62, (), generator=self.own, device="cpu"))
            self.own.manual_seed(seed_in_rank(self.seed, self.rank))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        state_dict.setdefault(f"{prefix}_extra_state", self.get_extra_state())  # older ones have none
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def __getstate__(self) -> dict[str, Any]:
        self._find_rank()  # a worker process may not know it
        # As bytes: a tensor would be sent through shared memory, which may be gone before it is read.
        return self.__dict__ | {"own": self.own.get_state().numpy().tobytes()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        anew = {"own": torch.Generator("cpu"), "looked": None}  # the rank may be another one here
        super().__setstate__(state | anew)  # type: ignore[no-untyped-call]
        self.own.set_state(torch.frombuffer(bytearray(state["own"]), dtype=torch.uint8))


def draw_operations(table: Table, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """For n samples and S steps, draw the operator (``[S, n]``, -1 for none), its signed magnitude (``[S, n]``), and
    four uniform numbers for the operator's own use (``[S, n, 4]``).

    `table` lists for each layer its sub-policies ``(weight, operations)``; an operation is
    ``(operator, probability, lowest magnitude, highest magnitude, share of negative signs)``.
    """
    if n == 1:
        layers = as_layers(table)
        return as_tensors(draw_sample(layers, uniform(steps_of(layers), 8, generator).tolist()))
    operations: list[Numbers] = []
    drawn, chances = [], []  # for each step, which of the operations so far, and uniform numbers
    for sub_policies in table:
        weights = torch.tensor([weight for weight, _ in sub_policies], dtype=torch.float64, device="cpu")
        sub_policy = torch.multinomial(weights, max(n, 1), replacement=True, generator=generator)[:n]
        for step in range(max(len(own) for _, own in sub_policies)):
            drawn.append(sub_policy + len(operations))
            chances.append(uniform(n, 7, generator))
            operations += [own[step] if step < len(own) else NOTHING for _, own in sub_policies]
    if not drawn:
        none = torch.empty(0, n, 4, dtype=torch.float32, device="cpu")
        return none[..., 0].long(), none[..., 0], none
    numbers = torch.tensor(operations, dtype=torch.float64, device="cpu")[torch.stack(drawn)]
    index, probability, low, high, negative = numbers.unbind(2)
    applied, place, sign, *own = torch.stack(chances).unbind(2)
    choice = torch.where(applied < probability, index, -1.0).long()
    magnitude = low + place * (high - low)
    return choice, torch.where(sign < negative, -magnitude, magnitude).float(), torch.stack(own, 2)


def steps_of(layers: Layers) -> int:
    """The number of steps."""
    return sum(len(sub_policies[0]) for _, sub_policies in layers)


def draw_sample(layers: Layers, chances: list[list[float]]) -> list[Step]:
    """What `draw_operations` draws for one sample, in plain numbers, which take a tenth of the time; `chances` are
    eight uniform numbers for each step.
    """
    drawn: list[Step] = []
    for ends, sub_policies in layers:
        for index, probability, low, high, negative in sub_policies[bisect_right(ends, chances[len(drawn)][7])]:
            applied, place, sign, *own, _ = chances[len(drawn)]
            magnitude = low + place * (high - low)
            drawn.append((index if applied < probability else -1, -magnitude if sign < negative else magnitude, own))
    return drawn


def as_layers(table: Table) -> Layers:
    """The layers of a table for `draw_sample`."""
    layers = []
    for sub_policies in table:
        *ends, total = accumulate(weight for weight, _ in sub_policies)
        most = max(len(operations) for _, operations in sub_policies)
        same = [operations + [NOTHING] * (most - len(operations)) for _, operations in sub_policies]
        if most:
            layers.append(([end / total for end in ends], same))
    return layers


def as_tensors(drawn: list[Step]) -> tuple[Tensor, Tensor, Tensor]:
    """What one sample drew as the tensors of `draw_operations`, for n = 1."""
    index, magnitude, own = ([step[i] for step in drawn] for i in range(3))
    return (
        torch.tensor(index, dtype=torch.int64, device="cpu").view(-1, 1),
        torch.tensor(magnitude, dtype=torch.float32, device="cpu").view(-1, 1),
        torch.tensor(own, dtype=torch.float32, device="cpu").view(-1, 1, 4),
    )


def draw_chains(
    table: Table, width: int, alpha: float, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw `width` chains per sample (AugMix; Hendrycks et al., 2020): operations as in `draw_operations`, where each
    chain keeps the first d layers with d drawn uniformly; and the weights ``[n, 1 + width]`` of the original and the
    chains. The chains have a share drawn from Beta(alpha, alpha), divided among them by Dirichlet(alpha).
    """
    parts = []
    for _ in range(width):
        choice, magnitude, uniforms = draw_operations(table, n, generator)
        depth = torch.randint(1, len(table) + 1, (n,), generator=generator, device="cpu")
        steps = [i for i, sub_policies in enumerate(table) for _ in range(max(len(o) for _, o in sub_policies))]
        layer = torch.tensor(steps, dtype=torch.int64, device="cpu")
        parts.append((torch.where(layer[:, None] < depth, choice, -1), magnitude, uniforms))
    choice, magnitude, uniforms = (torch.cat(steps) for steps in zip(*parts, strict=True))
    gammas = draw_gamma((n, width), alpha, generator)
    share = draw_beta(alpha, n, generator)[:, None]
    chains = share * gammas / gammas.sum(1, keepdim=True)
    return choice, magnitude, uniforms, torch.cat([1 - share, chains], 1).float()


def uniform(n: int, count: int, generator: torch.Generator) -> Tensor:
    """Uniform numbers in [0, 1), float32 ``[n, count]``."""
    return torch.rand(n, count, generator=generator, dtype=torch.float32, device="cpu")


def draw_gamma(shape: tuple[int, int], alpha: float, generator: torch.Generator) -> Tensor:
    """Draws from Gamma(alpha, 1), float64 of the given `shape`."""
    # torch.distributions takes no generator.
    return torch._standard_gamma(torch.full(shape, alpha, dtype=torch.float64, device="cpu"), generator=generator)


def draw_beta(alpha: float, n: int, generator: torch.Generator) -> Tensor:
    """Draws from Beta(alpha, alpha), float64 ``[n]``, as a ratio of gammas."""
    gammas = draw_gamma((2, n), alpha, generator)
    return gammas[0] / gammas.sum(0)
