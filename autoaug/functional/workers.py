"""Data loader workers, for exported modules that do not import torch."""

from __future__ import annotations

import sys


def seed_of_worker() -> int | None:
    """The seed in this epoch if this process is a worker of PyTorch's ``DataLoader``; otherwise None."""
    loading = sys.modules.get("torch.utils.data")
    worker = loading.get_worker_info() if loading else None
    return worker.seed if worker else None
