"""The process that a module runs in: data loader workers and ranks, for exported modules that do not import torch."""

from __future__ import annotations

import os
import sys


def rank_of_process() -> int | None:
    """The rank of this process in a distributed run, from PyTorch or from ``torchrun``; None if neither is known."""
    distributed = sys.modules.get("torch.distributed")
    if distributed and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    rank = os.environ.get("RANK", "")
    return int(rank) if rank.isdecimal() else None


def seed_of_process() -> int | None:
    """A number to combine with a seed: in a worker of PyTorch's ``DataLoader``, where it changes in each epoch, and in
    the ranks of a distributed run after the first; otherwise None.
    """
    loading = sys.modules.get("torch.utils.data")
    worker = loading.get_worker_info() if loading else None
    apart = 1_000_003 * (rank_of_process() or 0) + (worker.seed if worker else 0)
    return apart % 2**64 if worker or apart else None
