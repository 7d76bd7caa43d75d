"""Choosing and running trials: spaces, strategies, probes, the study and the executors.

The life of a trial: a strategy proposes a step (`Draw` or `Fixed`). The study begins it as a `TrialRequest`, which the
loop hands to an executor as a `TrialSpec`. A worker yields a `TrialResult` at each rung and at the end. The study keeps
all of it as a `TrialRecord`, which strategies read; results, the report and trackers get a `TrialSummary`.
"""
