"""What the command line says of a finished run."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
import torch
from rich.console import Console

from autoaug.cli.outcome import print_outcome
from autoaug.exporters import export_modules
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Operation, Phase, Policy, in_turn
from autoaug.report.usage import code_lines
from autoaug.results import DataSummary, SearchResult


def scheduled(policy: Policy) -> Policy:
    """The same with a schedule, for which no library has words."""
    return policy.model_copy(update={"layers": (), "schedule": (Phase(until=1, layers=policy.layers),)})


def test_long_names_leave_the_figures_in_a_narrow_terminal() -> None:
    """Names may be the paths of policies that are compared."""
    result = SearchResult.load(Path(__file__).parents[1] / "recorded/finished")
    names = {c.name: f"runs/{c.name * 12}/policy.yaml" for c in result.candidates}
    candidates = tuple(c.model_copy(update={"name": names[c.name]}) for c in result.candidates)
    returned = result.returned.model_copy(update={"name": names[result.returned.name]})
    long = result.model_copy(update={"candidates": candidates, "returned": returned})
    console = Console(file=io.StringIO(), width=80)
    print_outcome(console, long)
    said = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    for candidate in candidates:
        [line] = (line for line in said if f"  {candidate.name}, {candidate.kind}" in line)
        assert f"{100 * candidate.mean:.2f} %  [too few seeds]" in line[:40]


@pytest.mark.parametrize("is_scheduled", [False, True])
@pytest.mark.parametrize("name", ["flip-crop", "flip-crop+cutmix"])
def test_the_lines_of_code_run_with_the_module_that_they_import(
    name: str, is_scheduled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = scheduled(load_policy(name)) if is_scheduled else load_policy(name)
    module = tmp_path / "policy_torchvision.py"
    module.write_text(export_modules(policy, "image")[module.name])
    data = DataSummary.model_construct(
        classes=("a", "b", "c"), class_counts=(4, 4, 4), task="classification", modality="image"
    )
    images = torch.rand(4, 3, 8, 8)
    known = {"sample": images[0], "images": images, "batch": images, "labels": torch.tensor([0, 1, 2, 1])}
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, module.stem, raising=False)
    for _ in range(8):  # mixing is applied to half of the batches
        exec("\n".join(code_lines(module, policy, data)), given := dict(known))
        assert given["sample"].shape == (3, 8, 8)
        assert given["images"].shape == given["batch"].shape == (4, 3, 8, 8)
        if policy.mixing and is_scheduled:
            assert given["soft_labels"].shape == (4, 3)


def test_no_code_is_suggested_for_a_policy_that_changes_no_sample(tmp_path: Path) -> None:
    data = DataSummary.model_construct(classes=("a", "b"), class_counts=(4, 4), task="classification", modality="image")
    assert code_lines(tmp_path / "policy_torchvision.py", load_policy("none"), data) == []


@pytest.mark.parametrize(
    ("operator", "modality", "given"),
    [
        ("WordDropout", "translation", {"pairs": [("one two three " * 10, "a b")]}),
        ("WordSwap", "text", {"text": "one two"}),
    ],
)
def test_the_lines_of_code_name_what_the_module_takes(
    operator: str, modality: str, given: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = Policy(layers=in_turn(Operation(operator=operator, magnitude=(1, 1))))
    module = tmp_path / "policy_python.py"
    module.write_text(export_modules(policy, modality)[module.name])
    data = DataSummary.model_construct(classes=(), class_counts=(), task=modality, modality=modality)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, module.stem, raising=False)
    exec("\n".join(code_lines(module, policy, data)), made := dict(given))
    assert all(type(made[name]) is type(sample) for name, sample in given.items())
    assert any(made[name] != sample for name, sample in given.items())


@pytest.mark.parametrize("is_scheduled", [False, True])
def test_the_lines_of_code_mix_numbers_as_they_are(
    is_scheduled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mixed number is on the way from a sample's own to its partner's; none is taken for a share of a class."""
    policy = load_policy("mixup")
    policy = scheduled(policy) if is_scheduled else policy
    module = tmp_path / "policy_torchvision.py"
    module.write_text(export_modules(policy, "image")[module.name])
    data = DataSummary.model_construct(classes=("grams",), class_counts=(), task="regression", modality="image")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, module.stem, raising=False)
    numbers = torch.tensor([[-40.0], [3.5], [700.0], [12.0]])
    known = {"sample": torch.rand(3, 8, 8), "batch": torch.rand(4, 3, 8, 8), "labels": numbers}
    exec("\n".join(code_lines(module, policy, data)), given := dict(known))
    mixed = given["soft_labels"] if is_scheduled else given["labels"]
    assert mixed.shape == numbers.shape
    assert numbers.min() <= mixed.min() <= mixed.max() <= numbers.max()
    assert mixed.unique().numel() > 2
