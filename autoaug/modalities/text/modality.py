"""The modality of text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from autoaug.modalities.packaged import PackagedModality

if TYPE_CHECKING:
    from torch import Tensor

_FOLDER = Path(__file__).parent


class _Text(PackagedModality):
    name = "text"
    families = ("paraphrases", "meaning", "words", "signs", "letters")
    operators = ("edits", "characters", "paraphrases", "synonyms", "tfidf")
    is_continuous = False
    has_words = True
    in_embedding = ("mixup", "fgm")
    usual_base = {"WordDeletion": 0.2}  # noqa: RUF012 (never modified)
    baselines = ("none", "eda", "aeda", "eda-light", "round-trip-translation")
    usual_policy = "eda"
    filter_policy = "eda-light"
    policies = _FOLDER / "policies"
    spaces = _FOLDER / "spaces"

    def lengths(self, values: Tensor) -> Tensor:
        from autoaug.modalities.text.bits import lengths_of

        return lengths_of(values)

    def lacking(self) -> Mapping[str, str]:
        from autoaug.modalities.text.paraphrases import lacking

        return lacking()

    def resources(self) -> Mapping[str, str]:
        from autoaug.modalities.text import lexicon, paraphrases, translators

        model = paraphrases.masked_model()
        found = {**translators.recorded(), "masked model": model or "none", "synonyms": lexicon.recorded()}
        return found | ({"masked model digest": paraphrases.model_digest(model)} if model else {})


MODALITY = _Text()
