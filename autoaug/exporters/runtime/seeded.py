"""Where an exported module draws from."""

from __future__ import annotations

import torch
from torch.utils.data import get_worker_info

from autoaug.drawing import seed_in_worker


class Seeded(torch.nn.Module):
    """A module with a random generator: the same `seed` draws the same augmentations.

    In the worker processes of a ``DataLoader`` each worker draws for itself, and anew in each epoch.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__()
        self.seed = int(torch.randint(2**62, ())) if seed is None else seed
        self.worker: int | None = None
        self.own = torch.Generator()
        self.own.manual_seed(self.seed)

    @property
    def generator(self) -> torch.Generator:
        worker = get_worker_info()
        if worker is not None and worker.seed != self.worker:
            self.worker = worker.seed
            self.own.manual_seed(seed_in_worker(self.seed, worker.seed))
        return self.own
