"""Two-sample matching on its own: train what makes the training images look like the validation images."""

from __future__ import annotations

from autoaug.strategies.base import Brief, Fixed, History, Inquiry, Step, Strategy, next_baseline
from autoaug.strategies.shift import NAME, MatchShift, matched


class Matching(Strategy):
    """Asks which operators explain the shift between the splits, without labels and without training, and trains the
    answer, alone and after each baseline; ends there.
    """

    name = "matching"
    summary = "find the shift between training and validation images; cheap, blind to all else"
    learns_from_scores = False
    needs_data = True
    prunes = False

    def next(self, history: History, brief: Brief) -> Step | None:
        if NAME not in history.findings:
            return Inquiry(NAME, MatchShift())
        if baseline := next_baseline(history, brief):
            return baseline
        policy = matched(history.findings[NAME])
        if policy is None:
            return None
        begun = {past.name for past in history.trials}
        for name, base in {"matched": None, **{f"{n}+matched": p for n, p in brief.baselines.items()}}.items():
            if name not in begun:
                return Fixed(name, policy if base is None else base + policy, stage="matched")
        return None
