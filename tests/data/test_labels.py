"""Labels of other forms than classes: as arrays and in manifests, counted and stratified."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import autoaug
from autoaug import api
from autoaug.data.audit import audit
from autoaug.data.description import describe_source
from autoaug.data.labels import absent, counts_of, format_label, index_labels, kind_of, strata_of
from autoaug.data.loading import open_source
from autoaug.data.split_findings import split_findings
from autoaug.data.splits import DataSet, split
from autoaug.errors import AutoaugError, DataError, Interrupted
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import SearchOptions
from autoaug.search.progress import Progress
from tests.conftest import bars, write_npz


def labels_of(count: int, seed: int = 0) -> np.ndarray:
    """Three labels, of which the last is rare."""
    return np.random.default_rng(seed).random((count, 3)) < [0.5, 0.4, 0.12]


def opened(path: Path, seed: int = 0) -> DataSet:
    source = open_source(str(path), 2**30)
    audited = audit(source)
    audited.stop()
    return split(source, audited, seed, 2**30)


@pytest.fixture
def labeled(tmp_path: Path) -> Path:
    images, _ = bars(200)
    path = tmp_path / "labeled.npz"
    np.savez(path, x_train=images, y_train=labels_of(200).astype(int), class_names=np.array(["cat", "dog", "owl"]))
    return path


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    images, _ = bars(200)
    path = tmp_path / "measured.npz"
    np.savez(path, x_train=images, y_train=images.mean((1, 2, 3))[:, None])
    return path


@pytest.mark.parametrize("column", ["label", "labels"])
@pytest.mark.parametrize("samples", ["path", "text"])
def test_a_class_that_looks_like_several_labels_is_said_to_be_one(samples: str, column: str, tmp_path: Path) -> None:
    path, cell = tmp_path / "data.csv", {"path": "a.png", "text": "it rains in the morning"}[samples]
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    path.write_text("\n".join([f"{samples},{column}", *(f"{cell},{label}" for label in ("a", "b", "a;c"))]))
    source = open_source(path, 2**30)
    said = "'a;c' is taken for one class; rename the column 'label' to labels if it is several labels"
    assert source.assumed == ((said,) if column == "label" else ())
    assert len(source.classes) == 3


def test_what_is_assumed_of_labels_is_said_before_the_search(tmp_path: Path) -> None:
    class Reading(Progress):
        def warn(self, message: str) -> None:
            if "'a;c' is taken for one class" in message:
                raise KeyboardInterrupt

    for number, image in enumerate(bars(60)[0]):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{number}.png")
    lines = [f"{number}.png,{('a', 'b', 'a;c')[number % 3]}" for number in range(60)]
    (tmp_path / "data.csv").write_text("\n".join(["path,label", *lines]))
    options: dict[str, Any] = {"trials": 2, "epochs": 1, "seeds": 2, "workers": 1, "out": tmp_path / "run"}
    with pytest.raises(Interrupted):
        autoaug.search(tmp_path / "data.csv", progress=Reading(), **options)


def test_columns_of_an_array_tell_what_is_predicted(labeled: Path, measured: Path, npz: Path) -> None:
    assert [kind_of(opened(path).train.labels) for path in (labeled, measured, npz)] == [
        "multi-label",
        "regression",
        "classification",
    ]
    assert opened(labeled).classes == ("cat", "dog", "owl")


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_numbers_whose_differences_float32_would_lose_are_refused(suffix: str, tmp_path: Path) -> None:
    """Of 60 times within three minutes, in seconds since 1970, a few were left."""
    data, images = tmp_path / f"data.{suffix}", bars(60)[0]
    for number, image in enumerate(images):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{number}.png")

    def write(numbers: np.ndarray) -> Path:
        if suffix == "npz":
            np.savez(data, x_train=images, y_train=numbers[:, None])
        else:
            rows = (f"{place}.png,{number!r}" for place, number in enumerate(numbers.tolist()))
            data.write_text("\n".join(["path,number", *rows]))
        return data

    times = 1.7e9 + 3 * np.arange(60)
    with pytest.raises(DataError, match="from 1700000000 to 1700000177 lie too close together"):
        open_source(write(times), 2**30)
    for numbers in (times - times[0], 1e6 + np.arange(60), np.full(60, 0.1), np.linspace(-1e30, 1e30, 60)):
        labels = open_source(write(numbers), 2**30).parts["train"].labels
        np.testing.assert_array_equal(labels[:, 0], numbers.astype(np.float32))


def test_rare_labels_and_all_sizes_of_numbers_are_in_every_split(labeled: Path, measured: Path) -> None:
    data = opened(labeled)
    shares = [samples.labels.mean(0) for samples in (data.train, data.validation, data.test)]
    assert np.ptp(shares, axis=0).max() < 0.1
    numbers = opened(measured)
    means = [samples.labels.mean() for samples in (numbers.train, numbers.validation, numbers.test)]
    assert np.ptp(means) < 0.2 * numbers.train.labels.std()


def test_a_manifest_has_labels_joined_by_semicolons_or_numbers(tmp_path: Path) -> None:
    images, _ = bars(90)
    for number, image in enumerate(images):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{number}.png")
    names = np.array(["cat", "dog", "owl"])
    texts = [";".join(names[own]) for own in labels_of(90)]
    manifest = tmp_path / "labels.csv"
    manifest.write_text("path,labels\n" + "".join(f"{k}.png,{text}\n" for k, text in enumerate(texts)))
    source = open_source(str(manifest), 2**30)
    assert source.classes == ("cat", "dog", "owl")
    np.testing.assert_array_equal(source.parts["train"].labels, labels_of(90))
    manifest.write_text("path,number\n" + "".join(f"{k}.png,{k / 7}\n" for k in range(90)))
    found = open_source(str(manifest), 2**30).parts["train"].labels
    np.testing.assert_allclose(found, np.arange(90, dtype=np.float32)[:, None] / 7, rtol=1e-6)
    for number in ("tall", "1e39"):
        manifest.write_text(f"path,number\n0.png,{number}\n")
        with pytest.raises(DataError, match=f"line 2: number '{number}' is not a finite number"):
            open_source(str(manifest), 2**30)
    manifest.write_text("path;number\n0.png;0,5\n")  # as spreadsheets write it where semicolons separate
    with pytest.raises(DataError, match=r"number '0,5' is not .*; write it with a decimal point"):
        open_source(str(manifest), 2**30)
    manifest.write_text("path,labels\n0.png,\n1.png,\n")
    with pytest.raises(DataError, match="no sample has a label; give"):
        open_source(str(manifest), 2**30)
    manifest.write_text("path,label,labels\n0.png,a,a;b\n")
    with pytest.raises(DataError, match="columns must be"):
        open_source(str(manifest), 2**30)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.eye(3, dtype=int)[np.arange(120) % 3], "exactly one of 3 labels.*argmax"),
        (np.full((120, 2), 7), "values such as 7"),
        (np.full((120, 2), np.nan), "a label is nan"),
        (np.full((120, 1), 1e39), r"a label is 1e\+39; labels must be finite numbers of float32"),
        (np.linspace(0, 1, 120), r"store them as a column, y\[:, None\]"),
        (np.column_stack([np.arange(120) % 2, np.ones(120, int)]), "'label 1' is the same for all"),
    ],
)
def test_labels_of_no_form_are_refused(labels: np.ndarray, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        opened(write_npz(tmp_path / "bars.npz", y_train=labels, y_test=labels[:60]))


def test_parts_must_have_the_same_columns() -> None:
    with pytest.raises(DataError, match=r"the labels of the parts have \[2, 3\] columns"):
        index_labels([labels_of(9), labels_of(9)[:, :2]], None, "here")
    with pytest.raises(DataError, match="1 class_names for 3 columns"):
        index_labels([labels_of(9)], ["one"], "here")


def test_a_label_that_the_test_split_lacks_stops_a_search(tmp_path: Path) -> None:
    rest = labels_of(60)
    rest[:, 2] = False
    with pytest.raises(DataError, match="test split has no sample of class 'label 2'"):
        opened(write_npz(tmp_path / "bars.npz", y_train=labels_of(120).astype(int), y_test=rest.astype(int)))


def test_a_label_whose_test_samples_are_of_one_group_is_warned_of(tmp_path: Path) -> None:
    images, labels = bars(60, seed=5)[0], labels_of(60)
    groups = np.where(labels[:, 2], "only", np.arange(60).astype(str))
    own = {"y_train": labels_of(120).astype(int), "g_train": [f"t{i}" for i in range(120)]}
    data = opened(write_npz(tmp_path / "bars.npz", **own, x_test=images, y_test=labels.astype(int), g_test=groups))
    found = [finding.message for finding in split_findings(data) if finding.code == "lone-class"]
    assert len(found) == 1
    assert found[0].startswith("all test samples of 'label 2' are of one group")


def test_numbers_of_grouped_samples_are_no_classes_of_one_group(tmp_path: Path) -> None:
    numbers = {"y_train": np.linspace(0, 9, 120)[:, None], "y_test": np.linspace(0, 9, 60)[:, None]}
    groups = {"g_train": np.arange(120) // 4, "g_test": 100 + np.arange(60) // 4}
    data = opened(write_npz(tmp_path / "bars.npz", **numbers, **groups))
    assert split_findings(data) == []


def test_labels_are_described_by_their_counts_and_numbers_are_not(labeled: Path, measured: Path) -> None:
    told = [describe_source(source := open_source(str(path), 2**30), audit(source)) for path in (labeled, measured)]
    counts = labels_of(200).sum(0)
    assert told[0][1] == f"train: 200 samples (cat {counts[0]}, dog {counts[1]}, owl {counts[2]})"
    assert told[1][1] == "train: 200 samples"


def test_labels_are_counted_and_told() -> None:
    labels = np.array([[True, False], [True, False], [False, False]])
    assert counts_of(labels, "ab").tolist() == [2, 0]
    assert absent(labels, "ab").tolist() == [1]
    assert [format_label(label, ("a", "b")) for label in labels] == ["a", "a", "no label"]
    assert format_label(np.float32([1.25]), ("number",)) == "1.25"
    assert format_label(np.float32([1.25, 2]), ("x", "y")) == "x 1.25, y 2"
    assert format_label(np.int64(1), ("a", "b")) == "b"


@pytest.mark.parametrize("count", [1, 9, 1000])
def test_strata_of_numbers_are_of_equal_size(count: int) -> None:
    strata = strata_of(np.random.default_rng(0).normal(size=(count, 1)).astype(np.float32))
    sizes = np.bincount(strata)
    assert sizes[sizes > 0].min() >= min(count, 8)
    assert len(sizes) == {1: 1, 9: 1, 1000: 10}[count]


@pytest.mark.slow
@pytest.mark.parametrize("which", ["labeled", "measured"])
def test_a_search_with_such_labels_ends_in_a_verdict(
    which: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import autoaug

    options = {"trials": 2, "epochs": 2, "seeds": 2, "finalists": 1, "workers": 1, "space": "light"}
    result = autoaug.search(request.getfixturevalue(which), out=tmp_path / "run", **options)
    assert result.metric.name == {"labeled": "mAP", "measured": "RMSE"}[which]
    names = {"labeled": {"map", "macro-f1", "micro-f1"}, "measured": {"rmse", "mae", "r2"}}[which]
    assert set(result.candidates[0].metrics) == names
    assert "mixing" in json.dumps([candidate.policy.model_dump() for candidate in result.candidates])
    assert result.metric.name in (tmp_path / "run" / "report.html").read_text()
    assert result.data.task == {"labeled": "multi-label", "measured": "regression"}[which]
    assert api.export_model(tmp_path / "run", tmp_path / "model")
    card = (tmp_path / "model/README.md").read_text()
    assert {"labeled": "its own sigmoid", "measured": "times the output"}[which] in card
    Image.fromarray(np.full((12, 12), 90, np.uint8)).save(tmp_path / "one.png")
    monkeypatch.chdir(tmp_path / "model")
    monkeypatch.setattr("sys.argv", ["inference.py", str(tmp_path / "one.png")])
    capsys.readouterr()
    runpy.run_path("inference.py", run_name="__main__")
    told = dict(line.split(": ") for line in capsys.readouterr().out.splitlines())
    assert tuple(told) == result.data.classes
    low, high = (0, 100) if which == "labeled" else (0, 255)  # the number is the mean of an image's values
    assert all(low <= float(value.split()[0]) <= high for value in told.values())


class Columns(torch.nn.Module):
    """Logits of no character and of each one, for each column of an image."""

    def __init__(self, _: int, outputs: int) -> None:
        super().__init__()
        self.layer = torch.nn.LazyConv1d(outputs, 3, padding=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layer(images.flatten(1, 2)).transpose(1, 2)
        return logits


def test_texts_of_images_need_the_users_network_and_a_space_without_mixing(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (60, 12, 12), np.uint8)
    rows = [f"{i}.png,{'ab' * (1 + i % 3)},v{i}" for i in range(60)]
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    manifest = tmp_path / "texts.csv"
    manifest.write_text("\n".join(["path,text,group", *rows]), encoding="utf-8")
    with pytest.raises(
        AutoaugError,
        match="standard' mixes by cutmix, which leaves parts of texts: where texts are predicted, mix by mixup",
    ):
        prepare(SearchOptions(str(manifest), trials=1))
    space = tmp_path / "turns.yaml"
    space.write_text("base: [{operator: Rotate}]\nbaselines: [none]\n", encoding="utf-8")
    with pytest.raises(AutoaugError, match="there is no network; name your own as --model module:function"):
        prepare(SearchOptions(str(manifest), trials=1, space=space))
    config, data, _ = prepare(SearchOptions(str(manifest), trials=1, space=space, model=f"{__name__}:Columns"))
    assert (config.metric, data.classes) == ("wer", ("a", "b"))
    assert len(data.train) + len(data.validation) + len(data.test) == 60
