"""Strategies that run one probe and train the policies that it proposes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from autoaug.policy.models import Policy
from autoaug.search.strategies.base import Fixed, History, Probe, SearchContext, Step, Stop, Strategy, next_baseline


class ProbeBased(Strategy):
    """Runs the probe, trains the baselines, then trains the candidates from the probe's result.

    Attributes:
        stage: the stage to record for the candidates' trials.
    """

    stage: str
    needs_data = True
    prunes = False

    @abstractmethod
    def probe(self, context: SearchContext) -> Probe:
        """The probe to run."""

    @abstractmethod
    def candidates(self, probe_result: Mapping[str, Any], context: SearchContext) -> Mapping[str, Policy]:
        """The policies to train, by name; empty if the probe proposes none."""

    def next(self, history: History, context: SearchContext) -> Step | None:
        probe = self.probe(context)
        if probe.name not in history.probe_results:
            return probe
        if baseline := next_baseline(history, context):
            return baseline
        probe_result = history.probe_results[probe.name]
        if probe_result is None:
            return None
        candidates = self.candidates(probe_result, context)
        begun = {record.name for record in history.trials}
        untried = (Fixed(n, policy, stage=self.stage) for n, policy in candidates.items() if n not in begun)
        proposed = "all policies that its probe proposed were tried" if candidates else "its probe proposed no policy"
        return next(untried, Stop(proposed, exhausted=True))
