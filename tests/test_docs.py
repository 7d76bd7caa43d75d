"""The documents are true: the README's commands and code run."""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

import autoaug
from autoaug.api import export
from autoaug.results.run import SearchResult
from tests.conftest import Ended
from tests.faults.cases import read_report, written_cases

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str, document: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", document, re.DOTALL)


def readme_commands() -> list[list[str]]:
    """The arguments of each command of the README."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("autoaug ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_the_readmes_commands_that_need_no_run_work(command: Callable[..., Ended], tmp_path: Path) -> None:
    commands = [words for words in readme_commands() if not any(word.startswith("runs/") for word in words)]
    assert len(commands) >= 2
    for words in commands:
        ended = command(*words, folder=tmp_path)
        assert ended.code == 0, f"{words}: {ended.stderr}"


#: Given after what the README says: of an option that is given twice, the last value counts. One worker needs no Ray.
SMALLER = {
    "search": ["--trials", "3", "--epochs", "1", "--seeds", "2", "--workers", "1"],
    "compare": ["--epochs", "1", "--workers", "1"],
    "robustness": ["--samples", "20"],
}


@pytest.mark.slow
def test_the_readmes_commands_run_in_order(command: Callable[..., Ended], tmp_path: Path) -> None:
    commands = readme_commands()
    assert len(commands) >= 6
    assert {words[0] for words in commands} >= SMALLER.keys()
    for words in commands:
        ended = command(*words, *SMALLER.get(words[0], []), folder=tmp_path)
        assert ended.code == 0, f"{words}: {ended.stderr}"
    assert (tmp_path / "randaugment.py").is_file()
    assert (tmp_path / "runs/compare/report.html").is_file()


def test_the_readmes_code_runs() -> None:
    first, second, third = [run(block) for block in blocks("python")]
    assert first["soft_labels"].shape == (64, 10)
    assert second["target"]["label"] == 3
    assert third["result"].verdict == "no significant difference"


def test_the_readmes_training_loop_takes_an_exported_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = [block for block in blocks("py") if "ImageFolder" in block]
    for name in ("cat/a.png", "cat/b.png", "dog/c.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (80, 70), "orange").save(tmp_path / "photos" / name)
    export("flip-crop", "torchvision", out=tmp_path / "policy_torchvision.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names = run(block.replace("num_workers=2", "num_workers=0"))  # processes of workers take seconds
    assert names["images"].shape == (3, 3, 64, 64)
    assert names["images"].is_floating_point()
    assert names["images"].max() <= 1
    assert sorted(names["labels"].tolist()) == [0, 0, 1]


def test_a_plan_is_printed_and_replayed_as_the_documents_say() -> None:
    (block,) = [block for block in blocks("python", (ROOT / "docs/how-to.md").read_text()) if "draw_plan" in block]
    assert run(block)["augmented"].shape == (64, 3, 32, 32)


def run(block: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)  # the document under test
    return names


def test_the_readmes_scripts_and_links_exist() -> None:
    for script in re.findall(r"^(scripts/\w+)", README, re.MULTILINE):
        assert os.access(ROOT / script, os.X_OK)
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_pages_link_only_to_what_the_site_has(page: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", page.read_text()):
        target = (page.parent / link).resolve()
        assert target.is_relative_to(page.parent), link
        assert target.exists() or link == "gallery.html", link


def test_the_table_of_faults_is_what_was_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And has every case that a test is marked with, and none is known not to be survived."""
    monkeypatch.setattr(sys, "argv", ["fault_table"])
    runpy.run_path(str(ROOT / "scripts/fault_table"), run_name="__main__")
    fresh = "run .venv/bin/python scripts/fault_table > docs/reliability.md"
    assert capsys.readouterr().out == (ROOT / "docs/reliability.md").read_text(), fresh
    known = set(written_cases())
    noted = {(heading, case): outcome for heading, cases in read_report().items() for case, outcome in cases.items()}
    assert noted.keys() <= known, "no test has these cases any more: they go with the next --fault-report"
    assert {outcome["outcome"] for outcome in noted.values()} <= {"survived", "not tried"}


def test_the_cluster_of_the_recipe_is_one_that_ray_takes() -> None:
    import jsonschema
    import ray
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = yaml.safe_load((ROOT / "examples/ray-cluster.yaml").read_text())
    schema = json.loads((Path(ray.__file__).parent / "autoscaler/ray-schema.json").read_text())
    jsonschema.validate(config, schema)
    validate_config(prepare_config(config))
    config["worker_count"] = 2
    with pytest.raises(jsonschema.ValidationError, match="worker_count"):
        jsonschema.validate(config, schema)


@pytest.mark.slow
def test_the_table_of_exporters_is_what_the_code_says() -> None:
    command = [sys.executable, "-E", str(ROOT / "scripts/exporter_table")]  # without the modality of the tests
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == (ROOT / "docs/exporters.md").read_text(), "run scripts/docs"


def test_the_chinese_readme_names_commands_that_exist(command: Callable[..., Ended], tmp_path: Path) -> None:
    names = re.findall(r"^autoaug ([a-z]+)", (ROOT / "README.zh.md").read_text(), re.MULTILINE)
    assert names
    for name in names:
        assert command(name, "--help", folder=tmp_path).code == 0, name


def test_every_public_name_is_in_the_reference() -> None:
    listed = re.findall(r"\.\. auto\w+:: (\S+)", (ROOT / "docs/reference.md").read_text())
    documented = {entry.rpartition(".")[2] for entry in listed} | {name for name in autoaug.__all__ if "Error" in name}
    assert "autoaug.errors" in listed, "with all errors"
    assert set(autoaug.__all__) - {"__version__"} <= documented


def test_the_reference_of_commands_is_that_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "scripts/command_reference"), run_name="__main__")
    fresh = "run .venv/bin/python scripts/command_reference > docs/command-line.md"
    assert capsys.readouterr().out == (ROOT / "docs/command-line.md").read_text(), fresh


RESULTS = {f"{path.parent.name}-{path.stem}": path for path in sorted((ROOT / "reports").glob("*/result*.json"))}


@pytest.mark.parametrize("path", RESULTS.values(), ids=RESULTS)
def test_published_results_can_be_read(path: Path) -> None:
    """But for those that the page calls raw figures."""
    content = path.read_text()
    if path.parent.name in ("cifar-2k", "fashion-1k"):
        assert json.loads(content)["format"] == 1
        return
    result = SearchResult.model_validate_json(content)
    for candidate in result.candidates:
        assert candidate.policy.fingerprint() == candidate.fingerprint
