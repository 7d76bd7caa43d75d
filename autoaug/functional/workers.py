"""What an exported module, also one without torch, knows of the process that it runs in."""

from __future__ import annotations

import os
import sys


def rank_of_process() -> int | None:
    """The rank of this process in a distributed run, by PyTorch or by what ``torchrun`` tells; None where neither is
    known.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    rank = os.environ.get("RANK", "")
    return int(rank) if rank.isdecimal() else None


def seed_of_process() -> int | None:
    """What a seed is joined to in a worker process of PyTorch's ``DataLoader``, anew in each epoch, and in the ranks of
    a distributed run but the first; None elsewhere.
    """
    loading = sys.modules.get("torch.utils.data")
    worker = loading.get_worker_info() if loading else None
    apart = 1_000_003 * (rank_of_process() or 0) + (worker.seed if worker else 0)
    return apart % 2**64 if worker or apart else None
