"""The user's recordings of noise and of rooms: what is heard and refused, and what runs and exports know of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch

from autoaug.data.loading import open_source
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.errors import RunError
from autoaug.exporters import export_policy
from autoaug.modalities.audio.recordings import impulse_recordings, noise_recordings
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.configure import prepare, reopen
from autoaug.pipeline.options import SearchOptions
from autoaug.policy.models import Operation, Policy, in_turn
from autoaug.runs.folder import RunFolder
from tests.modalities.audio.sounds import RATE, write_tones, write_wav
from tests.samples import tones

HEARD = Policy(layers=in_turn(Operation(operator="BackgroundNoise"), Operation(operator="ImpulseResponse")))


def planned(name: str, magnitudes: list[float], uniforms: tuple[float, ...]) -> Plan:
    n = len(magnitudes)
    strength = torch.tensor([magnitudes])
    return Plan((name,), torch.zeros(1, n, dtype=torch.long), strength, torch.tensor(uniforms).expand(1, n, 4))


def hiss(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples)


@pytest.fixture
def noises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two recordings: half a second of hiss, and a second of another one, in stereo at 48 kHz below a folder."""
    folder = tmp_path / "noises"
    write_wav(folder / "a.wav", hiss(RATE // 2))
    (folder / "street").mkdir()
    soundfile.write(folder / "street" / "b.flac", hiss(96000, 1).reshape(-1, 2), 48000)
    monkeypatch.setenv("AUTOAUG_NOISE", str(folder))
    return folder


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The impulse response of a room from its peak on; 40 samples of silence are before it in the file."""
    response = np.append([0.9], hiss(3000, 2) * np.exp(-np.arange(3000) / 500))
    write_wav(tmp_path / "rooms" / "hall.wav", np.append(np.zeros(40), response))
    monkeypatch.setenv("AUTOAUG_IMPULSES", str(tmp_path / "rooms"))
    return np.round(response * 32767) / 32768


@pytest.mark.parametrize("snr", [20.0, 6.0, 0.0])
def test_the_ratio_asked_for_is_that_of_the_recording(noises: Path, snr: float) -> None:
    waves = 0.2 * tones(6, 2, 3000)
    waves[2, :, 1500:] = 0
    noise = apply_plan(planned("BackgroundNoise", [10 ** (-snr / 20)] * 6, (0.2, 0.9, 0, 0)), waves) - waves
    measured = 10 * torch.log10(waves.square().sum((1, 2)) / noise.square().sum((1, 2)))
    torch.testing.assert_close(measured, torch.full((6,), snr), atol=0.02, rtol=0)
    assert not noise[2, :, 1500:].any(), "padding stays silent"
    start = int(0.9 * 128000) % 8000  # the recording of half a second is repeated
    expected = np.tile(hiss(8000), 2)[start : start + 3000]
    assert np.corrcoef(noise[0, 1].numpy(), expected)[0, 1] > 0.999


def test_each_recording_is_heard_at_16_khz(noises: Path) -> None:
    waves = 0.2 * tones(1, 1, 8000)
    noise = apply_plan(planned("BackgroundNoise", [0.5], (0.7, 0, 0, 0)), waves) - waves
    expected = scipy.signal.resample_poly(hiss(96000, 1).reshape(-1, 2).mean(1), 1, 3)[:8000]
    assert np.corrcoef(noise[0, 0].numpy(), expected)[0, 1] > 0.98, "the filters differ near 8 kHz alone"


def test_a_room_is_convolved_from_its_peak_on_and_blended(rooms: np.ndarray) -> None:
    waves = 0.3 * tones(2, 2, 4000)
    response = rooms / np.sqrt(np.square(rooms).sum())
    theirs = scipy.signal.fftconvolve(waves.numpy(), response[None, None], axes=2)[..., :4000]
    ours = apply_plan(planned("ImpulseResponse", [1.0, 0.25], (0.3, 0, 0, 0)), waves).numpy()
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)
    np.testing.assert_allclose(ours[1], 0.75 * waves[1].numpy() + 0.25 * theirs[1], atol=1e-5)


@pytest.mark.parametrize("read", [noise_recordings, impulse_recordings])
def test_recordings_without_a_sample_at_16_khz_are_refused(
    read: Callable[[], np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("AUTOAUG_NOISE", "AUTOAUG_IMPULSES"):
        monkeypatch.setenv(variable, str(tmp_path))
    write_wav(tmp_path / "short.wav", np.array([0.5]))
    assert read().any()
    for values in (np.array([0.5]), np.zeros(0)):
        write_wav(tmp_path / "short.wav", values, 48_000)
        with pytest.raises(ValueError, match=r"short.wav is silent for \d s at 16 kHz"):
            read()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "has no sound files"),
        ({"a.wav": np.zeros(8000)}, "a.wav is silent for 8 s"),
        ({"a.wav": b"no sound"}, "a.wav cannot be read (Format not recognised.): repair it"),
        (None, "is no folder"),
    ],
)
def test_bad_folders_are_refused_in_one_line(
    files: dict[str, np.ndarray | bytes] | None,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[..., str],
) -> None:
    folder, data = tmp_path / "own", write_tones(tmp_path / "tones")
    if files is not None:
        folder.mkdir()
        for name, content in files.items():
            if isinstance(content, bytes):
                (folder / name).write_bytes(content)
            else:
                write_wav(folder / name, content)
    monkeypatch.setenv("AUTOAUG_NOISE", str(folder))
    assert words in refused("check", str(data), folder=tmp_path)


def test_a_run_records_the_recordings_and_goes_on_with_the_same_alone(
    noises: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, run = write_tones(tmp_path / "tones"), tmp_path / "run"
    assert "noise from 2 recordings" in open_source(data, 2**30).rule
    config, *_ = prepare(SearchOptions(data=str(data), out=str(run), executor="inline", command="", trials=1))
    assert config.resources["noise"].startswith("2 recordings in AUTOAUG_NOISE, digest ")
    RunFolder.create(run, config)
    assert reopen(run)[1] == config
    write_wav(noises / "a.wav", hiss(8000, 5))
    with pytest.raises(RunError, match=r"began with noise 2 recordings .* not 2 recordings"):
        reopen(run)
    monkeypatch.delenv("AUTOAUG_NOISE")
    with pytest.raises(RunError, match=r"began with noise 2 recordings .* not made hum"):
        reopen(run)


def test_without_recordings_there_are_made_ones() -> None:
    assert set(get_modality("audio").resources()) == {"noise", "rooms"}
    waves = 0.2 * tones(1, 1, 8000)
    made = [apply_plan(planned("BackgroundNoise", [1.0], (u, 0, 0, 0)), waves) - waves for u in (0.1, 0.5, 0.9)]
    spectra = [np.abs(np.fft.rfft(noise[0, 0].numpy())) for noise in made]
    peaks = [np.argmax(spectrum[1:]) + 1 for spectrum in spectra]
    assert peaks[0] == 25, "hum of 50 Hz, in bins of 2 Hz"
    centers = [(spectrum * np.arange(len(spectrum))).sum() / spectrum.sum() for spectrum in spectra]
    assert centers[1] > 1.5 * centers[2], "voices are brighter than wind"


@pytest.mark.slow
def test_exports_use_the_recordings_in_a_fresh_process(noises: Path, rooms: np.ndarray, tmp_path: Path) -> None:
    """The environment is that of this process; without recordings, `test_exports` replays the operators."""
    waves = 0.3 * tones(8, 1, 2000)
    np.save(tmp_path / "given.npy", waves.numpy())
    (tmp_path / "policy.py").write_text(export_policy(HEARD, "torch", exact=True))
    code = """
import importlib.util, numpy as np, torch
spec = importlib.util.spec_from_file_location("policy", "policy.py")
policy = importlib.util.module_from_spec(spec); spec.loader.exec_module(policy)
np.save("made.npy", policy.Augment(seed=3)(torch.from_numpy(np.load("given.npy"))).numpy())
"""
    subprocess.run([sys.executable, "-I", "-c", code], check=True, cwd=tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "made.npy"), HEARD.transform(seed=3)(waves).numpy(), atol=1e-5)


def test_exported_arrays_use_the_recordings(noises: Path, rooms: np.ndarray) -> None:
    waves = 0.3 * tones(8, 1, 2000)
    for operator in ("BackgroundNoise", "ImpulseResponse"):
        text = export_policy(Policy(layers=in_turn(Operation(operator=operator))), "numpy")
        namespace: dict[str, Any] = {"__name__": "exported"}
        exec(compile(text, "exported", "exec"), namespace)  # the text under test
        plan = planned(operator, [0.8] * 8, (0.6, 0.4, 0, 0))
        drawn = plan.choice.numpy(), plan.magnitude.numpy(), plan.uniforms.numpy()
        theirs = namespace["apply_operations"](waves.numpy(), *drawn)
        np.testing.assert_allclose(theirs, apply_plan(plan, waves).numpy(), atol=1e-5)
