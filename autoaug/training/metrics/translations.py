"""Metrics of translations."""

from __future__ import annotations

import re
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
def _sacrebleu(name: str, tokenizer: str = "13a") -> Any:
    """The metric of sacrebleu; its statistics per sentence are those that its own bootstrap draws from."""
    check_installed()
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    return BLEU(force=True, tokenize=tokenizer) if name == "BLEU" else CHRF()


#: Han characters, and the letters of other scripts that are written without spaces: kana, Thai, Lao, Burmese and Khmer.
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_UNSPACED = re.compile("[\u3040-\u30ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


def tokenizer_for(text: str) -> str:
    """The name of sacrebleu's tokenizer for a true translation: where no spaces part words, its characters count."""
    if 2 * len(_UNSPACED.findall(text)) > sum(map(str.isalnum, text)) - len(_HAN.findall(text)):
        return "char"
    return "zh" if _HAN.search(text) else "13a"


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
    (Papineni et al., 2002), by sacrebleu: with its usual tokenizer, and for Chinese with the one that parts characters.
    Of other scripts without spaces, all characters count as words.
    """

    name: str = "BLEU"

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        made = [
            _sacrebleu(self.name, tokenizer_for(true))._extract_corpus_statistics([text], [[true]])[0]
            for text, true in zip(decode_texts(predictions), decode_texts(targets[:, 1]), strict=True)
        ]
        return np.array(made, np.float64)
