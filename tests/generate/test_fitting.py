"""Fitting a generator: at which size, and what becomes of an interrupted fit."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from autoaug import api
from autoaug.errors import RunError
from tests.conftest import PATIENCE, bars, write_folder, write_npz


@pytest.mark.slow  # the interrupted fit below reads at the size, too
def test_large_photographs_are_learned_at_a_smaller_size_and_sampled_at_it(tmp_path: Path) -> None:
    """At 224 pixels, the network that judges the samples would be trained for most of an hour."""
    write_folder(tmp_path / "large", *bars(60, size=40, channels=3))
    made = api.generate_fit(tmp_path / "large", kind="pca", size=16, resize="squash", out=tmp_path / "gen")
    assert made.shape == (3, 16, 16)
    api.generate_sample(tmp_path / "gen", per_class=4, out=tmp_path / "made")  # the filter reads the data as it did
    sizes = {Image.open(path).size for path in (tmp_path / "made").rglob("*.png")}
    assert sizes == {(16, 16)}


@pytest.mark.fault("driver", "Ctrl-C while a generator is fitted")
def test_an_interrupted_fit_goes_on_only_with_samples_of_the_same_size(tmp_path: Path) -> None:
    write_folder(tmp_path / "large", *bars(60, size=40, channels=3))

    def fit(**reading: Any) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        api.generate_fit(tmp_path / "large", steps=20, out=tmp_path / "gen", watch=interrupt, **reading)

    with pytest.raises(KeyboardInterrupt):
        fit(size=16)
    for other, word in (
        ({"size": 20}, r"size \[16\], not \[20\]"),
        ({"size": 16, "resize": "squash"}, "crop, not squash"),
    ):
        with pytest.raises(RunError, match=word):
            fit(**other)
    with pytest.raises(KeyboardInterrupt):
        fit(size=16)


@pytest.mark.slow
@pytest.mark.fault("driver", "Ctrl-C while a generator is fitted")
def test_ctrl_c_while_fitting_is_one_line_and_the_same_command_goes_on(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "autoaug",
        "generate",
        "fit",
        str(write_npz(tmp_path / "bars.npz")),
        "--steps",
        "2000",
        "--out",
        str(tmp_path / "g"),
    ]
    fitting = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    patience = time.monotonic() + PATIENCE
    while not (tmp_path / "g/unfinished.safetensors").is_file():
        assert time.monotonic() < patience
        time.sleep(0.05)
    fitting.send_signal(signal.SIGINT)
    _, said = fitting.communicate(timeout=PATIENCE)
    assert fitting.returncode == 130
    [*signs, last] = said.splitlines()
    assert last.startswith("interrupted")
    assert all(line.startswith("… fitting a gan") for line in signs), said
    reached: list[int] = []

    def watch(done: int, total: int, samples: object) -> None:
        reached.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.generate_fit(tmp_path / "bars.npz", steps=2000, out=tmp_path / "g", watch=watch)
    assert reached[0] > 100
