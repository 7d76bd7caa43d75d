"""The modality of translation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autoaug.modalities.packaged import PackagedModality
from autoaug.modalities.text import MODALITY as TEXT

_FOLDER = Path(__file__).parent


class _Translation(PackagedModality):
    name = "translation"
    families = ("source", *(family for family in TEXT.families if family != "paraphrases"))
    operators = ("source",)
    is_continuous = False
    has_words = True
    usual_base = {"WordDropout": 0.2}  # noqa: RUF012 (never modified)
    baselines = ("none", "word-dropout", "source-noise", "concatenation")
    usual_policy = "word-dropout"
    filter_policy = "word-dropout"
    policies = _FOLDER / "policies"
    spaces = _FOLDER / "spaces"

    def resources(self) -> Mapping[str, str]:
        from autoaug.modalities.text import lexicon, translators

        return {**translators.recorded(), "synonyms": lexicon.recorded()}


MODALITY = _Translation()
