"""Parquet, the datasets library and WebDataset shards; each is written by its own library."""

from __future__ import annotations

import io
import socket
import tarfile
import time
from pathlib import Path
from urllib.request import getproxies

import numpy as np
import pytest
from PIL import Image

from autoaug.data.loading import open_source
from autoaug.errors import DataError

LIMIT = 2**30
CLASSES = ["cat", "dog"]


def pictures(n: int = 6) -> list[Image.Image]:
    draw = np.random.default_rng(0)
    return [Image.fromarray(draw.integers(0, 256, (10, 12, 3), dtype=np.uint8)) for _ in range(n)]


def png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def check_equal(data: str | Path, images: list[Image.Image], classes: tuple[str, ...]) -> None:
    source = open_source(data, LIMIT)
    assert source.classes == classes
    part = source.parts["train"]
    assert [source.classes[label] for label in part.labels] == [classes[i % 2] for i in range(len(images))]
    expected = np.stack([np.asarray(image).transpose(2, 0, 1) for image in images])
    np.testing.assert_array_equal(part.inputs.take(np.arange(len(images))), expected)


def hub(images: list[Image.Image]) -> object:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=CLASSES)})
    return datasets.Dataset.from_dict(
        {"image": images, "label": [i % 2 for i in range(len(images))]}, features=features
    )


def test_parquet_as_the_hub_writes_it(tmp_path: Path) -> None:
    images = pictures()
    hub(images).to_parquet(tmp_path / "train-00000-of-00001.parquet")
    check_equal(tmp_path / "train-00000-of-00001.parquet", images, ("cat", "dog"))
    hub(images[:2]).to_parquet(tmp_path / "test-00000-of-00001.parquet")
    check_equal(tmp_path, images, ("cat", "dog"))
    assert len(open_source(tmp_path, LIMIT).parts["test"]) == 2


def test_columns_that_are_not_used_are_told(tmp_path: Path) -> None:
    images = hub(pictures()).add_column("split", ["train", "test"] * 3).add_column("coarse", [0] * 6)
    images.to_parquet(tmp_path / "a.parquet")
    images.save_to_disk(tmp_path / "saved")
    for data in (tmp_path / "a.parquet", f"hf:{tmp_path}/saved"):
        assert open_source(data, LIMIT).left_out == ("column 'split'", "column 'coarse'")


def test_a_data_set_that_was_saved(tmp_path: Path) -> None:
    images = pictures()
    hub(images).save_to_disk(tmp_path / "saved")
    check_equal(f"hf:{tmp_path}/saved", images, ("cat", "dog"))
    with pytest.raises(DataError, match=f"the package datasets has saved it: hf:{tmp_path}/saved opens it"):
        open_source(tmp_path / "saved", LIMIT)


