"""Which recordings of noise and of rooms operators use."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping

import numpy as np

from autoaug.errors import OptionError
from autoaug.modalities.audio.recordings import impulse_recordings, noise_recordings

#: What is recorded: the environment variable with the folder, how to read it, and what there is without one.
_RECORDED: Mapping[str, tuple[str, Callable[[], np.ndarray], str]] = {
    "noise": ("AUTOAUG_NOISE", noise_recordings, "made hum, voices and wind"),
    "rooms": ("AUTOAUG_IMPULSES", impulse_recordings, "made echoes"),
}


def described() -> dict[str, str]:
    """For noise and for rooms what `BackgroundNoise` and `ImpulseResponse` use, with a digest of the recordings. Raises
    `OptionError` if they cannot be read.
    """
    return {what: _described(*of) for what, of in _RECORDED.items()}


def _described(variable: str, read: Callable[[], np.ndarray], made: str) -> str:
    if not os.environ.get(variable):
        return made
    try:
        sounds = read()
    except (ValueError, ImportError) as fault:
        raise OptionError(str(fault)) from None
    digest = hashlib.sha256(np.ascontiguousarray(sounds).tobytes()).hexdigest()[:12]
    return f"{len(sounds)} recordings in {variable}, digest {digest}"
