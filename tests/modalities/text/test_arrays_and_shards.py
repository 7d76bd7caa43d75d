"""Texts in arrays and in shards, and tables whose first lines do not tell what is in them."""

from __future__ import annotations

import io
import json
import math
import re
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autoaug.data.loading import open_source, recognize
from autoaug.errors import DataError
from autoaug.modalities.text.tokens import text_of
from tests.modalities.text.writing import write_table, written

LIMIT = 2**30


@pytest.mark.parametrize("order", [("txt", "json"), ("json", "txt"), ("json", "cls", "txt")])
def test_the_texts_of_a_shard_are_no_labels(order: tuple[str, ...], tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for i, (text, label) in enumerate(written(8, 0)):
            contents = {"txt": text, "json": json.dumps({"label": label}), "cls": label}
            for ending in order:
                info = tarfile.TarInfo(f"{i:04}.{ending}")
                info.size = len(contents[ending].encode())
                archive.addfile(info, io.BytesIO(contents[ending].encode()))
    source = open_source(tmp_path / "a.tar", LIMIT, modality="text")
    assert source.classes == ("money", "sport")
    assert [text_of(row) for row in source.parts["train"].inputs.take(np.arange(8))] == [t for t, _ in written(8, 0)]


@pytest.mark.parametrize(
    "names", [("x", "y"), ("texts", "labels"), ("train_texts", "train_labels"), ("X_train", "y_train")]
)
def test_arrays_of_texts_are_known_by_any_of_their_names(names: tuple[str, str], tmp_path: Path) -> None:
    """What training texts need is their length: neither labels, nor texts of other splits count."""
    texts, labels = zip(*written(40, 0), strict=True)
    train, test = dict(zip(names, (texts, labels), strict=True)), [f"{text} " * 9 for text in texts]
    np.savez(tmp_path / "a.npz", **train, x_test=test, y_test=labels, class_names=np.unique(labels))
    assert recognize(tmp_path / "a.npz").name == "text"
    source = open_source(tmp_path / "a.npz", LIMIT, modality="text")
    assert (len(source.parts["train"]), len(source.parts["test"])) == (40, 40)
    longest = np.quantile([len(re.findall(r"\w+|[^\w\s]", text)) for text in texts], 0.98, method="higher")
    assert source.parts["train"].inputs.shape[0] == math.ceil(1.25 * longest)


def test_an_array_file_without_training_texts_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_test=np.array(["a b", "c"]), y_test=np.arange(2))
    with pytest.raises(DataError, match="there is no array 'x_train'"):
        open_source(tmp_path / "a.npz", LIMIT, modality="text")


def test_a_first_line_without_a_label_is_one_damaged_sample(tmp_path: Path) -> None:
    """The columns of JSON Lines are those of all lines: the first may lack one."""
    rows = [{"text": "no label"}, *({"text": text, "label": label} for text, label in written(12, 0))]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    source = open_source(path, 2**30)
    assert (source.classes, len(source.parts["train"])) == (("money", "sport"), 12)
    assert source.unreadable == (f"{path}, line 1: there is no label",)


def test_bytes_of_text_in_parquet_are_texts(tmp_path: Path) -> None:
    rows = list(written(40, 0))
    texts = pa.array([text.encode() for text, _ in rows], pa.binary())
    table = pa.table({"text": texts, "label": [label for _, label in rows]})
    pq.write_table(table, tmp_path / "a.parquet")
    write_table(tmp_path / "a.csv", rows)
    found, expected = (open_source(tmp_path / name, LIMIT) for name in ("a.parquet", "a.csv"))
    assert found.modality == "text"
    assert found.classes == expected.classes
    everyone = np.arange(len(rows))
    assert np.array_equal(*(own.parts["train"].inputs.take(everyone) for own in (found, expected)))


def test_bytes_of_text_without_a_known_name_are_refused_by_their_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"zeilen": [b"eins", b"zwei"], "label": ["a", "b"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet: the column 'zeilen' has texts .*--modality$"):
        open_source(tmp_path / "a.parquet", LIMIT)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    data = {"text": [b"eins", b"\xff\xfe", b"drei"], "label": ["a", "b", "a"]}
    pq.write_table(pa.table(data), tmp_path / "a.parquet")
    (damaged,) = open_source(tmp_path / "a.parquet", LIMIT).unreadable
    assert "a.parquet, row 2: text is b'\\xff\\xfe', which is no text" in damaged


def test_a_table_without_names_of_columns_is_noticed_by_the_label_in_their_place(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.tsv", [(label, text) for text, label in written(6, 0)], ("sport", "Goals win"))
    assumed = "; ".join(open_source(path, LIMIT, modality="text").assumed)
    assert "'sport' is a label, and the name of a column; if the first line is a sample, write a line that" in assumed
    named = write_table(tmp_path / "b.tsv", [(label, text) for text, label in written(6, 0)], ("kind", "Goals win"))
    assert len(open_source(named, LIMIT, modality="text").assumed) == 1


@pytest.mark.parametrize("first", ["", '{"id": 1}\n', "[1]\n"])
def test_json_lines_are_recognized_by_more_than_the_first_line(first: str, tmp_path: Path) -> None:
    lines = [json.dumps({"text": text, "label": label}) for text, label in written(6, 0)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n" + first + "\n".join(lines))
    assert recognize(path).name == "text"
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"source": "one"}\n{"source": "two", "target": "zwei"}\n')
    source = open_source(pairs, LIMIT)
    assert source.modality == "translation"
    assert source.unreadable == (f"{pairs}, line 1: there is no target",)
