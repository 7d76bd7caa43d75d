"""No file among the data is silently dropped: it is read, refused, or reported."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoaug.data.audit import Audit, audit
from autoaug.data.loading import open_source
from autoaug.data.source import Source
from autoaug.errors import DataError
from autoaug.modalities.base import Reading
from tests.conftest import bars, write_folder

LIMIT = 2**28
IMAGES, LABELS = bars(12)


def opened(root: Path) -> tuple[Source, Audit]:
    source = open_source(root, LIMIT)
    return source, audit(source)


def findings(audited: Audit) -> dict[str, str]:
    return {finding.code: finding.message for finding in audited.findings}


def refusal(data: Path | str) -> str:
    with pytest.raises(DataError) as error:
        open_source(data, LIMIT)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("folder", "role"),
    [("Val", "validation"), ("VALID", "validation"), ("dev", "validation"), ("Testing", "test"), ("test", "test")],
)
def test_a_split_is_known_by_its_usual_names(folder: str, role: str, tmp_path: Path) -> None:
    write_folder(tmp_path / "Training", IMAGES, LABELS)
    write_folder(tmp_path / folder, IMAGES[:6], LABELS[:6])
    source = open_source(tmp_path, LIMIT)
    assert {role: len(part) for role, part in source.parts.items()} == {"train": 12, role: 6}


@pytest.mark.parametrize("folder", ["eval", "Holdout", "train2", "extra"])
def test_a_folder_beside_train_that_is_no_split_is_refused(folder: str, tmp_path: Path) -> None:
    write_folder(tmp_path / "train", IMAGES, LABELS)
    write_folder(tmp_path / folder, IMAGES[:6], LABELS[:6])
    assert f"{folder}/ is next to train/" in refusal(tmp_path)


@pytest.mark.parametrize("folders", [("Testing",), ("dev", "eval"), ("Training_set", "Test set")])
def test_splits_without_train_are_not_taken_for_classes(folders: tuple[str, ...], tmp_path: Path) -> None:
    for folder in folders:
        write_folder(tmp_path / folder, IMAGES, LABELS)
    assert "no train/" in refusal(tmp_path)


def test_classes_may_be_named_as_splits_are(tmp_path: Path) -> None:
    write_folder(tmp_path, IMAGES, LABELS)
    (tmp_path / "class 0").rename(tmp_path / "dev")
    (tmp_path / "class 1").rename(tmp_path / "test tube")
    assert open_source(tmp_path, LIMIT).classes == ("class 2", "dev", "test tube")


def test_two_folders_of_one_split_are_refused(tmp_path: Path) -> None:
    for folder in ("train", "val", "valid"):
        write_folder(tmp_path / folder, IMAGES, LABELS)
    assert "val/ and valid/ are both the validation split" in refusal(tmp_path)


def test_a_class_without_samples_stops_unless_allowed(tmp_path: Path) -> None:
    write_folder(tmp_path, IMAGES, LABELS)
    for path in (tmp_path / "class 0").iterdir():
        path.rename(path.with_suffix(".heic2"))
    (tmp_path / "class 9").mkdir()
    _, audited = opened(tmp_path)
    with pytest.raises(DataError, match=r"no sample of class 'class 0' and 1 more.*--allow empty"):
        audited.stop()
    audited.stop(frozenset({"empty"}))
    assert "4 x .heic2" in findings(audited)["left-out"]


@pytest.mark.parametrize("split", ["", "train"])
def test_what_is_no_sample_is_reported(split: str, tmp_path: Path) -> None:
    write_folder(tmp_path / split, IMAGES, LABELS)
    clean = audit(open_source(tmp_path, LIMIT))
    assert "left-out" not in findings(clean)
    (tmp_path / "README.md").touch()
    (tmp_path / split / "class 1" / "notes.txt").touch()
    (tmp_path / split / "class 1" / "more.txt").touch()
    for tool in (".ipynb_checkpoints", "__MACOSX", "@eaDir", ".git"):
        shutil.copytree(tmp_path / split / "class 0", tmp_path / split / "class 1" / tool)
        shutil.copytree(tmp_path / split / "class 0", tmp_path / split / tool)
    shutil.copy(tmp_path / split / "class 0" / "0000.png", tmp_path / split / "class 1" / "._0000.png")
    shutil.copy(tmp_path / split / "class 0" / "0000.png", tmp_path / split / "lost.png")
    _, audited = opened(tmp_path)
    assert audited.fingerprint == clean.fingerprint
    words = findings(audited)["left-out"]
    for part in ("2 x .txt", "1 x .md", "1 x .png", ".ipynb_checkpoints", "__MACOSX", "@eaDir", ".git", "._0000"):
        assert part in words


@pytest.mark.parametrize("header", ["path,label,split,group", "\ufeffLabel,Path", '"group";x,"path"'])
def test_a_manifest_in_the_folder_is_named_as_its_groups_are_not_used(header: str, tmp_path: Path) -> None:
    write_folder(tmp_path, IMAGES, LABELS)
    (tmp_path / "list.csv").write_text(f"{header}\n", encoding="utf-8")
    (tmp_path / "notes.csv").write_text("day,weather\n", encoding="utf-8")
    words = findings(opened(tmp_path)[1])["left-out"]
    assert "1 x list.csv (it lists samples: to use its splits and groups, give it in place of the folder)" in words
    assert "1 x .csv" in words


@pytest.mark.fault("data", "loops of links")
def test_linked_folders_are_read_and_loops_are_not_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "elsewhere", IMAGES, LABELS)
    root = tmp_path / "data"
    root.mkdir()
    for name in ("class 0", "class 1"):
        (root / name).symlink_to(tmp_path / "elsewhere" / name)
    (root / "class 2").mkdir()
    (root / "class 2" / "sub").symlink_to(tmp_path / "elsewhere" / "class 2")
    (root / "class 2" / "loop").symlink_to(root / "class 2")
    (root / "class 2" / "top").symlink_to(root)
    (root / "class 2" / "itself").symlink_to(root / "class 2" / "itself")
    _, audited = opened(root)
    assert audited.counts["train"] == {"class 0": 4, "class 1": 4, "class 2": 4}
    assert audited.fingerprint == audit(open_source(tmp_path / "elsewhere", LIMIT)).fingerprint
    assert "2 x link to a folder that is already read" in findings(audited)["left-out"]


def test_endings_in_capitals_are_the_same(tmp_path: Path) -> None:
    write_folder(tmp_path, IMAGES, LABELS)
    rows = [f"class {label}/{i:04}.png,{label}" for i, label in enumerate(LABELS)]
    (tmp_path / "a.CSV").write_text("\n".join([" Path ,LABEL", *rows]))
    assert len(open_source(tmp_path / "a.CSV", LIMIT).parts["train"]) == 12


def manifest(root: Path, *lines: str) -> Path:
    write_folder(root, IMAGES, LABELS)
    (root / "a.csv").write_text("\n".join(lines))
    return root / "a.csv"


def test_labels_of_a_manifest_are_the_same_with_blanks_about_them(tmp_path: Path) -> None:
    rows = ["class 0/0000.png,cat", "class 1/0001.png, cat", "class 2/0002.png,cat ", 'class 0/0003.png,"dog"']
    assert open_source(manifest(tmp_path, "path,label", *rows), LIMIT).classes == ("cat", "dog")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
def test_the_head_of_a_manifest_tells_its_separator(name: str, separator: str, quoting: Any, tmp_path: Path) -> None:
    """Spreadsheets write semicolons in half of the world, and exports to .csv often have tabs."""
    write_folder(tmp_path, IMAGES, LABELS)
    rows = [("path", "label"), ("class 0/0000.png", "cat, big"), ("class 1/0001.png", "dog; small")]
    with (tmp_path / name).open("w", newline="") as file:
        csv.writer(file, delimiter=separator, quoting=quoting).writerows(rows)
    assert open_source(tmp_path / name, LIMIT).classes == ("cat, big", "dog; small")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["path,label", "a.png,x", "b.png,x, really"], "line 3: there are 3 values for 2 columns"),
        (["path,label", "", "", "a.png,x,y"], "line 4: there are 3 values"),
        (["path,label", "a.png,x", "", "b.png"], "line 4: there is 1 value for"),
        (["path,label", '"a', '.png",x', "b.png"], "line 4: there is 1 value for"),
        (["path,label", '"a.png,x'], "line 2: not a CSV file"),
        (["path,label", "a.png,x", "", '"b.png,x', "c.png,x", "d.png,x"], "line 4: not a CSV file (unexpected end"),
        (["path;label", "a.png;x;y"], "3 values for 2 columns; put values with a semicolon in quotes"),
        (["path,label,path", "a.png,x,b.png"], "columns must be"),
        (["path,label,weight", "a.png,x,1"], "columns must be"),
        (["path,label,weight", "class 0/0000.png,x,1"], "not path,label,weight; remove 'weight'"),
        (["Image,Kind", "class 0/0000.png,x"], "not Image,Kind; rename 'Image' to path and 'Kind' to label"),
        (["file,label", "class 0/0000.png,x"], "not file,label; rename 'file' to path"),
        (["file,g", "class 0/0000.png,", "b.png,1.5", "c.png,2"], "rename 'file' to path and 'g' to number"),
        (["file,g", "class 0/0000.png,1", "b.png,2"], "rename 'file' to path and 'g' to label"),
        (["file,g", "class 0/0000.png,", "b.png,x; y"], "rename 'file' to path and 'g' to labels"),
        (["path,number", "a.png,1.5", "b.png,NA"], "line 3: the number is missing ('NA'); fill it in, or remove"),
        (["path,number", "a.png,1.5", "b.png,"], "line 3: the number is missing ('')"),
        (["path,sentence", "class 0/0000.png,it is one", "b.png,it is two"], "rename 'sentence' to text"),
        (["file,label", "elsewhere.png,x"], "no column has files that are there (relative paths start at the folder"),
        (["file,label,words", f"class 0/0000.png,x,{'word ' * 100}"], "; rename 'file' to path, remove 'words'"),
        (['"path,label"', "a.png"], "columns must be"),
        (["path;label", "a,b.png;x"], "none of the 1 listed files exists"),
        (
            ["age,file,sex", "3,class 0/0000.png,x"],
            "path and the one of 'age', 'sex' with the labels to label, remove the others",
        ),
        (["path,label,split", "a.png,x,eval"], "line 2: unknown split 'eval'"),
        (["path,label", "a.png,x", "b.png,x"], "none of the 2 listed files exists; the first: "),
        (["path,label", "a.png, "], "line 2: path and label must not be empty"),
        (["path,label", "a.png,\0"], "NUL"),
        ([], "lists no samples"),
    ],
)
@pytest.mark.fault("data", "a manifest that breaks a rule")
def test_a_manifest_that_breaks_a_rule_is_named_with_its_line(lines: list[str], words: str, tmp_path: Path) -> None:
    assert words in refusal(manifest(tmp_path, *lines))


def test_what_lies_outside_of_folders_of_classes_is_told(tmp_path: Path) -> None:
    """As in many competitions: one folder of images, and their classes in a table."""
    write_folder(tmp_path, IMAGES, LABELS)
    (tmp_path / "class 0").rename(tmp_path / "train")
    shutil.rmtree(tmp_path / "class 1")
    shutil.rmtree(tmp_path / "class 2")
    assert "; files outside of such folders: 4; a CSV with the columns path,label" in refusal(tmp_path)
    (tmp_path / "list.csv").write_text("path,text\n")
    assert refusal(tmp_path).endswith("; list.csv lists samples: give it in place of the folder")


def test_a_folder_that_is_no_class_is_refused_with_the_list_beside_it(tmp_path: Path) -> None:
    write_folder(tmp_path / "images", IMAGES, np.zeros_like(LABELS))
    (tmp_path / "images" / "list.csv").write_text("path,label\n")
    with pytest.raises(DataError, match=r"only one class \('class 0'\).*; not taken as data: 1 x list.csv \(it lists"):
        audit(open_source(tmp_path / "images", LIMIT)).stop()


def test_a_list_of_the_names_of_classes_is_used_or_refused_with_a_cure(tmp_path: Path) -> None:
    write_folder(tmp_path, IMAGES, LABELS)
    (tmp_path / "renamed.json").write_text('{"a/b: \\u00e9 \\n": "class 0"}')
    source, audited = opened(tmp_path)
    assert source.classes == ("a/b: é \n", "class 1", "class 2")
    assert "left-out" not in findings(audited)
    (tmp_path / "renamed.json").write_text("[1]")  # another tool's
    assert "renamed.json is damaged: must be an object; it should list" in refusal(tmp_path)


def test_arrays_that_are_not_used_are_reported(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=IMAGES, y_train=LABELS, weights=np.ones(12), x_mean=np.ones(3))
    assert "array 'weights', array 'x_mean'" in findings(opened(tmp_path / "a.npz")[1])["left-out"]


def shards(root: Path, *names: str) -> Path:
    parquet, pyarrow = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    write_folder(root / "files", IMAGES, LABELS)
    cells = [path.read_bytes() for path in sorted((root / "files").rglob("*.png"))]
    (root / "shards").mkdir()
    for name in names:
        parquet.write_table(pyarrow.table({"image": cells, "label": sorted(LABELS.tolist())}), root / "shards" / name)
    return root / "shards"


def test_a_shard_whose_name_tells_no_split_is_reported(tmp_path: Path) -> None:
    source, audited = opened(shards(tmp_path, "testing-0.parquet", "dev-0.PARQUET", "all.parquet"))
    assert {role: len(part) for role, part in source.parts.items()} == {"train": 12, "validation": 12, "test": 12}
    assert "all.parquet: no split" in findings(audited)["assumed"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((b"\xff", b"b"), "class '\\udcff' is not UTF-8"),
        ((b"cat", b"cat "), "'cat' and 'cat ' look the same"),
        (("caf\u00e9".encode(), "cafe\u0301".encode()), "look the same"),
        ((b" ", b"b"), "class ' ' is empty"),
    ],
)
def test_a_class_name_that_cannot_be_kept_is_refused(names: tuple[bytes, ...], words: str, tmp_path: Path) -> None:
    for name in names:
        folder = os.path.join(os.fsencode(tmp_path), name)
        os.mkdir(folder)
        Image.new("L", (4, 4), len(folder) + folder[-1]).save(os.fsdecode(os.path.join(folder, b"1.png")))
    assert words in refusal(tmp_path)


def test_the_path_of_the_data_must_be_text(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    write_folder(folder, IMAGES, LABELS)
    assert "not UTF-8 text" in refusal(folder)
    assert "not UTF-8 text" in refusal("a\0b")


@pytest.mark.fault("data", "odd names")
def test_the_name_of_a_file_may_be_anything(tmp_path: Path) -> None:
    write_folder(tmp_path, IMAGES, LABELS)
    expected = audit(open_source(tmp_path, LIMIT)).fingerprint
    os.rename(tmp_path / "class 0" / "0000.png", os.fsencode(tmp_path / "class 0") + b"/\x1b[2J\xff.png")
    source, audited = opened(tmp_path)
    assert audited.fingerprint == expected
    assert all(name.isprintable() for name in source.parts["train"].names)


def test_the_fingerprint_of_ordinary_data_is_what_it_was(tmp_path: Path) -> None:
    """Runs are resumed by it, and policies know their data by it."""
    write_folder(tmp_path, *bars(30))
    assert audit(open_source(tmp_path, LIMIT)).fingerprint == "1ab8e7939f09"
    assert audit(open_source(tmp_path, LIMIT, Reading((6,)))).fingerprint == "73c727256336"
    assert audit(open_source("digits", LIMIT)).fingerprint == "fc716d603d03"
