"""Names from data and options: none leaves its folder or controls the terminal; unwritable ones are refused early."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from autoaug.data.loading import open_source
from autoaug.errors import OptionError
from autoaug.generate.expansion import Expansion
from autoaug.generate.offline import expand
from autoaug.generate.sampling import FilteredSamples, write_passed
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import CompareOptions, SearchOptions
from autoaug.pipeline.parsing import check_texts
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from autoaug.runs.callbacks.console import ConsoleProgress
from autoaug.utils.options import members_of, option_of, type_of
from autoaug.utils.terminal import echo
from tests.conftest import bars, write_folder, write_npz

LIMIT = 2**28
HOSTILE = ("../../../evil", "/abs/x", "..", "a/b", "a\x1b[2Jb\nstop: no", ".hidden", "x" * 300)
BAD = "bad\udcff"


def files_about(folder: Path) -> set[Path]:
    """All files in the folder's parent, but those in the folder."""
    return {path for path in folder.parent.rglob("*") if folder not in (path, *path.parents)}


@pytest.mark.fault("data", "labels as names of folders")
def test_copies_stay_in_their_folder_whatever_the_labels(tmp_path: Path) -> None:
    images, labels = bars(14, classes=7)
    given = tmp_path / "given"
    write_folder(given, images, labels)
    lines = [f'"{given}/class {label}/{i:04}.png","{HOSTILE[label]}"' for i, label in enumerate(labels)]
    (given / "data.csv").write_text("\n".join(["path,label", *lines]))
    source, out = open_source(given / "data.csv", LIMIT), tmp_path / "deep" / "er" / "out"
    out.parent.mkdir(parents=True)
    before = files_about(out)
    expand(Expansion(source, "csv", load_policy("trivialaugment"), copies=1), out)
    assert files_about(out) == before
    enlarged = open_source(out / "data.csv", LIMIT)
    assert enlarged.classes == source.classes == tuple(sorted(HOSTILE))
    assert len(enlarged.parts["train"]) == 28
    renamed = json.loads((out / "expansion.json").read_text())["renamed"]
    assert set(renamed) == set(HOSTILE)
    assert {path.name for path in (out / "train").iterdir()} == set(renamed.values())


def test_samples_stay_in_their_folder_whatever_the_labels(tmp_path: Path) -> None:
    class Gate:
        classes = (*HOSTILE, "plain")

    labels = np.arange(8)
    out = tmp_path / "a" / "b" / "out"
    out.parent.mkdir(parents=True)
    inputs, reasons = np.zeros((8, 1, 4, 4), np.uint8), np.full(8, "", "U20")
    write_passed(FilteredSamples(inputs, labels, reasons, Gate(), None, "image"), out)
    assert {path.name for path in out.parent.iterdir()} == {"out"}
    assert {path.name for path in tmp_path.iterdir()} == {"a"}
    folders = {path.name for path in out.iterdir() if path.is_dir()}
    renamed = json.loads((out / "renamed.json").read_text())
    assert folders == {*renamed.values(), "plain"}
    assert set(renamed) == set(HOSTILE)
    assert open_source(out, LIMIT).classes == tuple(sorted(Gate.classes))


def test_every_text_of_the_options_must_be_writable() -> None:
    texts = [
        field.name
        for field in fields(SearchOptions)
        if option_of(field) and field.name != "data" and {str, Sequence[str]} & set(members_of(type_of(field)))
    ]
    assert {"out", "space", "model", "accept", "generator", "track", "storage"} <= set(texts)
    check_texts(SearchOptions("digits"))
    for name in texts:
        for bad in (BAD, "a\0b"):
            value = (bad,) if name in {"allow", "track"} else bad
            with pytest.raises(OptionError, match=rf"--{name.replace('_', '-')} .*(not UTF-8 text|must be)"):
                check_texts(SearchOptions("digits", **{name: value}))


def test_a_run_that_could_not_be_written_down_is_refused_before_its_data_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionError, match=r"policy 'bad.*not UTF-8"):
        prepare(CompareOptions("missing/", [Policy().model_copy(update={"name": BAD})]))
    here = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    here.mkdir()
    monkeypatch.chdir(here)
    with pytest.raises(OptionError, match=r"the run folder .*not UTF-8"):
        prepare(SearchOptions("missing/"))
    write_npz(here / "a.npz")
    with pytest.raises(OptionError, match=r"the path .*not UTF-8"):
        prepare(SearchOptions("a.npz", out=str(tmp_path / "out"), workers=1))


@pytest.mark.fault("security", "names on the terminal")
def test_check_escapes_what_a_terminal_obeys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from autoaug.cli.main import main

    names = np.array(["a\x1b[2J", "b\nstop: made up", "c\u202e\x9b"])
    write_npz(tmp_path / "a.npz", class_names=names)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["autoaug", "check", "a.npz"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(line.isprintable() for line in said.splitlines())
    assert "a\\x1b[2J 40, b\\nstop: made up 40" in said
    assert not [line for line in said.splitlines() if line.startswith("stop:")]


def test_errors_are_escaped(tmp_path: Path, refused: Callable[..., str]) -> None:
    said = refused("check", "no\x1b[2J\u202e/such", folder=tmp_path)
    assert said.strip().isprintable()
    assert "\\x1b" in said


def test_progress_is_escaped() -> None:
    written = io.StringIO()
    with ConsoleProgress(Console(file=written, force_terminal=False, width=200)) as progress:
        progress.say("run folder: a\x1b[2Jb")
        progress.training_ended("policy\x1b]0;title\x07", 1, 2)
    assert written.getvalue().replace("\n", "").isprintable()
    assert "\\x1b[2J" in written.getvalue()


def test_an_escaped_line_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    echo(Path(f"a\n{BAD}"))
    assert capsys.readouterr().out == "a\\nbad\\udcff\n"
