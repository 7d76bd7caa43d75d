"""From raw sound files to a verdict, exported code and a report; and the parts that look at sounds."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import autoaug
from autoaug import api
from autoaug.errors import AutoaugError
from autoaug.modalities.audio import features, models, pictures
from autoaug.modalities.audio.examples import examples as sounds
from autoaug.modalities.audio.spectrogram import BANDS, HOP, LogMel
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import load_policy
from autoaug.search.probes.shift_search import match
from autoaug.search.sampling import Given, sample_shaped
from autoaug.search.space import load_space
from autoaug.search.strategies.portfolio import portfolio
from tests.modalities.audio.sounds import RATE, tone, write_tones
from tests.samples import tones


@pytest.mark.slow
def test_a_search_on_files_ends_in_a_report(tmp_path: Path) -> None:
    data, run = write_tones(tmp_path / "tones", 24), tmp_path / "run"
    result = autoaug.search(data, trials=3, epochs=3, seeds=2, workers=1, finalists=1, executor="inline", out=str(run))
    assert result.data.modality == "audio"
    assert {candidate.name for candidate in result.candidates} >= {"none", "specaugment-sm"}
    page = (run / "report.html").read_text()
    assert page.count("data:audio/mpeg;base64,") > 20
    names = {path.name for path in run.glob("policy_*.py")}
    assert names <= {"policy_torch.py", "policy_numpy.py", "policy_audiomentations.py"}
    robust = api.robustness(data, str(run), samples=8)
    assert "white noise" in str(robust)


def test_the_space_and_its_portfolio_are_of_sounds() -> None:
    space = load_space("standard", "audio")
    assert space.modality.name == "audio"
    assert load_space("standard").modality.name == "image"
    shapes = list(portfolio(space))
    assert len(shapes) >= 10
    for shape in shapes:
        policy = sample_shaped(space, Given(shape))
        assert policy.transform(seed=0, num_classes=4)(tones(8), torch.arange(8) % 4)[0].isfinite().all()
    for name in get_modality("audio").baselines:
        load_policy(name).transform(seed=0) if name != "none" else None


def test_a_spectrogram_has_a_tone_in_its_band() -> None:
    waves = torch.from_numpy(tone(1000, 0.5)).float()[None, None]
    bands = LogMel()(waves)
    assert bands.shape == (1, 1, BANDS, 1 + 8000 // HOP)
    center = 2595 * np.log10(1 + 1000 / 700) / 2840.02 * (BANDS + 1) - 1
    assert abs(int(bands[0, 0, :, 15].argmax()) - center) < 1
    waves = waves.requires_grad_()
    (gradient,) = torch.autograd.grad(LogMel()(waves).sum(), waves)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("samples", [1, 300, 9000])
def test_the_network_takes_any_length_and_repeats_with_its_seed(samples: int) -> None:
    waves, zero = tones(3, 2, samples), torch.zeros(2)
    first, again = (models.build("auto", (2, samples), 5, zero, zero, seed=1).eval()(waves) for _ in range(2))
    assert first.shape == (3, 5)
    assert torch.equal(first, again)


def own_network(channels: int, classes: int) -> torch.nn.Module:
    """As a user would write it."""
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(classes))


def test_the_users_network_is_built_and_other_names_are_refused() -> None:
    zero = torch.zeros(1)
    network = models.build(f"{__name__}:own_network", (1, 600), 4, zero, zero, seed=0)
    assert network(tones(2)).shape == (2, 4)
    with pytest.raises(AutoaugError, match="melnet"):
        models.check("melnett")
    with pytest.raises(AutoaugError, match="random weights"):
        models.check("auto", "weights.safetensors")


@pytest.mark.parametrize("kind", ["mpeg", "wav"])
def test_a_picture_has_the_sound_itself_and_escapes_its_words(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = np.zeros((1, 9000), np.int16)
    sample[0, :5000] = np.round(tone(500, 5000 / RATE) * 20000)
    monkeypatch.setattr(pictures, "_writes_mp3", lambda: kind == "mpeg")
    made = pictures.html(sample, '"<b>low</b>"')
    assert "<b>" not in made
    (content,) = re.findall(rf"data:audio/{kind};base64,([^\"]+)", made)
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(content)), dtype="int16")
    assert rate == RATE
    assert len(heard) == pytest.approx(5000, abs=1152)  # a frame of MP3
    np.testing.assert_allclose(heard[1000:4000], sample[0, 1000:4000], atol=0 if kind == "wav" else 800)


def test_the_waveform_of_a_quiet_sound_can_be_seen_and_is_lower_than_that_of_a_louder_one() -> None:
    wave = np.sin(np.arange(8000) * 0.3).astype(np.float32)
    heights = [int(pictures._waveform(level * wave).any(2).any(1).sum()) for level in (0.01, 0.1, 1.0)]
    assert 5 <= heights[0] < heights[1] < heights[2] == pictures._WAVE


def test_pictures_of_few_samples_many_channels_and_silence() -> None:
    assert pictures.html(np.full((5, 3), 9, np.int16), "short")
    assert pictures.html(np.zeros((2, 1), np.int16), "silence")
    with pytest.raises(ValueError, match="a sound must be int16"):
        pictures.html(np.zeros((3, 8, 8), np.uint8), "an image")


def test_features_tell_noise_and_speed_apart_and_copies_are_near() -> None:
    waves = tones(40, 1, 3000)
    for operator in ("WhiteNoise", "Speed", "LowPass", "Reverberation"):
        policy = autoaug.Policy.model_validate(
            {"layers": [{"sub_policies": [{"operations": [{"operator": operator, "magnitude": 0.6}]}]}]}
        )
        moved = policy.transform(seed=0)(waves)
        apart = [
            ((a.mean(0) - b.mean(0)).abs() / (a.std(0) + 1e-3)).max()
            for a, b in zip(features.features(waves), features.features(moved), strict=True)
        ]
        assert max(apart) > 1, operator
    stored = (sounds() // 2 * 2).astype(np.int16)
    vectors = features.copy_vectors(np.concatenate([stored, np.roll(stored, 30, 2)]))
    assert np.linalg.norm(vectors[0] - vectors[2]) < 0.2 * np.linalg.norm(vectors[0] - vectors[1])
    noise = np.random.default_rng(0).normal(0, 3000, stored.shape).astype(np.int16)
    assert features.roughness(noise).min() > 5 * features.roughness(stored).max()


def test_examples_are_sounds() -> None:
    assert sounds().dtype == np.int16
    assert np.abs(sounds()).max() < 32000


@pytest.mark.slow
def test_a_shift_of_sounds_is_measured_and_bridged() -> None:
    """Without an operator a policy is of no modality; the probe knows which samples it has."""
    waves, others = tones(160, 1, 1500).split(80)
    muffled = autoaug.Policy.model_validate(
        {"layers": [{"sub_policies": [{"operations": [{"operator": "LowPass", "magnitude": [0.9, 0.9]}]}]}]}
    ).transform(seed=0)(others)
    found = match(waves, muffled, get_modality("audio"))
    assert found.initial > 4 * found.noise
    assert found.residual < 0.5 * found.initial


def test_there_are_no_generators_of_sounds_and_that_is_said(tmp_path: Path, refused: Callable[..., str]) -> None:
    write_tones(tmp_path / "tones", 2)
    said = refused("generate", "fit", "tones", "--out", "made", folder=tmp_path)
    assert "there are no generators for the modality 'audio': autoaug expand writes augmented copies of" in said
    assert not (tmp_path / "made").exists()
