"""The scores of a confirmation by a user's objective, kept across sessions."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path

from autoaug.policy.models import Policy
from autoaug.training.objective import Evaluate
from autoaug.training.result import TrialResult
from autoaug.utils.clock import now
from autoaug.utils.files import write_atomically

#: The key of the time of a confirmation, beside its scores.
_SECONDS = "seconds"


class ScoreStore:
    """The scores of the confirmation, kept in a file if there is a folder; see `autoaug.evaluation.confirmation.Store`.

    Args:
        path: the file, or None; a damaged file is ignored.
        scorer: the digest of the function that gives the scores. Those of another one are kept, but not read.

    Attributes:
        seconds: the time of the earlier sessions until their last scores.
    """

    cure = "the same call tries again"

    def __init__(self, path: Path | None, scorer: str) -> None:
        self._path, self._scorer = path, scorer
        self._scores: dict[str, float] = {}
        with suppress(OSError, ValueError, TypeError, AttributeError):
            noted = json.loads(path.read_bytes()) if path is not None else {}
            self._scores = {key: float(score) for key, score in noted.items() if math.isfinite(float(score))}
        self.seconds, self._begun = self._scores.get(_SECONDS, 0.0), now()

    def work(self, policy: Policy, seed: int) -> Evaluate:  # noqa: ARG002 (other stores use the seed)
        return Evaluate(policy)

    def read(self, policy: Policy, seed: int) -> float | None:
        return self._scores.get(self._key(policy, seed))

    def keep(self, policy: Policy, seed: int, result: TrialResult) -> float:
        self._scores |= {self._key(policy, seed): result.score, _SECONDS: self.seconds + now() - self._begun}
        if self._path is not None:
            write_atomically(self._path, json.dumps(self._scores, indent=1))
        return result.score

    def _key(self, policy: Policy, seed: int) -> str:
        return f"{self._scorer} {policy.fingerprint()} {seed}"
