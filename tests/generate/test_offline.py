"""Copies on disk: in the format of the data, and reproducible."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from autoaug import api
from autoaug.data.audit import audit, hash_inputs
from autoaug.data.loading import open_source, recognize
from autoaug.data.splits import split
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.errors import DataError, OptionError, RunError
from autoaug.generate.expansion import Expansion, format_of
from autoaug.generate.offline import expand
from autoaug.modalities.base import Reading
from autoaug.policy.loading import load_policy, parse_policy
from tests.conftest import bars, write_npz

LIMIT = 2**30


def folder_data(root: Path) -> Path:
    for i, (image, label) in enumerate(zip(*bars(36), strict=True)):
        path = root / "train" / f"class{label}" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(path)
        if i < 6:
            (root / "test" / f"class{label}").mkdir(parents=True, exist_ok=True)
            Image.fromarray(255 - image[..., 0]).save(root / "test" / f"class{label}" / f"t{i}.png")
    return root


def csv_data(root: Path) -> Path:
    folder_data(root / "files")
    with (root / "data.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "split", "group"))
        for path in sorted((root / "files").rglob("*.png")):
            writer.writerow((path.relative_to(root), path.parent.name, path.parent.parent.name, f"g{path.stem}"))
    return root / "data.csv"


MADE_BY: dict[str, Callable[[Path], Path]] = {
    "folder": folder_data,
    "csv": csv_data,
    "npz": lambda root: write_npz(root / "bars.npz"),
}


@pytest.mark.parametrize(
    ("column", "cells"),
    [("labels", ["a;b", "b", ""]), ("number", ["0.1", "-2.5", "1e+20"]), ("text", ["café no 1", "a, b", "say “x”"])],
)
def test_manifests_with_other_labels_than_classes_come_back_with_them(
    column: str, cells: list[str], tmp_path: Path
) -> None:
    given = tmp_path / "given"
    folder_data(given / "files")
    told = {path: cells[i % 3] for i, path in enumerate(sorted((given / "files").rglob("*.png")))}
    with (given / "list.tsv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(("path", column, "split", "group"))
        for path, cell in told.items():
            writer.writerow((path.relative_to(given), cell, path.parent.parent.name, f"g{path.stem}"))
    source, out = open_source(given / "list.tsv", LIMIT), tmp_path / "out"
    expand(Expansion(source, format_of(str(given / "list.tsv"), source), load_policy("flip-crop"), copies=2), out)
    enlarged = open_source(out / "data.csv", LIMIT)
    assert enlarged.classes == source.classes
    for role, part in source.parts.items():
        times = 3 if role == "train" else 1
        np.testing.assert_array_equal(enlarged.parts[role].labels, np.tile(part.labels.T, times).T)
    train = enlarged.parts["train"]
    assert train.groups is not None
    assert len(set(train.groups.tolist())) == len(source.parts["train"])
    assert train.augmented is not None
    assert train.augmented.sum() == 2 * len(source.parts["train"])


@pytest.mark.parametrize("labels", [np.arange(72).reshape(36, 2) % 3 == 0, np.linspace(-1, 1, 36)[:, None]])
def test_arrays_with_columns_of_labels_come_back_with_them(labels: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=bars(36)[0], y_train=labels)
    source, out = open_source(tmp_path / "a.npz", LIMIT), tmp_path / "out"
    expand(Expansion(source, "npz", load_policy("flip-crop"), copies=2), out)
    enlarged = open_source(out / "data.npz", LIMIT)
    assert enlarged.classes == source.classes
    np.testing.assert_array_equal(
        enlarged.parts["train"].labels, np.tile(labels.astype(source.parts["train"].labels.dtype), (3, 1))
    )


def test_classes_keep_names_that_folders_cannot_have(tmp_path: Path) -> None:
    """They may come from a table, or from another system; copies are of the same classes as their originals."""
    given = folder_data(tmp_path / "given")
    (given / "train" / "class1").rename(given / "train" / 'a "b" <c>')
    (given / "test" / "class1").rename(given / "test" / 'a "b" <c>')
    source = open_source(given, LIMIT)
    expand(Expansion(source, "folder", load_policy("trivialaugment"), copies=1, seed=1), tmp_path / "out")
    assert source.classes == ('a "b" <c>', "class0", "class2")
    assert not (tmp_path / "out" / "train" / 'a "b" <c>').exists()
    enlarged = open_source(tmp_path / "out", LIMIT)
    assert enlarged.classes == source.classes
    assert enlarged.empty == ()
    (tmp_path / "out" / "expansion.json").write_text('{"renamed": [1]}')
    with pytest.raises(DataError, match=r"expansion\.json is damaged: renamed: "):
        open_source(tmp_path / "out", LIMIT)


@pytest.mark.parametrize("held", [None, 0, 1, 3, 6])
def test_originals_are_upright_for_readers_that_know_no_exif(held: int | None, tmp_path: Path) -> None:
    """As their copies are; those that are upright anyway stay as they are, byte for byte."""
    exif, drawn = Image.Exif(), np.random.default_rng(0).integers(0, 256, (2, 9, 9, 3), dtype=np.uint8)
    if held is not None:
        exif[0x0112] = held
    for name, pixels in zip("ab", drawn, strict=True):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.fromarray(pixels).save(tmp_path / "data" / name / "0.png", exif=exif)
    source = open_source(str(tmp_path / "data"), LIMIT)
    expand(Expansion(source, "folder", load_policy("flip-crop"), 1), tmp_path / "out")
    turns = {3: 2, 6: 3}.get(held, 0)
    for row, name in enumerate("ab"):
        written, given = tmp_path / f"out/train/{name}/{row:07}.png", tmp_path / f"data/{name}/0.png"
        assert np.array_equal(np.asarray(Image.open(written)), np.rot90(drawn[row], turns))
        assert (written.read_bytes() == given.read_bytes()) == (not turns)


@pytest.mark.parametrize("kind", ["folder", "csv", "npz"])
def test_of_an_expansion_only_originals_are_held_out_and_copies_of_those_are_left_out(
    kind: str, tmp_path: Path
) -> None:
    (tmp_path / "given").mkdir()
    given, out = MADE_BY[kind](tmp_path / "given"), tmp_path / "out"
    source = open_source(given, LIMIT)
    expansion = Expansion(source, format_of(str(given), source), load_policy("trivialaugment"), copies=3, seed=1)
    expand(expansion, out)
    enlarged = open_source({"folder": out, "csv": out / "data.csv", "npz": out / "data.npz"}[kind], LIMIT)
    enlarged.parts.pop("test")  # so that one is held out
    data = split(enlarged, audit(enlarged), 0, LIMIT)
    count, originals = len(source.parts["train"]), set(hash_inputs(source.parts["train"].inputs).tolist())
    held = [hash_inputs(samples.inputs).tolist() for samples in (data.validation, data.test)]
    assert all(digest in originals for digests in held for digest in digests)
    assert len(held[0]) + len(held[1]) + len(data.train) / 4 == count
    assert data.train.groups is not None
    assert not set(data.train.groups) & {*data.validation.groups, *data.test.groups}
    assert [f.message[:3] for f in audit(enlarged).findings if f.code == "copies"] == [str(3 * count)[:3]]
    with pytest.raises(OptionError, match="holds augmented copies already"):
        expand(replace(expansion, source=enlarged), tmp_path / "again")


@pytest.mark.parametrize("kind", ["folder", "csv", "npz"])
def test_the_folder_of_an_expansion_is_read_with_the_groups_of_the_data(kind: str, tmp_path: Path) -> None:
    """A folder of listed files was read by its classes: samples of a group came into several splits."""
    (tmp_path / "given").mkdir()
    given, out = MADE_BY[kind](tmp_path / "given"), tmp_path / "out"
    source = open_source(given, LIMIT)
    expand(Expansion(source, format_of(str(given), source), load_policy("trivialaugment"), copies=1), out)
    whole = open_source({"folder": out, "csv": out / "data.csv", "npz": out / "data.npz"}[kind], LIMIT)
    assert recognize(out).name == "image"
    for role, part in open_source(out, LIMIT).parts.items():
        np.testing.assert_array_equal(part.labels, whole.parts[role].labels)
        np.testing.assert_array_equal(np.array(part.groups), np.array(whole.parts[role].groups))
    if kind != "folder":
        (out / f"data.{kind}").unlink()
        with pytest.raises(DataError, match="not complete"):
            open_source(out, LIMIT)


@pytest.mark.parametrize("kind", ["folder", "csv", "npz"])
def test_expanding_keeps_the_format_and_any_copy_can_be_made_again(kind: str, tmp_path: Path) -> None:
    """From the policy and the manifest alone."""
    (tmp_path / "given").mkdir()
    given = MADE_BY[kind](tmp_path / "given")
    source, policy, out = open_source(given, LIMIT), load_policy("trivialaugment"), tmp_path / "out"
    expansion = Expansion(source, format_of(str(given), source), policy, copies=3, seed=1)
    done = expand(expansion, out, workers=2)
    data = {"folder": out, "csv": out / "data.csv", "npz": out / "data.npz"}[kind]
    enlarged = open_source(data, LIMIT)
    count = len(source.parts["train"])
    assert (done.originals, done.copies) == (count, 3 * count)
    assert enlarged.classes == source.classes
    assert len(enlarged.parts["train"]) == 4 * count
    assert len(enlarged.parts["test"]) == len(source.parts["test"])
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert len(lines) == 3 * count
    part = [line for line in lines if line["part"] == lines[-1]["part"]]
    plan = draw_plan(policy, len(part), torch.Generator().manual_seed(part[0]["seed"]))
    originals = source.parts["train"].inputs.take(np.array([line["row"] for line in part]))
    again = apply_plan(plan, torch.from_numpy(originals)).numpy()
    if kind == "npz":
        with np.load(data) as file:
            np.testing.assert_array_equal(file["x_train"][-1], again[-1].transpose(1, 2, 0))
    else:
        np.testing.assert_array_equal(np.asarray(Image.open(out / lines[-1]["file"])), again[-1][0])
    groups = enlarged.parts["train"].groups
    assert sorted(Counter(groups).values()) == count * [4], "a copy is of the group of its original"
    for group in set(groups):
        assert len(set(enlarged.parts["train"].labels[groups == group])) == 1


@pytest.mark.fault("driver", "killed while a data set is expanded")
def test_expanding_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    source = open_source(write_npz(tmp_path / "bars.npz"), LIMIT)
    expansion = Expansion(source, "npz", load_policy("trivialaugment"), copies=3, seed=1)
    expand(expansion, tmp_path / "whole")

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        expand(expansion, tmp_path / "parts", watch=stop)
    with (tmp_path / "parts/manifest.jsonl").open("a") as file:
        file.write('{"torn')
    expand(expansion, tmp_path / "parts")
    with np.load(tmp_path / "whole/data.npz") as whole, np.load(tmp_path / "parts/data.npz") as parts:
        for name in whole.files:
            np.testing.assert_array_equal(whole[name], parts[name])


def test_a_policy_that_files_cannot_represent_is_refused_before_data_are_read(tmp_path: Path) -> None:
    (tmp_path / "damaged.npz").write_bytes(b"no array")
    with pytest.raises(OptionError, match="mixes samples and labels"):
        api.expand(tmp_path / "damaged.npz", "cutmix", out=tmp_path / "out")


def test_expanding_refuses_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source(write_npz(tmp_path / "bars.npz"), LIMIT)
    expansion = Expansion(source, "npz", load_policy("trivialaugment"), copies=1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(RunError, match="holds other files"):
        expand(expansion, tmp_path / "full")
    with pytest.raises(OptionError, match="--copies 0 must be at least 1"):
        expand(replace(expansion, copies=0), tmp_path / "out")
    with pytest.raises(OptionError, match="policy 'none' changes no sample: its copies would be the originals"):
        expand(replace(expansion, policy=load_policy("none")), tmp_path / "out")
    with pytest.raises(OptionError, match="mixes samples and labels"):
        expand(replace(expansion, policy=parse_policy("mixing: {kind: mixup}\n")), tmp_path / "out")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: os.statvfs_result((0,) * 10) and type("U", (), {"free": 10})())
    with pytest.raises(DataError, match=r"the disk has 0\.0"):
        expand(expansion, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_originals_take_the_room_of_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are copied at their own size: here, 64 times the pixels of what is read."""
    for i in range(4):
        pixels = np.random.default_rng(i).integers(0, 256, (256, 256, 3), dtype=np.uint8)  # which no file makes smaller
        path = tmp_path / "data" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    source = open_source(tmp_path / "data", LIMIT, Reading((32,)))
    expansion = Expansion(source, "folder", load_policy("flip-crop"), 1)
    for free, enough in ((700_000, False), (1_000_000, True)):  # the four files are 786,432 bytes of noise
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: type("U", (), {"free": free})())
        if enough:
            assert expand(expansion, tmp_path / "out").copies == 4
        else:
            with pytest.raises(DataError, match=r"4 samples may take 0\.0 GiB, but the disk has 0\.0"):
                expand(expansion, tmp_path / "out")
