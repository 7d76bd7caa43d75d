"""The work of ``scripts/bench_modalities``, which describes it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from autoaug.modalities.audio.decoding import RATE
from autoaug.policy.models import Operation, Policy, in_turn
from benchmarks.results import Results
from benchmarks.single import cpu_rates
from benchmarks.texts import TEXTS, TIMES, of_texts

#: Changes a frame by a number in [0, 1).
Change = Callable[[Tensor, float], Tensor]
LINEAR = InterpolationMode.BILINEAR

#: What runs beside which transforms of audiomentations; filters there have 12 dB per octave, as one pass of ours.
PAIRS: Mapping[tuple[str, ...], tuple[tuple[str, dict[str, Any]], ...]] = {
    ("Gain",): (("Gain", {"min_gain_db": -18, "max_gain_db": 18}),),
    ("Polarity",): (("PolarityInversion", {}),),
    ("Clipping",): (("ClippingDistortion", {}),),
    ("Quantization",): (("BitCrush", {"min_bit_depth": 4, "max_bit_depth": 16}),),
    ("WhiteNoise",): (("AddGaussianSNR", {"min_snr_db": 0, "max_snr_db": 40}),),
    ("PinkNoise",): (("AddColorNoise", {"min_f_decay": -3.01, "max_f_decay": -3.01}),),
    ("LowPass",): (("LowPassFilter", {}),),
    ("HighPass",): (("HighPassFilter", {}),),
    ("BandPass",): (("BandPassFilter", {}),),
    ("Equalizer",): (("PeakingFilter", {}),),
    ("FrequencyMask",): (("BandStopFilter", {}),),
    ("TimeShift",): (("Shift", {"rollover": False}),),
    ("TimeMask",): (("TimeMask", {}),),
    ("Gain", "WhiteNoise", "LowPass"): (("Gain", {}), ("AddGaussianSNR", {}), ("LowPassFilter", {})),
    ("LowPass", "HighPass", "Equalizer"): (("LowPassFilter", {}), ("HighPassFilter", {}), ("PeakingFilter", {})),
}


#: What runs beside which augmentations of Kornia, with one draw per clip, and which functions of torchvision, frame by
#: frame, each with a value from a range.
CLIPS: dict[tuple[str, ...], tuple[tuple[tuple[str, dict[str, Any]], Change], ...]] = {
    ("VideoHorizontalFlip",): ((("RandomHorizontalFlip", {}), lambda frame, _: F.hflip(frame)),),
    ("VideoRotate",): ((("RandomRotation", {"degrees": 30.0}), lambda frame, u: F.rotate(frame, 60 * u - 30, LINEAR)),),
    ("VideoTranslateX",): (
        (
            ("RandomTranslate", {"translate_x": (-0.45, 0.45)}),
            lambda frame, u: F.affine(frame, 0, [28.8 * u - 14.4, 0], 1, [0, 0], LINEAR),
        ),
    ),
    ("VideoShearX",): (
        (
            ("RandomShear", {"shear": (-17.0, 17.0)}),
            lambda frame, u: F.affine(frame, 0, [0, 0], 1, [34 * u - 17, 0], LINEAR),
        ),
    ),
    ("VideoBrightness",): (
        (("RandomBrightness", {"brightness": (0.1, 1.9)}), lambda frame, u: F.adjust_brightness(frame, 0.1 + 1.8 * u)),
    ),
    ("VideoContrast",): (
        (("RandomContrast", {"contrast": (0.1, 1.9)}), lambda frame, u: F.adjust_contrast(frame, 0.1 + 1.8 * u)),
    ),
    ("VideoSaturation",): (
        (("RandomSaturation", {"saturation": (0.1, 1.9)}), lambda frame, u: F.adjust_saturation(frame, 0.1 + 1.8 * u)),
    ),
    ("VideoSolarize",): ((("RandomSolarize", {"thresholds": (0.0, 1.0)}), lambda frame, u: F.solarize(frame, u)),),
    ("VideoEqualize",): ((("RandomEqualize", {}), lambda frame, _: F.equalize(frame)),),
    ("VideoGaussianBlur",): (
        (
            ("RandomGaussianBlur", {"kernel_size": (7, 7), "sigma": (0.1, 1.6)}),
            lambda frame, u: F.gaussian_blur(frame, [7, 7], [0.1 + 1.5 * u]),
        ),
    ),
}
CLIPS |= {
    ("VideoHorizontalFlip", "VideoRotate", "VideoBrightness"): (
        *CLIPS["VideoHorizontalFlip",],
        *CLIPS["VideoRotate",],
        *CLIPS["VideoBrightness",],
    )
}


def of_clips(ours: tuple[str, ...], batch: int) -> dict[str, tuple[Callable[[Any], object], list[Any]]]:
    """The three libraries with the operators in turn, and clips of 8 frames, 32 x 32, as each takes them."""
    import kornia.augmentation as K

    draw = np.random.default_rng(0)
    wide = np.cumsum(draw.normal(0, 8, (batch, 3, 32, 40)), -1).clip(-127, 127) + 128
    clips = torch.from_numpy(np.stack([wide[..., t : t + 32] for t in range(8)], 1) / 255).float()
    policy = Policy(layers=in_turn(*(Operation(operator=name, magnitude=(0.0, 1.0)) for name in ours)))
    kornia, frames = zip(*CLIPS[ours], strict=True)
    theirs = K.VideoSequential(
        *(getattr(K, name)(p=1, **how) for name, how in kornia), data_format="BTCHW", same_on_frame=True
    )

    def frame_by_frame(clip: Tensor) -> Tensor:
        for function in frames:
            value = draw.random()
            clip = torch.stack([function(frame, value) for frame in clip])
        return clip

    return {
        "autoaug": (policy.transform(seed=0), [clips]),
        "Kornia": (theirs, [clips]),
        "torchvision": (frame_by_frame, list(clips)),
    }


def sounds(count: int) -> np.ndarray:
    """Bursts of tones on hiss, float32 ``[count, RATE]``, one second each."""
    draw, time = np.random.default_rng(0), np.arange(RATE) / RATE
    tones = np.stack([sum(np.sin(2 * np.pi * f * time) for f in draw.uniform(100, 6000, 5)) for _ in range(count)])
    made: np.ndarray = (0.05 * tones * np.sin(20 * time) ** 2 + draw.normal(0, 0.01, tones.shape)).astype(np.float32)
    return made


def contestants(ours: tuple[str, ...], batch: int) -> dict[str, tuple[Callable[[Any], object], list[Any]]]:
    """Both libraries with the operators in turn, and the sounds as each takes them."""
    import audiomentations

    given = sounds(batch)
    policy = Policy(layers=in_turn(*(Operation(operator=name, magnitude=(0.0, 1.0)) for name in ours)))
    theirs = audiomentations.Compose([getattr(audiomentations, name)(p=1.0, **how) for name, how in PAIRS[ours]])
    return {
        "autoaug": (policy.transform(seed=0), [torch.from_numpy(given)[:, None]]),
        "audiomentations": (lambda sound: theirs(sound, RATE), list(given)),
    }


def _timed(make: Callable[..., Any], ours: tuple[str, ...], batch: int, seconds: float) -> dict[str, int]:
    return cpu_rates(make(ours, batch), seconds, batch)


def main(options: argparse.Namespace) -> None:
    """Run the missing measurements."""
    torch.set_num_threads(1)
    np.random.seed(0)  # audiomentations draws from it
    results = Results(options.out, vars(options), fixed=("quick", "batch"))
    kinds = {
        "seconds_of_sound_per_second": (PAIRS, contestants, options.batch),
        "clips_per_second": (CLIPS, of_clips, options.batch),
        "texts_per_second": (TEXTS, of_texts, TIMES * options.batch),
    }
    medians = results.items.setdefault("median_ratios", {})
    for what, (known, both, batch) in kinds.items():
        rates = results.items.setdefault(what, {})
        for ours in known:
            name = " + ".join(ours)
            if results.once(rates, name, partial(_timed, both, ours, batch, 0.4 if options.quick else 4.0)):
                print(name, rates[name], flush=True)
        for other in {name for rate in rates.values() for name in rate} - {"autoaug"}:
            ratios = [rate["autoaug"] / rate[other] for rate in rates.values() if other in rate]
            medians[other] = round(median(ratios), 2)
    results.save()
    print(f"median times as fast: {medians}")
