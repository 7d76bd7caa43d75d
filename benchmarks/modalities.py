"""The work of ``scripts/bench_modalities``, which describes it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch

from autoaug.modalities.audio.decoding import RATE
from autoaug.policy.models import Operation, Policy, in_turn
from benchmarks.results import Results
from benchmarks.single import cpu_rates

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


def main(options: argparse.Namespace) -> None:
    """Run the missing measurements."""
    torch.set_num_threads(1)
    np.random.seed(0)  # audiomentations draws from it
    results = Results(options.out, vars(options), fixed=("quick", "batch"))
    rates = results.items.setdefault("seconds_of_sound_per_second", {})
    for ours in PAIRS:
        measure = partial(cpu_rates, contestants(ours, options.batch), 0.4 if options.quick else 4.0, options.batch)
        if results.once(rates, " + ".join(ours), measure):
            print(" + ".join(ours), rates[" + ".join(ours)], flush=True)
    times = [rate["autoaug"] / rate["audiomentations"] for rate in rates.values()]
    results.items["median_ratio"] = round(median(times), 2)
    results.save()
    print(f"median: {median(times):.2f} times as fast")
