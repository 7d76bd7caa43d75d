"""Operators on sounds against SciPy, audiomentations and closed forms; how they run together; lengths and mixing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.interpolate
import scipy.signal
import scipy.stats
import soxr
import torch

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.errors import OptionError
from autoaug.modalities.audio import mixing
from autoaug.modalities.audio.corruptions import CORRUPTIONS, FEW
from autoaug.modalities.audio.room import impulse_responses
from autoaug.modalities.audio.signals import lengths_of
from autoaug.modalities.base import Batch
from autoaug.modalities.operators import get_operator
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Adversarial, Operation, Policy, in_turn
from tests.modalities.audio.sounds import RATE, tone
from tests.samples import operators_of, tones


def apply(name: str, waves: torch.Tensor, value: float, uniforms: Sequence[float] = (0.5,) * 4) -> torch.Tensor:
    """The operator at one value in its unit on every waveform."""
    n = len(waves)
    magnitude = torch.full((1, n), value / get_operator(name).limit)
    plan = Plan((name,), torch.zeros(1, n, dtype=torch.long), magnitude, torch.tensor(uniforms).expand(1, n, 4))
    return apply_plan(plan, waves)


def wave(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).float()[None, None]


def speech(n: int = 4, samples: int = 4000) -> torch.Tensor:
    """Bursts of a few tones and hiss, not as loud as to be clipped."""
    draw = np.random.default_rng(0)
    time = np.arange(samples) / RATE
    rows = [sum(np.sin(2 * np.pi * f * time) for f in draw.uniform(100, 5000, 5)) for _ in range(n)]
    loud = 0.5 + 0.5 * np.sin(2 * np.pi * 6 * time)
    return torch.from_numpy(0.04 * np.stack(rows) * loud + draw.normal(0, 0.01, (n, samples))).float()[:, None]


@pytest.mark.parametrize("name", ["WhiteNoise", "PinkNoise"])
@pytest.mark.parametrize("snr", [20.0, 10.0, 3.0])
def test_the_ratio_asked_for_is_the_ratio_measured(name: str, snr: float) -> None:
    waves = 0.3 * speech(6)
    waves[2, :, 1500:] = 0
    noise = apply(name, waves, 10 ** (-snr / 20)) - waves
    measured = 10 * torch.log10(waves.square().sum((1, 2)) / noise.square().sum((1, 2)))
    torch.testing.assert_close(measured, torch.full((6,), snr), atol=0.02, rtol=0)
    assert not noise[2, :, 1500:].any(), "padding stays silent"


def test_noise_is_white_and_pink() -> None:
    """The slope of the spectrum, by SciPy's periodograms: 0 and -3 dB per octave."""
    waves = wave(tone(1000, 4, size=0.01))
    for name, slope in (("WhiteNoise", 0.0), ("PinkNoise", -3.01)):
        noise = (apply(name, waves, 1.0) - waves)[0, 0].numpy()
        hertz, density = scipy.signal.welch(noise, RATE, nperseg=2048)
        inside = (hertz > 100) & (hertz < 7000)
        fitted = np.polyfit(np.log2(hertz[inside]), 10 * np.log10(density[inside]), 1)[0]
        assert fitted == pytest.approx(slope, abs=0.25)
        if not slope:
            assert scipy.stats.kstest(noise[::8] / noise.std(), scipy.stats.norm.cdf).pvalue > 1e-3


def test_noise_differs_from_sample_to_sample_and_between_channels() -> None:
    waves = tones(4, 2, 3000)
    plan = draw_plan(Policy(layers=in_turn(Operation(operator="WhiteNoise"))), 4, torch.Generator().manual_seed(0))
    noise = (apply_plan(plan, waves) - waves).view(8, -1)
    correlation = torch.corrcoef(noise) - torch.eye(8)
    assert correlation.abs().max() < 0.2


