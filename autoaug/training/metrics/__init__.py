"""Metrics: how predictions are measured, and how much each sample adds to the result."""

from autoaug.training.metrics.base import (
    Measured,
    Metric,
    SumMetric,
    by_cluster,
    fraction_kept,
    measured,
    metric_record,
    score,
    score_bounds,
    statistics_of,
)
from autoaug.training.metrics.choice import (
    check_metric,
    check_metric_name,
    get_metric,
    metrics_of,
    trial_metric,
)
from autoaug.training.metrics.counts import Accuracy, BalancedAccuracy, Kappa, MacroF1
from autoaug.training.metrics.labels import MacroLabelF1, MeanAveragePrecision, MicroF1
from autoaug.training.metrics.numbers import Determination, MeanAbsoluteError, RootMeanSquaredError
from autoaug.training.metrics.probabilities import AUROC, LogLoss
from autoaug.training.metrics.texts import CharacterErrorRate, TokenLogLikelihood, WordErrorRate, recognized_words
from autoaug.training.metrics.translations import Bleu, ChrF

__all__ = [
    "AUROC",
    "Accuracy",
    "BalancedAccuracy",
    "Bleu",
    "CharacterErrorRate",
    "ChrF",
    "Determination",
    "Kappa",
    "LogLoss",
    "MacroF1",
    "MacroLabelF1",
    "MeanAbsoluteError",
    "MeanAveragePrecision",
    "Measured",
    "Metric",
    "MicroF1",
    "RootMeanSquaredError",
    "SumMetric",
    "TokenLogLikelihood",
    "WordErrorRate",
    "by_cluster",
    "check_metric",
    "check_metric_name",
    "fraction_kept",
    "get_metric",
    "measured",
    "metric_record",
    "metrics_of",
    "recognized_words",
    "score",
    "score_bounds",
    "statistics_of",
    "trial_metric",
]
