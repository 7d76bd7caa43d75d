"""How trials are run: in this process, or by Ray Tune on this machine or a cluster."""

from __future__ import annotations

from autoaug.search.executors.base import Executor, TrialSpec, run_all
from autoaug.search.executors.factory import EXECUTORS, executors, ray_fault, resolve_executor

__all__ = ["EXECUTORS", "Executor", "TrialSpec", "executors", "ray_fault", "resolve_executor", "run_all"]