@pytest.mark.parametrize(
    ("name", "cutoff"),
    [("LowPass", 500.0), ("LowPass", 2000.0), ("LowPass", 6000.0), ("HighPass", 200.0), ("HighPass", 2000.0)],
)
def test_filters_are_scipys_butterworth_forward_and_backward(name: str, cutoff: float) -> None:
    waves = speech(3)
    share = 2595 * math.log10(1 + cutoff / 700) / 2840.02
    ours = apply(name, waves, 1 - share if name == "LowPass" else share)
    sections = scipy.signal.butter(2, cutoff, "low" if name == "LowPass" else "high", fs=RATE, output="sos")
    theirs = scipy.signal.sosfiltfilt(sections, np.pad(waves.numpy(), ((0, 0), (0, 0), (2000, 2000))), padlen=0)
    np.testing.assert_allclose(ours.numpy(), theirs[..., 2000:-2000], atol=2e-4)


def test_a_band_is_a_low_pass_and_a_high_pass() -> None:
    waves = speech(3)
    apart = apply("LowPass", apply("HighPass", waves, 0.15), 0.45)
    ours, inner = apply("BandPass", waves, 0.6, (0.25, 0, 0, 0)), slice(200, 3800)  # ends are cut off between the two
    torch.testing.assert_close(ours[..., inner], apart[..., inner], atol=1e-3, rtol=0)


def gain_at(name: str, value: float, hertz: float, uniforms: Sequence[float] = (0.5,) * 4) -> float:
    """In dB, of a tone, without its ends."""
    given = wave(tone(hertz, 0.5, size=0.05))
    made = apply(name, given, value, uniforms)
    inner = slice(2000, 6000)
    return float(20 * torch.log10(made[..., inner].std() / given[..., inner].std()))


def test_tilt_equalizer_and_mask_have_the_gains_that_they_say() -> None:
    assert gain_at("Tilt", -3, 500) - gain_at("Tilt", -3, 1000) == pytest.approx(3, abs=0.05)
    assert gain_at("Tilt", 6, 1000) - gain_at("Tilt", 6, 500) == pytest.approx(6, abs=0.05)
    assert gain_at("Tilt", 6, 7900) == pytest.approx(0, abs=0.2)
    center = 700 * (10 ** (1420 / 2595) - 1)
    assert gain_at("Equalizer", 9, center) == pytest.approx(9, abs=0.05)
    assert gain_at("Equalizer", -9, 4 * center) == pytest.approx(0, abs=0.2)
    assert gain_at("FrequencyMask", 0.2, center) < -40
    assert gain_at("FrequencyMask", 0.2, 4 * center) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("seconds", [0.1, 0.4])
def test_reverberation_is_a_convolution_that_decays_in_its_time(seconds: float) -> None:
    waves = speech(2, 6000)
    (response,) = impulse_responses(torch.tensor([seconds]), torch.tensor([0.5]), 8000, waves)
    theirs = scipy.signal.fftconvolve(waves.numpy(), response[:6000].numpy()[None, None], axes=2)[..., :6000]
    np.testing.assert_allclose(apply("Reverberation", waves, seconds).numpy(), theirs, atol=1e-5)
    whole = impulse_responses(torch.tensor([seconds]), torch.tensor([0.5]), 16000, waves)[0, 1:]
    left = 10 * torch.log10(whole.square().flip(0).cumsum(0).flip(0))  # Schroeder's backward integration
    steepness = (left[0] - left[int(seconds * RATE / 3)]) / (seconds / 3)
    assert float(steepness * seconds) == pytest.approx(60, rel=0.1)


def test_quantization_and_mu_law_are_closed_forms() -> None:
    waves = speech(2)
    levels = (apply("Quantization", waves, 10) * 2**5).numpy()
    np.testing.assert_allclose(levels, np.round(waves.numpy() * 2**5), atol=1e-5)
    given = waves.double().numpy()
    bent = np.sign(given) * np.log(1 + 255 * np.abs(given)) / np.log(256)
    coarse = np.round(bent * 15) / 15
    theirs = np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255
    np.testing.assert_allclose(apply("MuLaw", waves.double(), 1.0).numpy(), theirs, atol=1e-6)


def test_audiomentations_agrees() -> None:
    from audiomentations import ClippingDistortion, Gain, PolarityInversion

    given = 0.4 * speech(1)[0, 0].numpy()
    louder = Gain(6.0, 6.0, p=1.0)(given, RATE)
    np.testing.assert_allclose(apply("Gain", wave(given), 6.0)[0, 0], louder, atol=1e-6)
    np.testing.assert_allclose(apply("Polarity", wave(given), 1.0)[0, 0], PolarityInversion(p=1.0)(given, RATE))
    clipped = ClippingDistortion(20, 20, p=1.0)(given, RATE)
    kept = np.abs(clipped).max() / np.abs(given).max()
    ours = apply("Clipping", wave(given), 1 - kept)[0, 0].numpy() * kept
    inside = np.abs(given) < 0.9 * np.abs(clipped).max()  # theirs cuts off either side by its percentile
    np.testing.assert_allclose(ours[inside], clipped[inside], atol=1e-5)


