"""What an exported module without torch knows of the process it runs in."""

from __future__ import annotations

import sys


def seed_of_worker() -> int | None:
    """The seed of this worker process of PyTorch's ``DataLoader`` in this epoch; None elsewhere."""
    loading = sys.modules.get("torch.utils.data")
    worker = loading.get_worker_info() if loading else None
    return worker.seed if worker else None
