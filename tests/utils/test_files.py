"""Reading with one clear error, and file names from any text."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoaug.errors import PolicyError, first_line, printable
from autoaug.utils.files import read_text, safe_name, write_atomically

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=[]), max_size=300)


@given(ANY_TEXT)
def test_any_text_gives_one_name_within_its_folder(text: str) -> None:
    name = safe_name(text)
    assert name == os.path.basename(name)
    assert name not in {"", ".", ".."}
    assert not name.startswith(".")
    assert len(name.encode()) <= 200
    assert name.isprintable()


@pytest.mark.parametrize("label", ["cat", "golden retriever", "7", "größe-1_b", "हिन्दी", "汉字", "a.b"])
def test_ordinary_labels_keep_their_spelling(label: str) -> None:
    assert safe_name(label) == label


def test_texts_that_differ_get_names_that_differ() -> None:
    texts = ["a/b", "a:b", "a_b", "", ".", "..", "a\x00b", "a\udcffb", "x" * 300, "x" * 301]
    assert len({safe_name(text) for text in texts}) == len(texts)


@given(ANY_TEXT)
def test_what_is_printed_is_printable(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
    printable(text).encode()


def test_an_error_without_a_message_has_a_first_line() -> None:
    assert first_line(ValueError()) == "ValueError"
    assert first_line(ValueError("\nfirst\nsecond")) == "first"


def test_what_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"ab\xff")
    (tmp_path / "large").write_text("x" * 11)
    os.mkfifo(tmp_path / "pipe")
    words = {
        "bytes": r"not UTF-8 text \(byte 2\)",
        "large": "more than 10 bytes",
        "pipe": "not a regular file",
        ".": "not a regular file",
        "missing": "No such file",
    }
    for name, rule in words.items():
        with pytest.raises(PolicyError, match=rule):
            read_text(tmp_path / name, PolicyError, at_most=10)
    (tmp_path / "marked").write_text("\ufeffä", encoding="utf-8")
    assert read_text(tmp_path / "marked", PolicyError) == "ä"
    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / "wide").write_text("\ufeffä", encoding=encoding)
        assert read_text(tmp_path / "wide", PolicyError, utf_16=True) == "ä"
    (tmp_path / "torn").write_bytes(b"\xff\xfea")
    with pytest.raises(PolicyError, match="not UTF-8 text"):
        read_text(tmp_path / "torn", PolicyError, utf_16=True)


def test_a_pipe_or_device_is_written_into_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, "policy")
    assert os.read(reader, 99) == b"policy"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_is_replaced_and_what_it_leads_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    for name in ("link", ".link.unfinished"):
        (tmp_path / name).symlink_to("mine")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").read_text() == "new"
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "mine").read_text() == "mine"
