"""Files of every format, truncated or with flipped bytes: they give the data, or one line that names the file."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoaug.data.audit import audit
from autoaug.data.layouts.huggingface import encoded_content
from autoaug.data.loading import open_source
from autoaug.errors import DataError
from tests.conftest import bars, write_folder, write_idx

LIMIT = 2**28
IMAGES, LABELS = bars(8, classes=2, size=6, channels=3)


def content(image: np.ndarray, kind: str) -> bytes:
    held = io.BytesIO()
    Image.fromarray(image).save(held, kind)
    return held.getvalue()


def write_tar(path: Path, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for i, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
            for name, data in ((f"{i}.png", content(image, "PNG")), (f"{i}.cls", b"%d" % label)):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return path


def write_parquet(path: Path, labels: object = None, note: bytes | None = None) -> Path:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    cells = {"image": [content(i, "PNG") for i in IMAGES], "label": LABELS.tolist() if labels is None else labels}
    table = pyarrow.table(cells)
    if note is not None:
        table = table.replace_schema_metadata({b"huggingface": note})
    parquet.write_table(table, path)
    return path


def write_csv(folder: Path) -> Path:
    write_folder(folder, IMAGES, LABELS)
    rows = [f"class {label}/{i:04}.png,{label}" for i, label in enumerate(LABELS)]
    (folder / "data.csv").write_text("\n".join(["path,label", *rows]))
    return folder / "data.csv"


def write_npz(path: Path) -> Path:
    np.savez_compressed(path, x_train=IMAGES, y_train=LABELS, class_names=np.array(["a", "b"]))
    return path


def write_pictures(folder: Path, kind: str) -> Path:
    for i, image in enumerate(IMAGES):
        path = folder / f"{i % 2}" / f"{i}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(image, {"jpg": "JPEG", "tif": "TIFF"}.get(kind, kind.upper())))
    return folder / "1" / f"1.{kind}"


def write_idx_folder(folder: Path, ending: str) -> Path:
    folder.mkdir()
    write_idx(folder / f"train-labels-idx1-ubyte{ending}", LABELS)
    write_idx(folder / f"train-images-idx3-ubyte{ending}", IMAGES[..., 0])
    return folder / f"train-images-idx3-ubyte{ending}"


#: What writes a small data set, and gives the file of it that is damaged; the data are that file, or the folder of it.
FORMATS: dict[str, Callable[[Path], Path]] = {
    "tar": lambda root: write_tar(root / "a.tar"),
    "tar.gz": lambda root: write_tar(root / "a.tar", "w:gz"),
    "tar.xz": lambda root: write_tar(root / "a.tar", "w:xz"),
    "parquet": lambda root: write_parquet(
        root / "a.parquet", note=b'{"info": {"features": {"label": {"names": ["a", "b"]}}}}'
    ),
    "csv": write_csv,
    "npz": lambda root: write_npz(root / "a.npz"),
    "idx": lambda root: write_idx_folder(root / "idx", ""),
    "idx.gz": lambda root: write_idx_folder(root / "idx", ".gz"),
    **{
        kind: (lambda root, kind=kind: write_pictures(root / kind, kind))
        for kind in ("png", "jpg", "tif", "gif", "bmp", "webp", "ppm")
    },
}


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("count", [25, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.fault("data", "damaged files of every layout")
def test_a_damaged_file_is_read_or_refused_in_one_line(
    kind: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    path = FORMATS[kind](tmp_path)
    data = (
        path
        if path.suffix.lstrip(".") in {"tar", "parquet", "csv", "npz"}
        else path.parent
        if "ubyte" in path.name
        else path.parent.parent
    )
    whole, draw, said = path.read_bytes(), np.random.default_rng(0), []
    assert len(open_source(data, LIMIT).parts["train"]) == 8
    for number in range(count):
        damaged = bytearray(whole)
        if number % 4 == 0:
            del damaged[draw.integers(len(whole)) :]
        else:
            for place in draw.integers(len(whole), size=draw.integers(1, 5)):
                damaged[place] = draw.integers(256)
        path.write_bytes(damaged)
        try:
            audit(open_source(data, LIMIT if number % 2 else 10))
        except DataError as fault:
            said.append(str(fault))
    assert not [words for words in said if "\n" in words]


def refusal(data: object) -> str:
    with pytest.raises(DataError) as error:
        open_source(str(data), LIMIT)
    assert "\n" not in str(error.value)
    return str(error.value)


def claiming(path: Path, shape: tuple[int, ...]) -> Path:
    """An .npz whose images claim a shape that they have no bytes for."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(write_npz(path), "a") as archive:
        archive.writestr("x_test.npy", head.getvalue() + b"\0" * 100)
        labels = io.BytesIO()
        np.save(labels, LABELS)
        archive.writestr("y_test.npy", labels.getvalue())
    return path


