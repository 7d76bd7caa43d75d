"""Calls as type checkers see them: mypy checks this file; it is never run. An unneeded ignore is an error."""

from __future__ import annotations

from typing import assert_type

import autoaug
from autoaug.modalities.audio import loader as audio_loader
from autoaug.modalities.audio import mixing as audio_mixing
from autoaug.modalities.audio import models as audio_models
from autoaug.modalities.audio import pictures as audio_pictures
from autoaug.modalities.audio import values as audio_values
from autoaug.modalities.base import Annotations, Loader, Mixer, Pictures, Values
from autoaug.modalities.from_scratch import FromScratch
from autoaug.modalities.image import annotations as image_annotations
from autoaug.modalities.image import loader as image_loader
from autoaug.modalities.image import mixing as image_mixing
from autoaug.modalities.image import models as image_models
from autoaug.modalities.image import pictures as image_pictures
from autoaug.modalities.image import values as image_values
from autoaug.modalities.networks import Models
from autoaug.modalities.text import loader as text_loader
from autoaug.modalities.text import mixing as text_mixing
from autoaug.modalities.text import models as text_models
from autoaug.modalities.text import pictures as text_pictures
from autoaug.modalities.text import values as text_values
from autoaug.modalities.video import loader as video_loader
from autoaug.modalities.video import mixing as video_mixing
from autoaug.modalities.video import models as video_models
from autoaug.modalities.video import pictures as video_pictures
from autoaug.modalities.video import values as video_values
from autoaug.results import ObjectiveResult

# Modules are parts of a modality by their names: nothing else checks that they have the functions of the protocols.
followers: Annotations = image_annotations
loaders: list[Loader] = [audio_loader, image_loader, text_loader, video_loader]
mixers: list[Mixer] = [audio_mixing, image_mixing, text_mixing, video_mixing]
networks: list[Models] = [audio_models, image_models, text_models, video_models, FromScratch("series", {})]
pictures: list[Pictures] = [audio_pictures, image_pictures, text_pictures, video_pictures]
values: list[Values] = [audio_values, image_values, text_values, video_values]


def constant(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
    """An objective."""
    return 0.5


assert_type(autoaug.search("digits", trials=3), autoaug.SearchResult)
assert_type(autoaug.search(objective=constant, trials=3), ObjectiveResult)
assert_type(autoaug.compare("digits", ["none", autoaug.load_policy("flip-crop")]), autoaug.SearchResult)
autoaug.search("digits", trails=3)  # type: ignore[call-overload]
autoaug.search("digits", trials="3")  # type: ignore[call-overload]
autoaug.search("digits", equal="time")  # type: ignore[call-overload]
autoaug.compare("digits", ["none", "flip-crop"], space="light")  # type: ignore[call-arg]