def test_saved_texts_say_that_their_modality_is_to_be_named(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    texts = datasets.Dataset.from_dict({"text": [f"a b {i}" for i in range(8)], "label": ["x", "y"] * 4})
    datasets.DatasetDict(train=texts).save_to_disk(tmp_path / "saved")
    with pytest.raises(DataError, match=r"no column of samples; it has text, label; .* with --modality"):
        open_source(f"hf:{tmp_path}/saved", LIMIT)
    with pytest.raises(DataError, match="the package datasets has saved it"):
        open_source(tmp_path / "saved", LIMIT, modality="text")
    assert open_source(f"hf:{tmp_path}/saved", LIMIT, modality="text").classes == ("x", "y")


@pytest.mark.parametrize("is_text", [False, True])
def test_splits_without_labels_are_left_out(is_text: bool, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    whole = hub(pictures())
    if is_text:
        whole = whole.remove_columns("image").add_column("text", [f"a b {i}" for i in range(6)])
    nothing = whole.remove_columns("label").add_column("label", [-1] * 6)
    nothing = nothing.cast_column("label", datasets.ClassLabel(names=CLASSES))
    datasets.DatasetDict(train=whole, test=nothing, unsupervised=nothing).save_to_disk(tmp_path / "saved")
    modality = "text" if is_text else None
    source = open_source(f"hf:{tmp_path}/saved", LIMIT, modality=modality)
    assert (set(source.parts), len(source.parts["train"])) == ({"train"}, 6)
    assert source.left_out == ("split 'test', which has no labels", "split 'unsupervised', which has no labels")
    datasets.DatasetDict(train=nothing).save_to_disk(tmp_path / "none")
    with pytest.raises(DataError, match="none: the label of every sample is -1, which stands for no label"):
        open_source(f"hf:{tmp_path}/none", LIMIT, modality=modality)


def shard(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize(("ending", "label"), [("cls", b"%d"), ("json", b'{"label": %d}'), ("txt", b"%d\n")])
def test_webdataset_shards(ending: str, label: bytes, tmp_path: Path) -> None:
    images = pictures()
    members = {}
    for i, image in enumerate(images):
        members |= {f"{i:04}.png": png(image), f"{i:04}.{ending}": label % (i % 2)}
    check_equal(shard(tmp_path / "train-000.tar", members), images, ("0", "1"))
    shard(tmp_path / "val-000.tar", members)
    assert set(open_source(tmp_path, LIMIT).parts) == {"train", "validation"}


@pytest.mark.parametrize("order", ["png cls json txt", "txt json png cls", "json png txt cls"])
def test_the_class_of_a_shard_may_have_facts_and_a_caption_beside_it_and_hidden_members(
    order: str, tmp_path: Path
) -> None:
    images = pictures()
    members = {}
    for i, image in enumerate(images):
        contents = {"png": png(image), "cls": b"%d" % (i % 2), "json": b'{"url": "x"}', "txt": b"a cat on a mat"}
        members |= {f"{i:04}.{ending}": contents[ending] for ending in order.split()}
        members |= {f"._{i:04}.png": b"Mac OS X", f"._{i:04}.cls": b"Mac OS X"}
    check_equal(shard(tmp_path / "train-000.tar", members), images, ("0", "1"))
    left_out = open_source(tmp_path / "train-000.tar", LIMIT).left_out
    assert sorted(left_out) == ["12 x hidden member", "6 x .json", "6 x .txt"]


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match=r"bad.parquet: not a Parquet file"):
        open_source(bad, LIMIT)
    pyarrow.parquet.write_table(pyarrow.table({"image": [png(pictures(1)[0])], "kind": ["a"]}), bad)
    with pytest.raises(DataError, match=r"no column of labels .*it has image, kind"):
        open_source(bad, LIMIT)
    torn = tmp_path / "torn.tar"
    torn.write_bytes(b"x" * 2000)
    with pytest.raises(DataError, match=r"torn.tar: not a complete tar file"):
        open_source(torn, LIMIT)
    with pytest.raises(DataError, match=r"0001 has no label \(\.cls\); add it"):
        open_source(shard(tmp_path / "lone.tar", {"0001.png": png(pictures(1)[0])}), LIMIT)
    parted = {
        "1.png": png(pictures(1)[0]),
        "1.txt": b"a cat",
        "2.png": png(pictures(1)[0]),
        "2.cls": b"0",
        "1.cls": b"0",
    }
    with pytest.raises(DataError, match=r"1 has no sample; add it, next to the other members of 1"):
        open_source(shard(tmp_path / "parted.tar", parted), LIMIT)


def test_without_a_network_the_hub_is_not_asked_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client tries six times, and waits for 23 seconds between the tries."""
    import datasets
    from huggingface_hub import constants

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    waits: list[float] = []
    for name in getproxies():
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr(time, "sleep", waits.append)
    for config in (constants, datasets.config):
        monkeypatch.setattr(config, "HF_HUB_OFFLINE", False)
    with pytest.raises(DataError, match=r"hf:no/such cannot be loaded \(.*without a network, data that save_to_disk"):
        open_source("hf:no/such", LIMIT)
    assert not waits
    assert not constants.HF_HUB_OFFLINE
