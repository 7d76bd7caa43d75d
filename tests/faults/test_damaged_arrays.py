"""Pictures, generators and plans with one fault each: one line names the file and the fault."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from autoaug.engine.plan import Plan, draw_plan
from autoaug.errors import OptionError, RunError
from autoaug.generate.generator import About, SavedGenerator, load_generator
from autoaug.modalities.image.generators.gaussian import COMPONENTS
from autoaug.policy.loading import parse_policy
from autoaug.report.pictures import read_pictures
from autoaug.utils.npz import read_arrays
from tests.faults.mutations import change

FORMS = {"samples": "N...", "others": "N...", "texts": "N", "more": "?m", "most": "?m"}
WHOLE = {
    "samples": np.zeros((2, 1, 3, 3), np.uint8),
    "others": np.ones((2, 1, 3, 3), np.uint8),
    "texts": np.array(["a", "b"]),
}


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"samples": np.zeros((2, 1, 3, 3))}, "samples of uint8 .*, but another array holds float64"),
        ({"samples": np.zeros((2, 3, 3), np.uint8)}, "samples of uint8 .1, 3, 3., but another array holds"),
        ({"samples": np.zeros(2, np.uint8)}, "samples has 1 dimensions, not more than 1"),
        ({"texts": np.zeros((2, 2))}, "texts has 2 dimensions, not 1"),
        ({"samples": np.zeros((0, 1, 3, 3), np.uint8)}, "samples is empty"),
        ({"samples": np.zeros((2, 0, 3, 3), np.uint8)}, "which are not samples"),
        ({"samples": np.full((2, 1, 3, 3), "a")}, "which are not samples"),
        ({"texts": np.array(["a"])}, "texts has 1 entries where another array has 2"),
        ({"texts": None}, "texts"),
        ({"texts": np.array([{}, []], dtype=object)}, "Python objects"),
        ({"more": np.zeros(2), "most": np.zeros(3)}, "most has 3 entries"),
    ],
)
def test_pictures_that_do_not_fit_together_are_one_line(
    changed: dict[str, np.ndarray | None], rule: str, tmp_path: Path
) -> None:
    path = tmp_path / "gallery.npz"
    np.savez(path, **WHOLE)
    assert set(read_pictures(path, FORMS)) == set(WHOLE)
    np.savez(path, **{name: array for name, array in {**WHOLE, **changed}.items() if array is not None})
    with pytest.raises(RunError, match=f"gallery.npz is damaged .*{rule}.*delete it"):
        read_pictures(path, FORMS)


def huge(content: bytes) -> bytes:
    """The same ``.npz`` with a header, in its stored array, that claims 931 TiB."""
    return content.replace(b"(2, 1, 3, 3)", b"(9" + b"9" * 8 + b", 9)")


@pytest.mark.parametrize("damage", [huge, lambda c: c[: len(c) // 2], lambda c: c[:0], lambda c: c[8:]])
def test_pictures_that_are_no_npz_are_one_line(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "gallery.npz"
    np.savez(path, **WHOLE)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RunError, match=r"gallery\.npz is damaged"):
        read_pictures(path, FORMS)


@pytest.mark.fault("data", "arrays that unpack to more than the free memory")
def test_zeros_that_unpack_to_more_than_the_free_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deflate packs zeros a thousandfold, so that the size of the file does not bound the size of its arrays."""
    path = tmp_path / "gallery.npz"
    np.savez_compressed(path, **{**WHOLE, "samples": np.zeros((3000, 1, 100, 100), np.uint8)})
    assert path.stat().st_size < 50_000
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=5 * 10**7))
    tracemalloc.start()
    with pytest.raises(ValueError, match="'samples' has 30000128 bytes, more than half of the free memory"):
        read_arrays(path)
    with pytest.raises(RunError, match=r"gallery\.npz is damaged .*more than half of the free memory"):
        read_pictures(path, FORMS)
    assert tracemalloc.get_traced_memory()[1] < 10**7
    tracemalloc.stop()
    np.savez_compressed(path, **WHOLE)
    assert {name: array.tolist() for name, array in read_arrays(path).items()} == {
        name: array.tolist() for name, array in WHOLE.items()
    }


@pytest.mark.parametrize(
    ("place", "value", "rule"),
    [
        ("kind", "vae", "kind"),
        ("classes", ["a"], "classes"),
        ("shape", [1, 4], "shape"),
        ("shape", [1, 4, 10**9], "mean does not have the shape"),
        ("shape", [1, 4, 10**30], "shape"),
        ("seed", -1, "seed"),
        ("inputs", "many", "inputs"),
        ("seconds", float("inf"), "seconds"),
        ("kind", "gan", "another network"),
        ("fingerprint", KeyError, "fingerprint: Field required"),
    ],
)
@pytest.mark.fault("security", "a generator of a stranger")
def test_a_damaged_generator_is_one_line(place: str, value: Any, rule: str, tmp_path: Path) -> None:
    about = About(kind="pca", shape=(1, 4, 4), classes=("a", "b"), fingerprint="f", inputs=9, seed=1)
    tensors = {"mean": torch.rand(2, 1, 4, 4), "components": torch.rand(2, COMPONENTS, 16)}
    SavedGenerator(about, tensors).save(tmp_path)
    assert load_generator(tmp_path).about == about
    path = tmp_path / "generator.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content, place, value)
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RunError, match=rule):
        load_generator(tmp_path)
    path.write_bytes(b'{"kind": "\xff"}')
    with pytest.raises(RunError, match=r"generator\.json is damaged"):
        load_generator(tmp_path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("samples", 4),
        ("operators", []),
        ("choice/values/0/0", 99),
        ("partner/values/0", 3),
        ("mode/values/0", -1),
        ("uniforms/values/0", [[0.5] * 3] * 3),
        ("blend", {"dtype": "float32", "values": [[0.5, 0.5, 0.0]] * 3}),
        ("weight", KeyError),
        ("place", {"dtype": "int8", "values": []}),
        ("magnitude/values", 10**400),
        ("magnitude/values/0/0", "x"),
    ],
)
def test_a_damaged_plan_is_one_line(place: str, value: Any, tmp_path: Path) -> None:
    policy = parse_policy("{layers: [sub_policies: [operations: [operator: Rotate]]], mixing: {kind: mixup}}")
    path = tmp_path / "plan.json"
    draw_plan(policy, 3, torch.Generator()).save(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert str(Plan.load(path)).count("Rotate") == 3
    change(content, place, value)
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(OptionError, match="is not a saved plan") as refusal:
        Plan.load(path)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"\xff", b"[" * 100_000, b"{", b"[]", b"3"])
def test_what_is_no_plan_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(OptionError, match=r"plan\.json"):
        Plan.load(path)