@pytest.mark.fault("images", "arrays that claim more than their file")
def test_what_an_array_claims_is_compared_with_its_file_before_memory_is_taken(tmp_path: Path) -> None:
    assert "x_test" in refusal(claiming(tmp_path / "a.npz", (2**40, 32, 32)))
    folder = tmp_path / "idx"
    path = write_idx_folder(folder, "")
    claimed = bytearray(path.read_bytes())
    claimed[4:8] = b"\xff" * 4
    path.write_bytes(claimed)
    assert "claims" in refusal(folder)
    path.unlink()
    path.with_suffix(".gz").write_bytes(gzip.compress(bytes(claimed)))
    assert "claims" in refusal(folder)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"class_names": np.array("ab")}, "class_names must be a vector"),
        ({"class_names": np.array([[0.5, 1.5]])}, "class_names must be a vector"),
        ({"class_names": np.array(["a", "a"])}, "look the same"),
        ({"class_names": np.array(["a"])}, "label 1 is out of range"),
        ({"class_names": np.array(["a", "\udcff"])}, "not UTF-8"),
        ({"y_train": np.array(3)}, "labels must be a vector"),
        ({"y_train": LABELS + 0.0}, "labels are float64 numbers such as 0, not classes"),
        ({"y_train": LABELS > 0}, "labels must be a vector"),
        ({"y_train": LABELS.astype(complex)}, "labels must be a vector"),
        ({"y_train": np.array([], np.int64)}, "0 labels"),
        ({"x_train": np.array(3, np.uint8)}, "must be [N, H, W]"),
        ({"x_train": IMAGES.astype(complex)}, "must be uint8"),
        ({"x_train": IMAGES[:0], "y_train": LABELS[:0]}, "no training images"),
        ({"x_test": IMAGES[:0], "y_test": LABELS[:0]}, "no test images"),
        ({"x_val": IMAGES}, "no y_val"),
        ({"y_val": LABELS}, "no x_val"),
        ({"g_val": LABELS}, "no x_val"),
        ({"x_valid": IMAGES, "y_valid": LABELS, "x_val": IMAGES, "y_val": LABELS}, "belong to the same split"),
        ({"x_eval": IMAGES, "y_eval": LABELS}, "'eval' is not a known split"),
    ],
)
def test_arrays_that_cannot_be_used_are_named(arrays: dict[str, np.ndarray], words: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{"x_train": IMAGES, "y_train": LABELS, **arrays})
    assert words in refusal(tmp_path / "a.npz")


def test_arrays_of_other_kinds_that_mean_the_same_are_read(tmp_path: Path) -> None:
    expected = audit(open_source(write_npz(tmp_path / "a.npz"), LIMIT)).fingerprint
    names = np.array([b"a", b"b"])
    for arrays in (
        {"X_train": (IMAGES / 255).astype(">f4"), "Y_train": LABELS.astype(">i8"), "class_names": names},
        {"train_images": IMAGES, "train_labels": LABELS[:, None], "class_names": names},
        {"x_train": (IMAGES / 255) * 1.0000002, "y_train": names[LABELS]},
        {"X": IMAGES, "y": LABELS, "Class_Names": names},
        {"images": IMAGES, "labels": LABELS, "class_names": names},
    ):
        np.savez(tmp_path / "b.NPZ", **arrays)
        os.replace(tmp_path / "b.NPZ.npz", tmp_path / "b.NPZ")
        source = open_source(tmp_path / "b.NPZ", LIMIT)
        assert audit(source).fingerprint == expected


def test_a_plain_array_that_is_called_npz_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    os.replace(tmp_path / "a.npy", tmp_path / "a.npz")
    assert "numpy.savez" in refusal(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (b"no json", "metadata 'huggingface' is damaged"),
        (b"[1]", "metadata 'huggingface' is damaged"),
        (b'{"info": null}', "metadata 'huggingface' is damaged"),
        (b"[" * 100_000, "metadata 'huggingface' is damaged"),
        (b"\xff", "metadata 'huggingface' is damaged"),
        (b'{"info": {"features": {"label": {"names": "ab"}}}}', "must be a list of text"),
        (b'{"info": {"features": {"label": {"names": [1, 2]}}}}', "must be a list of text"),
    ],
)
def test_a_parquet_note_of_another_form_is_named(note: bytes, words: str, tmp_path: Path) -> None:
    assert words in refusal(write_parquet(tmp_path / "a.parquet", note=note))


NAMES = b'{"info": {"features": {"label": {"names": ["a", "b"]}}}}'


@pytest.mark.parametrize(
    ("labels", "note", "words"),
    [
        ([0, 1, -1, 0, 1, 0, 1, 0], NAMES, "label -1 is out of range"),
        ([0, 1, 2, 0, 1, 0, 1, 0], NAMES, "label 2 is out of range"),
        ([0, 1, -1, 0, 1, 0, 1, 0], None, "label -1 is out of range"),
        ([0, 1, None, 0, 1, 0, 1, 0], NAMES, "no label"),
        ([0.5, 1.0] * 4, None, "a label is 0.5"),
        ([True, False] * 4, NAMES, "a label is True"),
        ([[0], [1]] * 4, None, "a label is [0]"),
    ],
)
def test_a_parquet_label_that_is_no_class_is_named(
    labels: list[object], note: bytes | None, words: str, tmp_path: Path
) -> None:
    assert words in refusal(write_parquet(tmp_path / "a.parquet", labels, note))


