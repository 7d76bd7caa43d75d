"""Strategies that make one probe into the data, and train the policies that it proposes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from autoaug.policy.models import Policy
from autoaug.search.strategies.base import Fixed, History, Probe, SearchContext, Step, Strategy, next_baseline


class ProbeBased(Strategy):
    """Makes the probe, trains the baselines, then the candidates that the probe's result gives; ends there.

    Attributes:
        stage: what to note as the stage of the candidates' trials.
    """

    stage: str
    learns_from_scores = False
    needs_data = True
    prunes = False

    @abstractmethod
    def probe(self, context: SearchContext) -> Probe:
        """The probe to make."""

    @abstractmethod
    def candidates(self, probe_result: Mapping[str, Any], context: SearchContext) -> Mapping[str, Policy]:
        """What to train, by name; empty where the probe proposes nothing."""

    def next(self, history: History, context: SearchContext) -> Step | None:
        probe = self.probe(context)
        if probe.name not in history.probe_results:
            return probe
        if baseline := next_baseline(history, context):
            return baseline
        found = self.candidates(history.probe_results[probe.name] or {}, context)
        begun = {record.name for record in history.trials}
        return next((Fixed(n, policy, stage=self.stage) for n, policy in found.items() if n not in begun), None)
