"""Metrics of translations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from autoaug.data.texts import decode_texts
from autoaug.errors import OptionError
from autoaug.training.metrics.base import SumMetric


def check_installed() -> None:
    """Raise `OptionError` if sacrebleu is missing."""
    try:
        import sacrebleu  # noqa: F401 (only whether it is there)
    except ImportError:
        raise OptionError("translations are measured by sacrebleu: pip install 'autoaug[text]'") from None


@cache
def _sacrebleu(name: str) -> Any:
    """The metric of sacrebleu; its statistics per sentence are those that its own bootstrap draws from."""
    check_installed()
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    return BLEU(force=True) if name == "BLEU" else CHRF()


@dataclass(frozen=True)
class ChrF(SumMetric):
    """The F-score, with twice the weight on recall, of n-grams of up to six characters (Popović, 2015), by sacrebleu.
    The statistics of a sample are its numbers of n-grams.
    """

    name: str = "chrF"
    unit: str = "points"
    larger_is_better: bool = True
    bounds: tuple[float, float] = (0.0, 100.0)

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        both = decode_texts(predictions), [decode_texts(targets[:, 1])]
        return np.array(_sacrebleu(self.name)._extract_corpus_statistics(*both), np.float64)

    def value(self, total: np.ndarray) -> float:
        return float(_sacrebleu(self.name)._compute_score_from_stats(total.tolist()).score)


@dataclass(frozen=True)
class Bleu(ChrF):
    """The geometric mean of the precision of n-grams of up to four words, times a penalty for short translations
    (Papineni et al., 2002), by sacrebleu.
    """

    name: str = "BLEU"
