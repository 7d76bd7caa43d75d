"""The subsets of scripts/make_subset."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).parent.parent / "scripts/make_subset"


def test_a_long_tail_keeps_what_belongs_to_each_training_image(tmp_path: Path) -> None:
    rows = np.arange(60)
    train = {
        "x_train": np.broadcast_to(rows[:, None, None], (60, 4, 4)).astype(np.uint8),
        "y_train": rows % 3,
        "g_train": rows,
    }
    test = {"x_test": np.zeros((5, 4, 4), np.uint8), "y_test": np.arange(5) % 3}
    np.savez(tmp_path / "full.npz", **train, **test)
    subprocess.run([sys.executable, SCRIPT, tmp_path / "full.npz", "16-4", tmp_path / "part.npz"], check=True)
    with np.load(tmp_path / "part.npz") as part:
        assert np.bincount(part["y_train"]).tolist() == [16, 8, 4]
        np.testing.assert_array_equal(part["g_train"], part["x_train"][:, 0, 0])
        np.testing.assert_array_equal(part["g_train"] % 3, part["y_train"])
        np.testing.assert_array_equal(part["y_test"], test["y_test"])
