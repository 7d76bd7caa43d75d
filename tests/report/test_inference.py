"""The scripts that load an exported model run with today's autoaug."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from safetensors.torch import save_file

from autoaug.modalities.registry import all_modalities, get_modality
from autoaug.report.model_card import inference_script

CLASSES = ["a", "b", "c"]


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
    about = {"network": modality.models.resolve(network, shape)[0], "start": None, "shape": shape, "classes": CLASSES}
    about |= {"task": task, "means": [0.0] * 3, "deviations": [1.0] * 3}
    (tmp_path / "inference.py").write_text(inference_script(modality.inference, about), encoding="utf-8")
    blank, outputs = torch.zeros(shape[0]), len(CLASSES) + (task == "transcription")
    model = modality.models.build(about["network"], shape, outputs, blank, blank, seed=0)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["inference.py", str(write(tmp_path / "sample"))])
    runpy.run_path("inference.py", run_name="__main__")
    printed = capsys.readouterr().out
    assert task == "transcription" or all(f"{label}: " in printed for label in CLASSES)