@pytest.mark.parametrize(("labels", "classes"), [([5.0, 1.0] * 4, ("1", "5")), ([True, False] * 4, ("false", "true"))])
def test_whole_numbers_and_truth_are_classes_in_parquet(
    labels: list[object], classes: tuple[str, ...], tmp_path: Path
) -> None:
    assert open_source(write_parquet(tmp_path / "a.parquet", labels), LIMIT).classes == classes


@pytest.mark.parametrize("label", [b"null", b"1.5", b"-1", b"[0]", b'{"label": null}', b'{"cls": -1}', b"\xff"])
def test_a_webdataset_label_that_is_no_class_is_named(label: bytes, tmp_path: Path) -> None:
    members = {"0.png": content(IMAGES[0], "PNG"), "0.json": label, "1.png": content(IMAGES[1], "PNG"), "1.json": b"1"}
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert "label" in refusal(tmp_path / "a.tar")


@pytest.mark.fault("data", "a shard that claims more than any sample")
def test_a_member_of_a_tar_that_claims_more_than_any_sample_is_named(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        info = tarfile.TarInfo("0.png")
        info.size = 2**40
        archive.addfile(info)
    assert "more than any sample" in refusal(tmp_path / "a.tar")


@pytest.mark.parametrize("name", ["a.csv", "a.npz", "a.tar", "a.parquet", "a"])
@pytest.mark.fault("images", "files without an end")
def test_what_has_no_end_is_not_read(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    assert "regular file" in refusal(tmp_path / name)
    os.symlink("/dev/zero", tmp_path / f"link-{name}")
    assert "regular file" in refusal(tmp_path / f"link-{name}")


@pytest.mark.parametrize("what", ["pipe", "device", "folder", "dangling"])
@pytest.mark.parametrize("where", ["csv", "folder"])
@pytest.mark.fault("images", "pipes and devices")
def test_an_image_that_is_no_regular_file_is_unreadable(what: str, where: str, tmp_path: Path) -> None:
    data = write_csv(tmp_path)
    path = tmp_path / "class 0" / "0000.png"
    path.unlink()
    {
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "folder": lambda: path.mkdir(),
        "dangling": lambda: path.symlink_to("nothing"),
    }[what]()
    source = open_source(data if where == "csv" else tmp_path, LIMIT)
    if (what, where) == ("folder", "folder"):
        assert source.unreadable == ()  # it is a folder as any below a class
        return
    assert len(source.unreadable) == 1
    assert ("No such file" if what == "dangling" else "not a regular file") in source.unreadable[0]


def test_files_of_idx_and_shards_that_have_no_end_are_not_read(tmp_path: Path) -> None:
    path = write_idx_folder(tmp_path / "idx", "")
    path.unlink()
    os.mkfifo(path)
    assert "regular file" in refusal(tmp_path / "idx")
    (tmp_path / "shards").mkdir()
    os.mkfifo(tmp_path / "shards/train.tar")
    assert "regular file" in refusal(tmp_path / "shards")


def test_a_sample_of_the_datasets_library_that_lies_at_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for cell, words in (
        ({"bytes": None, "path": str(tmp_path / "pipe.png")}, "regular file"),
        ({"bytes": None, "path": None}, "no sample"),
        (None, "no sample"),
    ):
        with pytest.raises(DataError, match=words):
            encoded_content("name", cell)


def test_a_label_of_the_datasets_library_that_is_no_class_is_named(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    cells = {"image": [Image.fromarray(image) for image in IMAGES[:2]], "label": [0, -1]}
    datasets.Dataset.from_dict(cells, features=features).save_to_disk(tmp_path / "saved")
    refused = refusal(f"hf:{tmp_path}/saved")
    assert "label -1 is out of range" in refused
    assert "if -1 stands for no label, remove these samples" in refused


@pytest.mark.fault("data", "a file or a folder that may not be read")
@pytest.mark.parametrize("name", ["a.npz", "a.tar", "a.parquet", "a.csv", "a"])
def test_what_may_not_be_read_is_not_called_damaged(name: str) -> None:
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:  # those of pytest are closed to others
        path = Path(folder, name)
        path.touch() if path.suffix else path.mkdir()
        refusal(path)  # what is imported on the way may be closed to others as well
        Path(folder).chmod(0o755)
        path.chmod(0)
        try:
            if not user:
                os.seteuid(65534)
            assert refusal(path) == f"{path} cannot be read: Permission denied"
        finally:
            os.seteuid(user)
            path.chmod(0o700)