@pytest.mark.parametrize("octaves", [0.4, -0.3])
def test_speed_changes_pitch_and_length(octaves: float) -> None:
    """By the closed form of tones up to the highest that are to be played, 40 dB above what is added to them."""
    given = np.zeros(9000)
    factor = 2**octaves
    highest = 7000 / max(factor, 1)
    tones = np.array([600, 0.4 * highest, 0.7 * highest, highest])
    given[:6000] = np.sin(2 * np.pi * np.outer(np.arange(6000) / RATE, tones) + np.arange(4)) @ np.full(4, 0.2)
    made = apply("Speed", wave(given), octaves)[0, 0].numpy()
    length = round(6000 / factor)
    assert abs(int(lengths_of(wave(made))[0]) - length) <= 1
    place = factor * (np.arange(length) + 0.5) - 0.5
    expected = np.sin(2 * np.pi * np.outer(place / RATE, tones) + np.arange(4)) @ np.full(4, 0.2)
    np.testing.assert_allclose(made[200 : length - 200], expected[200:-200], atol=0.01 * 0.8)
    assert pitch_of(apply("Speed", wave(tone(600, 0.5)), octaves)[0, 0, :5000].numpy()) == pytest.approx(
        600 * factor, rel=2e-3
    )


@pytest.mark.parametrize("hertz", [6300, 7500])
def test_what_is_too_high_to_be_played_faster_is_silent_and_does_not_come_back_lower(hertz: float) -> None:
    """soxr, asked for the same, is the measure; without a filter, such tones were folded, as loud as they were."""
    given = tone(hertz, 1.0)
    made = apply("Speed", wave(given), 0.4)[0, 0].numpy()[500:11500]
    theirs = soxr.resample(given, RATE * 2**0.4, RATE, "HQ")[500:11500]
    assert np.std(theirs) < 1e-4
    assert np.std(made) < 1e-3 < 1e-2 < np.std(given)
    shifted = apply("PitchShift", wave(given), 5.0)[0, 0].numpy()[500:-500]
    assert np.std(shifted) < 1e-2


@pytest.mark.parametrize(("share", "fast"), [(0.2, slice(12000, 15500)), (-0.2, slice(500, 4300))])
def test_the_fast_side_of_a_warp_loses_what_is_too_high_and_the_slow_side_keeps_it(share: float, fast: slice) -> None:
    """From 0.5 to 0.7 of the length or to 0.3: one side is 1.67 times as fast, the other one 0.71 times."""
    given = tone(5600, 1.0) + tone(3000, 1.0)
    made = apply("TimeWarp", wave(0.5 * given), share)[0, 0].numpy() / 0.5
    theirs = soxr.resample(given, RATE / 0.6, RATE, "HQ")  # 3,000 Hz alone is left, at 5,000
    assert np.std(made[fast]) == pytest.approx(np.std(theirs[500:-500]), rel=0.01)
    slow = made[500:10500] if share > 0 else made[5500:15500]
    assert np.std(slow) == pytest.approx(np.std(given), rel=0.01)


def pitch_of(values: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(values * np.hanning(len(values)), 2**17))
    return float(spectrum.argmax() * RATE / 2**17)


@pytest.mark.parametrize("octaves", [0.4, -0.4])
def test_stretching_changes_the_length_alone_and_shifting_the_pitch_alone(octaves: float) -> None:
    given = np.zeros(9000)
    given[:6000] = tone(600, 6000 / RATE)
    stretched = apply("TimeStretch", wave(given), octaves)[0, 0].numpy()
    length = round(6000 * 2**-octaves)
    assert abs(int(lengths_of(wave(stretched))[0]) - length) <= 1
    inner = stretched[500 : length - 700]
    assert pitch_of(inner) == pytest.approx(600, rel=2e-3)
    assert inner.std() == pytest.approx(given[500:5500].std(), rel=0.12)  # frames of one tone do not quite add up
    shifted = apply("PitchShift", wave(given), 12 * octaves)[0, 0].numpy()
    assert abs(int(lengths_of(wave(shifted))[0]) - 6000) <= 2
    assert pitch_of(shifted[700:5300]) == pytest.approx(600 * 2**octaves, rel=2e-3)
    assert shifted[700:5300].std() == pytest.approx(
        given[500:5500].std(), rel=0.12
    )  # frames of one tone do not quite add up


