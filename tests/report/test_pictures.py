"""Samples of any modality as pages show them."""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np
import pytest

from autoaug.errors import RunError
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.pictures import CaptionedSamples, Gallery, to_bytes
from autoaug.report.pictures import read_captioned, read_gallery


class Lines:
    """Pictures of series ``[C, T]``."""

    def html(self, sample: np.ndarray, words: str) -> str:
        if sample.ndim != 2:
            raise ValueError(f"a series has 2 dimensions, not {sample.ndim}")
        return f'<svg aria-label="{escape(words)}">{sample.dtype} {sample.shape[1]}</svg>'


def gallery(samples: np.ndarray) -> bytes:
    """Two samples drawn three times; one operator with a range, one without."""
    content = Gallery(
        originals=samples,
        augmented=np.stack([samples] * 3),
        captions=np.array([["Gain +1 dB", "a"]] * 3),
        classes=np.array(["<b>", "cat"]),
        strips=np.stack([[samples[0]] * 2] * 2),
        strip_captions=np.array([["Gain +0 dB", "Gain +1 dB"], ["Flip", "Flip"]]),
        operators=np.array(["Gain", "Flip"]),
    )
    return to_bytes(content)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_samples_of_any_shape_are_drawn_by_their_modality(dtype: type, tmp_path: Path) -> None:
    path = tmp_path / "gallery.npz"
    path.write_bytes(gallery(np.zeros((2, 3, 50), dtype)))
    read = read_gallery(path, Lines())
    assert read is not None
    first = read.samples[0]
    assert first.original.html == f'<svg aria-label="A training sample: &lt;b&gt;">{np.dtype(dtype)} 50</svg>'
    assert [picture.caption for picture in first.augmented] == ["Gain +1 dB"] * 3
    assert [(row.operator, [p.caption for p in row.pictures]) for row in read.operators] == [
        ("Gain", ["+0 dB", "+1 dB"]),
        ("Flip", [""]),
    ]


def test_captioned_samples_come_in_two_groups(tmp_path: Path) -> None:
    path = tmp_path / "examples.npz"
    samples = CaptionedSamples(np.zeros((3, 1, 9)), np.array(["a", "b", "c"]), np.array([True, False, True]))
    path.write_bytes(to_bytes(samples))
    right, broken = read_captioned(path, Lines(), "class ")
    assert [p.caption for p in right] == ["a", "c"]
    assert [p.html for p in broken] == ['<svg aria-label="class b">float64 9</svg>']
    assert read_captioned(tmp_path / "none.npz", Lines()) == ([], [])


@pytest.mark.parametrize(
    "samples", [np.zeros((2, 3, 50), np.float32), np.zeros((2, 1, 4, 4)), np.zeros((2, 4), np.uint8)]
)
def test_samples_of_another_modality_are_one_line(samples: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "gallery.npz"
    path.write_bytes(gallery(samples))
    with pytest.raises(RunError, match=r"gallery\.npz is damaged \(.* uint8 \[C, H, W\], not .*\); delete it"):
        read_gallery(path, get_modality("image").pictures)
