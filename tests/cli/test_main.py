"""The command line: bad input ends with one clear line, exit code 2, and no run folder."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import typer
from PIL import Image

from autoaug.cli import main
from autoaug.errors import Interrupted
from autoaug.modalities.operators import all_operators
from autoaug.modalities.registry import get_modality
from autoaug.pipeline import operator_gallery
from autoaug.policy.loading import load_policy
from tests.conftest import HEAVY, PATIENCE, Ended, bars, write_npz

Command = Callable[..., Ended]


@pytest.mark.parametrize("arguments", [["--help"], ["search", "--help"], ["--version"], ["serch"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from autoaug.cli.main import main
sys.argv = ["autoaug", *{arguments}]
try:
    main()
except SystemExit:
    print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "search" in done.stdout + done.stderr or arguments == ["--version"]
    assert done.stderr.splitlines()[-1] == "[]"


def test_version(command: Command, tmp_path: Path) -> None:
    from autoaug.version import __version__

    assert command("--version", folder=tmp_path).stdout.strip() == f"autoaug {__version__}"


@pytest.mark.parametrize(
    ("arguments", "to", "code", "words"),
    [
        ("--version", ">&-", 0, ""),
        ("--version", ">/dev/full", 2, "No space left on device"),
        ("serch", "2>&-", 2, ""),
        ("serch", "2>/dev/full", 2, ""),
    ],
)
def test_streams_that_cannot_take_it_all(arguments: str, to: str, code: int, words: str, tmp_path: Path) -> None:
    command = ["sh", "-c", f'exec "$0" -m autoaug {arguments} {to}', sys.executable]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == code, ended.stderr
    assert words in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == bool(words)


def test_a_terminal_that_knows_ascii_alone_gets_the_rest_escaped(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.TextIOWrapper(written := io.BytesIO(), encoding="ascii", write_through=True)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        assert command("operators", folder=tmp_path).code == 0
    assert rb"-180 \u2026 180" in written.getvalue()


def test_a_reader_that_has_seen_enough_ends_a_command_without_a_word(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "autoaug", "--version"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (1, b"")


def test_operators_as_table_and_json(command: Command, tmp_path: Path) -> None:
    table = command("operators", folder=tmp_path).stdout
    rows = json.loads(command("operators", "--json", folder=tmp_path).stdout)
    assert {row["name"] for row in rows} == set(all_operators())
    assert len(rows) >= 45
    rotate = next(row for row in rows if row["name"] == "Rotate")
    assert (rotate["family"], rotate["signed"], rotate["range"]) == ("geometry", True, [-180.0, 180.0])
    assert all(row["name"] in table and row["unit"] in table for row in rows)


def test_operators_as_pictures(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tenth; scripts/docs draws all of them."""
    shown = dict(sorted(all_operators().items(), key=lambda item: (item[1].modality, item[0]))[::10])
    monkeypatch.setattr(operator_gallery, "all_operators", lambda: shown)
    ended = command("operators", "--gallery", "gallery.html", folder=tmp_path)
    assert ended.stdout.strip() == "gallery.html"
    page = (tmp_path / "gallery.html").read_text()
    lacking = get_modality("text").lacking()
    assert lacking, "no translator is named where tests run"
    assert all((f'id="{name}"' in page) == (name in shown and name not in lacking) for name in all_operators())
    words = {"series", "text", "translation"}  # drawn as lines and words
    drawn = [operator.modality for operator in shown.values() if operator.modality not in words]
    assert set(drawn) == {"audio", "image", "video"}
    assert page.count("data:image/") == 2 * len(set(drawn)) + 2 * 5 * len(drawn)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets with one fault each."""
    root = tmp_path_factory.mktemp("faults")
    images, labels = bars(120)
    write_npz(root / "good.npz")
    write_npz(root / "rare.npz", y_train=np.where(np.arange(120) < 3, 2, labels % 2))
    write_npz(root / "range.npz", y_train=labels + 9, class_names=np.array(list("abc")))
    write_npz(root / "nan.npz", x_train=np.where(images > 150, np.nan, images / 255))
    write_npz(root / "one.npz", y_train=np.zeros(120, int), y_test=np.zeros(60, int))
    write_npz(root / "leak.npz", x_test=images[:60], y_test=labels[:60])
    (root / "empty").mkdir()
    for name in "ab":
        (root / "damaged" / name).mkdir(parents=True)
        for index, image in enumerate(images[:20] if name == "a" else images[20:40]):
            Image.fromarray(image[..., 0]).save(root / "damaged" / name / f"{index}.png")
    (root / "damaged" / "a" / "0.png").write_bytes(b"\x89PNG damaged")
    (root / "space.yaml").write_text("families:\n  a: {Rotat: 1}\nlayers: [0, 1]\n")
    (root / "nothing.yaml").write_text("layers: [0, 0]\n")
    load_policy("flip-crop").save(root / "flip-crop.yaml")
    (root / "policy.yaml").write_text("layers:\n  - sub_policies: []\n")
    (root / "there").mkdir()
    (root / "there" / "file").write_text("mine")
    return root


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "missing/"], ["missing", "no such"]),
        (["search", "empty"], ["empty"]),
        (["search", "one.npz"], ["one class"]),
        (["search", "rare.npz"], ["class '2' has 3", "of the 6 training samples"]),
        (["search", "damaged"], ["0.png", "--allow unreadable"]),
        (["search", "range.npz"], ["out of range"]),
        (["search", "nan.npz"], ["NaN"]),
        (["search", "leak.npz"], ["two splits", "--allow leak"]),
        (["search", "good.npz", "--space", "standrad"], ["standrad", "did you mean 'standard'"]),
        (["search", "good.npz", "--space", "space.yaml"], ["line 2", "did you mean 'Rotate'"]),
        (["search", "good.npz", "--space", "nothing.yaml"], ["allows no augmentation"]),
        (["search", "good.npz", "--strategy", "tpee"], ["tpee", "did you mean 'tpe'"]),
        (["search", "good.npz", "--strategy", "hyperband"], ["hyperband", "known are: auto, "]),  # like none of them
        (["search", "good.npz", "--model", "resnet99"], ["resnet99", "did you mean 'resnet9'"]),
        (["search", "good.npz", "--model", "torchvision:resnet19"], ["did you mean"]),
        (["search", "good.npz", "--model", "timm:resnet19"], ["did you mean"]),
        (["search", "good.npz", "--model", "nowhere:build"], ["nowhere"]),
        (["search", "good.npz", "--device", "cuda"], ["cuda", "cpu"]),
        (["search", "good.npz", "--device", "tpu"], ["tpu", "cuda"]),
        (["search", "good.npz", "--trials", "0"], ["--trials 0", "at least 1"]),
        (["search", "good.npz", "--trials", "many"], ["--trials", "many"]),
        (["search", "good.npz", "--trials", "3", "--time", "1m"], ["--trials", "--time"]),
        (["search", "good.npz", "--time", "soon"], ["soon", "30m"]),
        (["search", "good.npz", "--budget", "ten"], ["ten", "10x"]),
        (["search", "good.npz", "--budget", "nanx"], ["nanx", "10x"]),
        (["search", "good.npz", "--memory-limit", "lots"], ["lots", "2G"]),
        (["search", "good.npz", "--seeds", "1"], ["--seeds 1", "at least 2"]),
        (["search", "good.npz", "--workers", "0"], ["--workers 0"]),
        (["search", "good.npz", "--epochs", "0"], ["--epochs 0", "at least 1"]),
        (["search", "good.npz", "--workers", "2", "--executor", "inline"], ["inline", "ray-tune"]),
        (["search", "good.npz", "--executor", "slurm"], ["slurm"]),
        (["search", "good.npz", "--equal", "time"], ["time", "samples"]),
        (["search", "good.npz", "--control", "grid"], ["grid", "random"]),
        (["search", "good.npz", "--allow", "leaks"], ["did you mean 'leak'"]),
        (["search", "good.npz", "--out", "there"], ["there", "exists"]),
        (["search", "good.npz", "--trils", "3"], ["--trils"]),
        (["check", "good.npz", "--allow", "leaks"], ["did you mean 'leak'"]),
        (["generate", "fit", "good.npz", "--kind", "pca", "--steps", "9", "--out", "x"], ["leave out --steps"]),
        (["search", "good.npz", "--trials", "9" * 30], ["--trials", "at most"]),
        (["search", "good.npz", "--epochs", "9" * 30], ["--epochs", "at most"]),
        (["search", "good.npz", "--size", "9" * 30], ["--size", "at most"]),
        (["search", "good.npz", "--seeds", "9" * 30], ["--seeds", "at most"]),
        (["search", "good.npz", "--seeds", "8", "--max-seeds", "9" * 30], ["--max-seeds", "at most"]),
        (["search", "good.npz", "--workers", "9" * 30], ["--workers", "at most"]),
        (["search", "good.npz", "--time", "9" * 400 + "d"], ["--time", "at most"]),
        (["search", "good.npz", "--trial-timeout", "9" * 12 + "d"], ["--trial-timeout", "at most"]),
        (["search", "good.npz", "--budget", "9" * 400 + "x"], ["--budget", "10x"]),
        (["search", "good.npz", "--seed", str(2**32)], ["--seed 4294967296", "at most 4294967295"]),
        (["compare", "good.npz", "none", "randaugment", "--seed", "-1"], ["--seed -1", "at least 0"]),
        (["check", "good.npz", "--seed", "-1"], ["--seed -1"]),
        (["check", "damaged", "--size", "-1"], ["--size -1", "at least 4"]),
        (["check", "damaged", "--size", "1000000"], ["--size", "at most"]),
        (["expand", "good.npz", "none", "--out", "x", "--seed", "-1"], ["--seed -1"]),
        (["generate", "fit", "good.npz", "--out", "x", "--seed", "-1"], ["--seed -1"]),
        (["generate", "sample", "there", "--out", "x", "--seed", str(2**64)], ["--seed", "at most"]),
        (["watch", "there", "--every", "0"], ["--every 0", "0.1"]),
        (["watch", "there", "--every", "nan"], ["--every nan", "0.1"]),
        (["export", "none", "--to", "numpy", "--out", "/"], ["Is a directory", "/"]),
        (["export", "none", "--to", "numpy", "--out", "there"], ["Is a directory", "there"]),
        (["export", "good.npz", "--to", "model"], ["good.npz is not a run folder"]),
        (["export", "there", "--to", "model", "--exact"], ["--approximate and --exact are for code"]),
        (["export", "none", "--to", "yaml", "--exact"], ["--exact is for code, and yaml writes none; leave it out"]),
        (["export", "none", "--to", "timm", "--exact"], ["--exact is for code, and timm writes none; leave it out"]),
        (["report", "there", "missing"], ["there is not a run folder"]),
        (["search", "good.npz", "--executor", "inline", "--ray-address", "auto"], ["not on a cluster", "ray-tune"]),
        (["operators", "--gallery", "there"], ["Is a directory", "there; name a file, or move that folder away"]),
        (["compare", "good.npz", "none"], ["at least two"]),
        (["compare", "good.npz", "none", "nnoe"], ["nnoe"]),
        (
            ["compare", "good.npz", "flip-crop", "flip-crop.yaml"],
            ["'flip-crop' and 'flip-crop.yaml'", "the same"],
        ),
        (["compare", "good.npz", "none", "policy.yaml"], ["line 2", "sub_policies"]),
        (["export", "none", "--to", "torchvison"], ["did you mean 'torchvision'"]),
        (["export", "there", "--to", "kornia"], ["policy.yaml"]),
        (["resume", "there"], ["not a run folder"]),
        (["resume", "missing"], ["not a run folder"]),
        (["report", "there"], ["is not a run folder"]),
        (["check", "missing.csv"], ["no such"]),
        (["serch"], ["search"]),
        (["search", "good.npz", "--learning-rate", "0.1"], ["No such option", "it is called --lr here"]),
        (["search", "good.npz", "--image-size", "64"], ["No such option: --image-size (it is called --size here)"]),
        (["search", "good.npz", "--metric", "f1"], ["did you mean 'macro-f1' or 'micro-f1'?"]),
        (["search", "good.npz", "--model", "timm:zzzzz"], ["known are: ", " more"]),
    ],
)
def test_bad_input(arguments: list[str], words: list[str], folder: Path, refused: Callable[..., str]) -> None:
    before = sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    out = ["--out", "out"] if arguments[0] == "search" and "--out" not in arguments else []
    said = refused(*arguments, *out, folder=folder)
    for word in words:
        assert word in said
    assert sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts) == before


def test_no_option_is_suggested_that_the_command_has_not(folder: Path, refused: Callable[..., str]) -> None:
    said = refused("report", "--image-size", "64", folder=folder)
    assert said.endswith("No such option: --image-size")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--time", "banana"], "--time 'banana' must be a time such as 90s, 30m or 1h30m"),
        (["--time", "0s"], "--time '0s' must be a time"),
        (["--budget", "10"], "--budget '10' must be a multiple"),
        (["--time", "1h", "--budget", "10x"], "mutually exclusive"),
        (["--trial-timeout", "soon"], "--trial-timeout 'soon' must be a time"),
        (["--memory-limit", "much"], "--memory-limit 'much' must be a size"),
        (["--size", "big"], "--size 'big' must be a number"),
        (["--trials", "0"], "--trials 0 must be at least 1"),
        (["--seeds", "1"], "--seeds 1 must be at least 2"),
        (["--workers", "0"], "--workers 0 must be at least 1"),
        (["--lr", "-1"], "--lr -1.0 must be above 0"),
        (["--seed", "-1"], "--seed -1 must be at least 0"),
        (["--strategy", "atuo"], "atuo"),
        (["--space", "digist"], "digist"),
        (["--model", "resnet99"], "resnet99"),
        (["--recipe", "fintune"], "fintune"),
        (["--metric", "acuracy"], "acuracy"),
        (["--device", "gpu"], "gpu"),
        (["--executor", "ray"], "ray"),
        (["--track", "wnadb"], "wnadb"),
        (["--allow", "everything"], "everything"),
    ],
)
def test_an_option_is_refused_before_the_data_are_read(
    arguments: list[str], words: str, command: Command, folder: Path
) -> None:
    ended = command("search", "good.npz", *arguments, folder=folder)
    assert ended.code == 2
    assert words in ended.stderr
    assert "reading" not in ended.stdout + ended.stderr


@pytest.mark.fault("trials", "all fail")
def test_trials_that_all_fail_are_grouped_and_nothing_is_exported(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    (folder / "own.py").write_text(  # two samples, as in the check before a run, are no problem for it
        "import torch\nclass Net(torch.nn.Linear):\n    def forward(self, x):\n"
        "        return super().forward(x.flatten(1)[:, : 5 if len(x) <= 2 else 6])\n"
        "def build(channels, classes):\n    return Net(5, classes)\n"
    )
    ended = command(
        "search", "good.npz", "--model", "own:build", "--trials", "4", "--workers", "1", "--out", "fails", folder=folder
    )
    assert ended.code == 2
    assert re.search(r"all \d trials failed; nothing is exported: \d x RuntimeError: addmm", ended.stderr)
    assert len(ended.stderr.strip().splitlines()) == 1
    assert not list((folder / "fails").glob("policy*"))


def test_a_run_folder_that_exists_is_kept_and_what_differs_is_said(command: Command, folder: Path) -> None:
    before = (folder / "fails" / "config.yaml").read_bytes()
    for _ in range(2):
        ended = command(
            "search", "good.npz", "--trials", "4", "--seed", "5", "--space", "light", "--out", "fails", folder=folder
        )
        assert ended.code == 2
    assert "space 'standard' (wanted: 'light')" in ended.stderr
    assert "seed 0 (wanted: 5)" in ended.stderr
    assert "autoaug resume fails" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert (folder / "fails" / "config.yaml").read_bytes() == before


def test_a_memory_limit_may_be_as_large_as_one_likes(command: Command, folder: Path) -> None:
    assert command("check", "good.npz", "--memory-limit", "9" * 400 + "G", folder=folder).code == 0


def test_check_reports_and_its_exit_code_says_whether_a_search_makes_sense(command: Command, folder: Path) -> None:
    good = command("check", "good.npz", folder=folder)
    assert good.code == 0
    assert "train: 120 samples (0 40, 1 40, 2 40)" in good.stdout
    assert "12x12 (180)" in good.stdout
    assert "a search makes sense" in good.stdout
    bad = command("check", "leak.npz", folder=folder)
    assert bad.code == 2
    assert "train: 120 samples" in bad.stdout
    said = "60 samples are in two splits"
    assert (bad.stdout.count(said), bad.stderr.count(said)) == (0, 1), "what stops a search is told once"
    allowed = command("check", "leak.npz", "--allow", "leak", folder=folder)
    assert (allowed.code, allowed.stdout.count(f"allowed: {said}")) == (0, 1)


def test_a_second_signal_on_the_way_out_does_not_take_the_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(progress: object) -> NoReturn:
        try:
            raise Interrupted(tmp_path)
        finally:
            raise KeyboardInterrupt

    monkeypatch.setattr(main, "ignore_signals", lambda: None)
    with pytest.raises(typer.Exit) as ended:
        main._finish(run)
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err.strip().endswith(f"autoaug resume {tmp_path}")


def test_a_signal_before_there_is_a_run_is_confirmed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(progress: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "ignore_signals", lambda: None)
    with pytest.raises(typer.Exit) as ended:
        main._finish(run)
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == "interrupted; nothing had begun yet\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "number", "times"), [("1", signal.SIGTERM, 2), ("1", signal.SIGINT, 1), ("2", signal.SIGTERM, 2)]
)
@pytest.mark.fault("driver", "Ctrl-C once, SIGTERM twice")
def test_a_signal_says_how_to_go_on(workers: str, number: signal.Signals, times: int, folder: Path) -> None:
    options = ["--epochs", "30", "--workers", workers, "--out", f"stopped {workers} {number}"]
    command = [sys.executable, "-m", "autoaug", "search", "good.npz", *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("trial 0"):
            break
    for _ in range(times):  # the second comes during the tear-down
        process.send_signal(number)
        time.sleep(0.2)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert said.strip().endswith(f"autoaug resume 'stopped {workers} {number}'")
    assert len(said.strip().splitlines()) == 1
