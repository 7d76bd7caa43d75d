"""The scripts that load an exported model run with today's autoaug."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from safetensors.torch import save_file

from autoaug.data.loading import open_source
from autoaug.modalities.base import Reading
from autoaug.modalities.registry import all_modalities, get_modality
from autoaug.report.model_card import inference_script
from autoaug.results.run import DataSummary

CLASSES = ["a", "b", "c"]
#: What a script needs to know beside the network, the shape and the task.
ABOUT = {"start": None, "classes": CLASSES, "scale": {}, "resize": "crop", "means": [0.0] * 3, "deviations": [1.0] * 3}


def write_image(path: Path) -> Path:
    Image.new("RGB", (20, 24), "red").save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def write_sound(path: Path) -> Path:
    soundfile.write(path.with_suffix(".wav"), np.zeros(4000), 8000)
    return path.with_suffix(".wav")


def write_clip(path: Path) -> Path:
    path.mkdir()
    for name in "0123":
        write_image(path / name)
    return path


#: The modality, task and network, the shape of a sample, and what writes a file of one.
CASES = [
    ("image", "classification", "resnet9", (3, 16, 16), write_image),
    ("image", "multi-label", "resnet9", (1, 16, 16), write_image),
    ("image", "regression", "resnet9", (3, 16, 16), write_image),
    ("audio", "classification", "auto", (1, 8000), write_sound),
    ("audio", "transcription", "ctcnet", (1, 8000), write_sound),
    ("video", "classification", "auto", (4, 3, 16, 16), write_clip),
]


def test_every_template_has_a_case() -> None:
    assert {name for name, modality in all_modalities().items() if modality.inference} == {case[0] for case in CASES}


@pytest.mark.parametrize(("name", "task", "network", "shape", "write"), CASES)
def test_the_script_names_what_is_in_a_file(
    name: str,
    task: str,
    network: str,
    shape: tuple[int, ...],
    write: Callable[[Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    modality = get_modality(name)
    about = {**ABOUT, "network": modality.models.resolve(network, shape)[0], "shape": shape, "task": task}
    (tmp_path / "inference.py").write_text(inference_script(modality.inference, about), encoding="utf-8")
    blank, outputs = torch.zeros(shape[0]), len(CLASSES) + (task == "transcription")
    model = modality.models.build(about["network"], shape, outputs, blank, blank, seed=0)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    monkeypatch.setattr("sys.argv", ["inference.py", str(write(tmp_path / "sample"))])
    runpy.run_path(str(tmp_path / "inference.py"), run_name="__main__")  # from another folder
    printed = capsys.readouterr().out
    assert task == "transcription" or all(f"{label}: " in printed for label in CLASSES)
    (tmp_path / "damaged").write_bytes(b"no sample")
    for given, words in (("damaged", "damaged: "), ("missing", "missing: ")):
        monkeypatch.setattr("sys.argv", ["inference.py", str(tmp_path / given)])
        with pytest.raises(SystemExit, match=words):
            runpy.run_path(str(tmp_path / "inference.py"), run_name="__main__")


def test_the_script_hears_a_sound_as_the_training_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At another rate, too long, and beyond full scale."""
    (tmp_path / "data/a").mkdir(parents=True)
    values = np.random.default_rng(0).normal(0, 0.5, (9000, 2)).astype(np.float32)
    soundfile.write(tmp_path / "data/a/0.wav", values, 11025, subtype="FLOAT")
    soundfile.write(tmp_path / "data/a/1.wav", values[::-1, 0], 44100)
    source = open_source(tmp_path / "data", 2**30, Reading((500,)))
    inputs, audio = source.parts["train"].inputs, get_modality("audio")
    about = {**ABOUT, "network": "melnet", "shape": inputs.shape, "task": "classification"}
    (tmp_path / "inference.py").write_text(inference_script(audio.inference, about), encoding="utf-8")
    model = audio.models.build("melnet", inputs.shape, len(CLASSES), torch.zeros(1), torch.zeros(1), seed=0)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    for row, name in enumerate(source.parts["train"].names):
        monkeypatch.setattr("sys.argv", ["inference.py", name])
        heard = runpy.run_path(str(tmp_path / "inference.py"), run_name="__main__")["waves"]
        np.testing.assert_array_equal((32768 * heard[0]).round(), inputs.take(np.array([row]))[0])


def _as_kept(scale: Mapping[str, float]) -> dict[str, float]:
    """A scale, read from a result."""
    about = {"name": "x", "fingerprint": "x", "classes": CLASSES, "shape": (1, 16, 16), "findings": ()}
    kept = DataSummary.model_validate({**about, "train": 4, "validation": 1, "test": 1, "scale": dict(scale)})
    return DataSummary.model_validate_json(kept.model_dump_json()).scale


@pytest.mark.parametrize("resize", ["crop", "letterbox", "squash"])
def test_the_script_reads_a_file_as_the_training_did(
    resize: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turned upright, with the same bits of 12, and the same part of a picture that is no square."""
    for number in range(4):
        (tmp_path / "data" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(number).integers(0, 4096 >> 2 * number, (30, 20), dtype=np.uint16)
        Image.fromarray(values).save(tmp_path / "data" / "ab"[number % 2] / f"{number}.tif", tiffinfo={0x0112: 6})
    source = open_source(tmp_path / "data", 2**30, Reading((16,), resize))
    inputs = source.parts["train"].inputs
    network = {"network": "resnet9", "shape": inputs.shape, "task": "classification"}
    about = {**ABOUT, **network, "scale": _as_kept(source.scale), "resize": resize}
    (tmp_path / "inference.py").write_text(inference_script(get_modality("image").inference, about), encoding="utf-8")
    blank = torch.zeros(1)
    model = get_modality("image").models.build("resnet9", inputs.shape, len(CLASSES), blank, blank, seed=0)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    monkeypatch.chdir(tmp_path)
    for row, name in enumerate(source.parts["train"].names):
        monkeypatch.setattr("sys.argv", ["inference.py", name])
        seen = runpy.run_path("inference.py", run_name="__main__")["pixels"]
        np.testing.assert_array_equal((255 * seen[0]).round(), inputs.take(np.array([row]))[0])
