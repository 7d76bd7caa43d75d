"""Strategies that ask one question of the data, and train what the answer names."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from autoaug.policy import Policy
from autoaug.strategies.base import Brief, Fixed, History, Inquiry, Step, Strategy, next_baseline


class Inquiring(Strategy):
    """Inquires, trains the baselines, then the candidates that the finding gives; ends there.

    Attributes:
        stage: what to note as the stage of the candidates' trials.
    """

    stage: str
    learns_from_scores = False
    needs_data = True
    prunes = False

    @abstractmethod
    def inquiry(self, brief: Brief) -> Inquiry:
        """The question."""

    @abstractmethod
    def candidates(self, finding: Mapping[str, Any], brief: Brief) -> Mapping[str, Policy]:
        """What to train, by name; empty where nothing was found."""

    def next(self, history: History, brief: Brief) -> Step | None:
        inquiry = self.inquiry(brief)
        if inquiry.name not in history.findings:
            return inquiry
        if baseline := next_baseline(history, brief):
            return baseline
        found = self.candidates(history.findings[inquiry.name] or {}, brief)
        begun = {past.name for past in history.trials}
        return next((Fixed(n, policy, stage=self.stage) for n, policy in found.items() if n not in begun), None)
