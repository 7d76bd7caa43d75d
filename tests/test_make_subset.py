"""The subsets of scripts/make_subset and scripts/make_text_subset."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

SCRIPTS = Path(__file__).parent.parent / "scripts"


def test_a_long_tail_keeps_what_belongs_to_each_training_image(tmp_path: Path) -> None:
    rows = np.arange(60)
    train = {
        "x_train": np.broadcast_to(rows[:, None, None], (60, 4, 4)).astype(np.uint8),
        "y_train": rows % 3,
        "g_train": rows,
    }
    test = {"x_test": np.zeros((5, 4, 4), np.uint8), "y_test": np.arange(5) % 3}
    np.savez(tmp_path / "full.npz", **train, **test)
    subprocess.run(
        [sys.executable, SCRIPTS / "make_subset", tmp_path / "full.npz", "16-4", tmp_path / "part.npz"], check=True
    )
    with np.load(tmp_path / "part.npz") as part:
        assert np.bincount(part["y_train"]).tolist() == [16, 8, 4]
        np.testing.assert_array_equal(part["g_train"], part["x_train"][:, 0, 0])
        np.testing.assert_array_equal(part["g_train"] % 3, part["y_train"])
        np.testing.assert_array_equal(part["y_test"], test["y_test"])


def test_a_subset_of_texts_has_none_that_is_twice_or_in_the_test_split(tmp_path: Path) -> None:
    def texts(folder: str, split: str) -> list[list[str]]:
        with (tmp_path / folder / f"{split}.csv").open(encoding="utf-8", newline="") as lines:
            return list(csv.reader(lines))

    rows = [[f"a text, and {i // 2 if i < 8 else i}", "xy"[i % 2]] for i in range(40)]
    (tmp_path / "full").mkdir()
    for split, content in (("train", rows), ("test", [["a text, and 8", "x"]])):
        with (tmp_path / "full" / f"{split}.csv").open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines).writerows([["text", "label"], *content])
    subprocess.run([sys.executable, SCRIPTS / "make_text_subset", "full", "16", "part"], cwd=tmp_path, check=True)
    _, *kept = texts("part", "train")
    assert Counter(label for _, label in kept) == {"x": 15, "y": 16}, "text 8 was the 16th of x"
    assert sorted(kept) == sorted(row for row in rows[8:] if row[0] != "a text, and 8")
    assert texts("part", "test") == texts("full", "test")