def test_shifts_crops_and_masks_take_the_samples_that_they_say() -> None:
    given = torch.rand(1, 1, 1000) - 0.5
    later = apply("TimeShift", given, 0.2)
    torch.testing.assert_close(later[..., 200:], given[..., :800])
    assert not later[..., :199].any()
    earlier = apply("TimeShift", given, -0.3)
    torch.testing.assert_close(earlier[..., :700], given[..., 300:])
    part = apply("TimeCrop", given, 0.4, (0.5, 0, 0, 0))
    torch.testing.assert_close(part[..., :600], given[..., 200:800], atol=1e-5, rtol=0)
    assert not part[..., 600:].any()
    masked = apply("TimeMask", given, 0.3, (0.5, 0, 0, 0))
    torch.testing.assert_close(masked[..., :350], given[..., :350])
    assert not masked[..., 390:610].any()


@pytest.mark.parametrize("share", [0.2, 0.1, -0.15])
def test_a_warp_moves_one_point_and_stretches_both_sides(share: float) -> None:
    """Against SciPy's spline read at NumPy's piecewise linear map; the end of the sound stays its end."""
    given = tone(300, 0.25)
    warped = apply("TimeWarp", torch.nn.functional.pad(wave(given), (0, 500)), share, (0.5, 0, 0, 0))
    ends = 0.5 * len(given) * np.array([0, 1 + 2 * share, 2]), 0.5 * len(given) * np.array([0, 1, 2])
    place = np.interp(np.arange(len(given)) + 0.5, *ends) - 0.5
    expected = scipy.interpolate.CubicSpline(np.arange(len(given)), given)(place)
    np.testing.assert_allclose(warped[0, 0, 8 : len(given) - 8], expected[8:-8], atol=2e-3)
    assert not warped[..., len(given) :].any()


def test_padding_is_never_heard_and_never_counts() -> None:
    """A sound gives the same, whatever it is padded to, for all operators that do not draw places by the buffer."""
    waves = tones(3, 1, 900)
    padded = torch.nn.functional.pad(waves, (0, 700))
    for name in operators_of("audio"):
        policy = Policy(layers=in_turn(Operation(operator=name, magnitude=(0.5, 0.5), sign="positive")))
        plan = draw_plan(policy, 3, torch.Generator().manual_seed(0))
        alone, within = apply_plan(plan, Batch(waves)), apply_plan(plan, Batch(padded))
        assert within.lengths is not None
        for row, length in enumerate(within.lengths.tolist()):
            assert not within.values[row, :, length:].any(), name
        # The grid of frequencies is another one.
        torch.testing.assert_close(within.values[..., :900], alone.values, atol=0.02, rtol=0, msg=name)


def test_filters_multiply_and_times_compose() -> None:
    assert [get_operator(name).kind for name in ("Gain", "LowPass", "Speed")] == ["response", "response", "times"]
    pairs = itertools.permutations(["Gain", "LowPass", "Tilt", "Equalizer", "FrequencyMask"], 2)
    waves = 0.3 * speech(1, 3000)
    for first, then in pairs:
        both = Policy(layers=in_turn(*(Operation(operator=o, magnitude=(0.3, 0.3)) for o in (first, then))))
        plan = draw_plan(both, 1, torch.Generator().manual_seed(0))
        torch.testing.assert_close(apply_plan(plan, waves), apply_plan(plan, waves, fuse=False), atol=5e-3, rtol=0)
    times = Policy(
        layers=in_turn(
            Operation(operator="Speed", magnitude=(0.4, 0.4), sign="positive"),
            Operation(operator="TimeShift", magnitude=(0.2, 0.2), sign="negative"),
        )
    )
    plan = draw_plan(times, 1, torch.Generator().manual_seed(0))
    slow = wave(tone(200, 0.5))
    inner = slice(100, 5500)
    once, twice = apply_plan(plan, slow), apply_plan(plan, slow, fuse=False)
    torch.testing.assert_close(once[..., inner], twice[..., inner], atol=4e-3, rtol=0)


