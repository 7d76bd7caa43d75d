"""The results of trials and searches, as frozen records. This room does not import torch."""

from autoaug.results.metric import ACCURACY, RECALL, MetricRecord, MetricValues
from autoaug.results.objective import ObjectiveResult, Scored
from autoaug.results.record import CandidateKind, Count, Interval, Record, Size, Unit, Verdict
from autoaug.results.run import (
    UNEVEN,
    Candidate,
    Comparison,
    Cost,
    DataSummary,
    LeftOut,
    LongerTraining,
    McNemar,
    Returned,
    SearchResult,
    TrialCounts,
    TrialSummary,
    known_policies,
)
from autoaug.results.transcripts import Transcript, Transcripts, WordErrors

__all__ = [
    "ACCURACY",
    "RECALL",
    "UNEVEN",
    "Candidate",
    "CandidateKind",
    "Comparison",
    "Cost",
    "Count",
    "DataSummary",
    "Interval",
    "LeftOut",
    "LongerTraining",
    "McNemar",
    "MetricRecord",
    "MetricValues",
    "ObjectiveResult",
    "Record",
    "Returned",
    "Scored",
    "SearchResult",
    "Size",
    "Transcript",
    "Transcripts",
    "TrialCounts",
    "TrialSummary",
    "Unit",
    "Verdict",
    "WordErrors",
    "known_policies",
]
