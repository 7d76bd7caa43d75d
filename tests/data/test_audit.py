"""The audit finds planted problems, and stops on those that would invalidate a result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoaug.data.audit import allowed, audit
from autoaug.data.loading import open_source
from autoaug.errors import DataError, OptionError
from tests.conftest import bars, write_folder, write_npz

PLENTY = 10**9


def codes(path: Path) -> dict[str, str]:
    return {finding.code: finding.level for finding in audit(open_source(path, PLENTY)).findings}


def test_clean_data_have_no_stops(npz: Path) -> None:
    assert "stop" not in codes(npz).values()


@pytest.mark.fault("data", "duplicates across splits")
def test_a_leak_between_splits_stops_unless_allowed(tmp_path: Path) -> None:
    x, y = bars(120)
    path = write_npz(
        tmp_path / "a.npz", x_test=np.concatenate([bars(60, seed=1)[0], x[:3]]), y_test=np.append(bars(60)[1], y[:3])
    )
    audited = audit(open_source(path, PLENTY))
    with pytest.raises(
        DataError, match=r"3 samples are in two splits, e\.g\. train image 0 and test image 60.*--allow leak"
    ):
        audited.stop()
    audited.stop(frozenset({"leak"}))


@pytest.mark.parametrize("role", ["val", "test"])
def test_a_group_in_two_given_splits_stops_unless_allowed(role: str, tmp_path: Path) -> None:
    """Every patient is in train and in the other split; no image is."""
    images, labels = bars(60, seed=5)
    other = {"g_test": np.arange(60) + 200, f"x_{role}": images, f"y_{role}": labels, f"g_{role}": np.arange(60) // 5}
    path = write_npz(tmp_path / "a.npz", g_train=np.arange(120) // 10, **other)
    audited = audit(open_source(path, PLENTY))
    with pytest.raises(DataError, match=r"12 groups are in two splits, e\.g\. '0' with .* and .*--allow leak"):
        audited.stop()
    audited.stop(frozenset({"leak"}))
    np.savez(tmp_path / "b.npz", **{**np.load(path), f"g_{role}": np.arange(60) // 5 + 100})
    assert "stop" not in codes(tmp_path / "b.npz").values()


@pytest.mark.parametrize("role", ["val", "test"])
@pytest.mark.parametrize("grouped", ["train", "other"])
def test_groups_of_one_split_without_those_of_another_stop_unless_allowed(
    role: str, grouped: str, tmp_path: Path
) -> None:
    images, labels = bars(60, seed=5)
    group = {f"g_{role}": np.arange(60) // 5} if grouped == "other" else {"g_train": np.arange(120) // 10}
    path = write_npz(tmp_path / "a.npz", **{f"x_{role}": images, f"y_{role}": labels}, **group)
    audited = audit(open_source(path, PLENTY))
    with pytest.raises(DataError, match=r"split has groups, but the \w+ split has none.*--allow groups"):
        audited.stop()
    audited.stop(frozenset({"groups"}))


def test_groups_of_one_split_alone_stop_in_a_manifest_too(tmp_path: Path) -> None:
    lines = ["path,label,split,group"]
    for number, image in enumerate(bars(8)[0]):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{number}.png")
        is_train = number < 6
        lines.append(f"{number}.png,{number % 2},{'train,p' + str(number // 2) if is_train else 'test,'}")
    (tmp_path / "list.csv").write_text("\n".join(lines))
    assert codes(tmp_path / "list.csv")["groups"] == "stop"


@pytest.mark.fault("data", "contradictory labels")
def test_one_image_under_two_labels_stops(tmp_path: Path) -> None:
    x, y = bars(120)
    path = write_npz(tmp_path / "a.npz", x_train=np.concatenate([x, x[:1]]), y_train=np.append(y, (y[0] + 1) % 3))
    assert codes(path)["conflict"] == "stop"


def test_the_two_places_of_a_sample_with_two_labels_are_of_both(tmp_path: Path) -> None:
    x, y = bars(120)
    labels = np.concatenate([y, y[:1], (y[:1] + 1) % 3])
    path = write_npz(tmp_path / "a.npz", x_train=np.concatenate([x, x[:1], x[:1]]), y_train=labels)
    with pytest.raises(DataError, match=r"two labels, e\.g\. train image 0 and train image 121;"):
        audit(open_source(path, PLENTY)).stop()


def test_copies_within_a_split_are_a_warning(tmp_path: Path) -> None:
    x, y = bars(120)
    path = write_npz(tmp_path / "a.npz", x_train=np.concatenate([x, x[:2]]), y_train=np.append(y, y[:2]))
    assert codes(path)["duplicate"] == "warning"


@pytest.mark.fault("images", "truncated, empty and mislabeled files")
def test_unreadable_files_stop_and_are_left_out_when_allowed(tmp_path: Path) -> None:
    images, labels = bars(30)
    write_folder(tmp_path, images, labels)
    whole = (tmp_path / "class 0" / "0000.png").read_bytes()
    (tmp_path / "class 0" / "0000.png").write_bytes(whole[: len(whole) // 2])
    source = open_source(tmp_path, PLENTY)
    with pytest.raises(DataError, match=r"unreadable sample: .*0000\.png.*--allow unreadable"):
        audit(source).stop()
    audit(source).stop(frozenset({"unreadable"}))
    assert len(source.parts["train"]) == 29


def test_why_a_listed_file_cannot_be_read_is_told(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "good.png")
    (tmp_path / "empty.png").touch()
    names = ("good.png", "empty.png", "gone.png", f"{'x' * 300}.png")
    (tmp_path / "list.csv").write_text("path,label\n" + "".join(f"{name},a\n" for name in names))
    empty, gone, long = open_source(tmp_path / "list.csv", PLENTY).unreadable
    assert "it is empty" in empty
    assert "No such file" in gone
    assert "name too long" in long


@pytest.mark.fault("data", "one class")
def test_several_findings_to_allow_are_given_one_by_one() -> None:
    with pytest.raises(OptionError, match="each finding on its own: --allow leak --allow empty"):
        allowed(["leak, empty"])


def test_one_class_stops_and_cannot_be_allowed(tmp_path: Path) -> None:
    (tmp_path / "only").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "only" / "a.png")
    audited = audit(open_source(tmp_path, PLENTY))
    with pytest.raises(DataError, match="only one class"):
        audited.stop(frozenset({"unreadable", "leak", "conflict"}))


def test_the_fingerprint_follows_the_content_and_not_the_format(tmp_path: Path) -> None:
    x, y = bars(120)
    compressed = audit(open_source(write_npz(tmp_path / "a.npz"), PLENTY)).fingerprint
    floats = audit(open_source(write_npz(tmp_path / "b.npz", x_train=x / 255.0), PLENTY)).fingerprint
    changed = x.copy()
    changed[0, 0, 0, 0] ^= 1
    assert compressed == floats
    assert audit(open_source(write_npz(tmp_path / "c.npz", x_train=changed), PLENTY)).fingerprint != compressed
    assert audit(open_source(write_npz(tmp_path / "d.npz", y_train=(y + 1) % 3), PLENTY)).fingerprint != compressed


@pytest.mark.parametrize(("smallest", "warned"), [(12, True), (14, False)])
@pytest.mark.fault("data", "uneven classes")
def test_classes_are_uneven_from_three_times_on(smallest: int, warned: bool, tmp_path: Path) -> None:
    images, labels = bars(120)
    kept = np.sort(np.concatenate([np.flatnonzero(labels != 2), np.flatnonzero(labels == 2)[:smallest]]))
    path = write_npz(tmp_path / "bars.npz", x_train=images[kept], y_train=labels[kept])
    found = [finding for finding in audit(open_source(str(path), 2**30)).findings if finding.code == "uneven"]
    assert bool(found) == warned
    if warned:
        assert "12 of '2', 40 of '0'; accuracy favors '0'" in found[0].message
        assert "--metric balanced-accuracy" in found[0].message


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.arange(120) % 3 / 1.0, "labels are float64 numbers such as 0, not classes; store them as integers"),
        (np.linspace(0, 1, 120).astype(np.float32), "labels are float32 numbers such as 0.008.*not classes; give each"),
        (
            np.linspace(0, 1, 120).round(3).astype(str),
            "labels are numbers such as 0.0, 120 different ones of 120 samples",
        ),
    ],
)
def test_numbers_where_classes_are_meant_are_named(labels: np.ndarray, words: str, tmp_path: Path) -> None:
    path = write_npz(tmp_path / "bars.npz", y_train=labels, y_test=labels[:60])
    with pytest.raises(DataError, match=words):
        open_source(str(path), 2**30)


@pytest.mark.parametrize(
    ("names", "warned"), [(["0.5", "1", "2.5"], True), (["1", "2.0", "3"], False), (["1.5", "2", "2a"], False)]
)
def test_few_numbers_are_classes_with_a_warning(names: list[str], warned: bool, tmp_path: Path) -> None:
    labels = np.array(names)[np.arange(120) % 3]
    path = write_npz(tmp_path / "bars.npz", y_train=labels, y_test=labels[:60])
    said = [finding.message for finding in audit(open_source(str(path), 2**30)).findings if finding.code == "numbers"]
    assert bool(said) == warned
    if warned:
        assert "the 3 classes are numbers such as 0.5; if they were measured, give them in a column `number`" in said[0]


def test_versions_are_classes(tmp_path: Path) -> None:
    versions = np.array(["1.0", "1.5", "2.5"])
    path = write_npz(tmp_path / "bars.npz", y_train=versions[np.arange(120) % 3], y_test=versions[np.arange(60) % 3])
    assert open_source(str(path), 2**30).classes == ("1.0", "1.5", "2.5")