@pytest.mark.fault("audio", "one sample, and silence")
def test_one_sample_and_silence_survive_every_operator() -> None:
    for waves in (torch.full((2, 1, 1), 0.5), torch.zeros(2, 2, 300), torch.zeros(0, 1, 50)):
        for name in operators_of("audio"):
            plan = draw_plan(Policy(layers=in_turn(Operation(operator=name))), len(waves), torch.Generator())
            made = apply_plan(plan, waves)
            assert made.shape == waves.shape
            assert made.isfinite().all(), name


@pytest.mark.parametrize("mode", [1, 2])
def test_mixing_weighs_labels_as_it_weighs_sounds(mode: int) -> None:
    waves, others = torch.full((40, 1, 500), 0.5), torch.full((40, 1, 500), -0.5)
    waves[:20, :, 300:] = 0
    drawn = mixing.draw((mode, mode), 1.0, 1.0, 40, torch.Generator().manual_seed(0))
    modes, _, weight, place = drawn
    mixed = mixing.mix(Batch(waves), Batch(others), modes, weight, place)
    labels = mixing.label_weights(Batch(waves), torch.arange(40), modes, weight, place)
    assert mixed.lengths is not None
    if mode == 1:
        torch.testing.assert_close(mixed.values[20:].mean((1, 2)) + 0.5, labels[20:], atol=1e-4, rtol=0)
        assert (mixed.lengths == 500).all(), "the longer one gives the length"
    else:
        share = (mixed.values > 0).sum((1, 2)) / torch.tensor([300.0] * 20 + [500.0] * 20)
        torch.testing.assert_close(share, labels, atol=2e-3, rtol=0)


def test_cutmix_hears_the_partner_though_it_is_short() -> None:
    waves, others = torch.full((1, 1, 800), 0.5), torch.zeros(1, 1, 800)
    others[..., :200] = -0.5
    place = torch.tensor([[0.9, 0.7]])
    mixed = mixing.mix(Batch(waves), Batch(others), torch.tensor([2]), torch.tensor([0.8]), place).values
    assert int((mixed < 0).sum()) == 160


def test_integers_come_back_as_integers() -> None:
    stored = (tones(6, 1, 1200) * 32767).short()
    transform = Policy(layers=in_turn(Operation(operator="Gain"), Operation(operator="Speed"))).transform(seed=0)
    made = transform(stored)
    assert made.dtype == torch.int16
    assert transform(stored[0].numpy()).shape == (1, 1200)
    assert transform(stored[0, 0]).shape == (1200,)
    with pytest.raises(OptionError, match=r"values up to 3; they must be finite and in \[-1, 1\]"):
        transform(torch.full((1, 1, 9), 3.0))


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_attacks_raise_the_loss_within_their_radius(kind: str) -> None:
    waves = tones(4)
    how = Adversarial(kind=kind, epsilon=0.01, steps=1 if kind == "fgsm" else 3)

    def loss(values: torch.Tensor) -> torch.Tensor:
        return values[..., ::7].square().flatten(1).sum(1)

    moved = get_modality("audio").attacks[kind](loss, waves, how, torch.Generator().manual_seed(0))
    assert float((moved - waves).abs().max()) <= 0.01 + 1e-6
    assert (loss(moved) > loss(waves)).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruptions_grow_with_severity(name: str) -> None:
    waves = speech(4)
    changes = [float((CORRUPTIONS[name](waves, severity) - waves).abs().mean()) for severity in (1, 2, 3, 4, 5)]
    slack = 0.05 * changes[-1]
    if name in ("slow", "fast"):  # all of it is elsewhere then
        changes = [changes[0] > 0, changes[-1] > 0]
    assert all(low < high + slack for low, high in itertools.pairwise(changes)), changes
    assert changes[0] > 0
    assert torch.equal(CORRUPTIONS[name](waves, 3), CORRUPTIONS[name](waves, 3))


def test_there_are_fifteen_corruptions() -> None:
    assert len(CORRUPTIONS) == 15
    assert set(FEW) < set(CORRUPTIONS)
