"""How trials are run: in this process, or by Ray Tune on this machine or a cluster."""

from __future__ import annotations

from autoaug.search.executors.base import Executor, TrialSpec, run_all
from autoaug.search.executors.factory import EXECUTORS, NO_RAY, executors, has_ray, load_executor, resolve_executor

__all__ = [
    "EXECUTORS",
    "NO_RAY",
    "Executor",
    "TrialSpec",
    "executors",
    "has_ray",
    "load_executor",
    "resolve_executor",
    "run_all",
]
