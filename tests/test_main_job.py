"""The main job from Python and from the command line: what lands in the run folder, and what the report shows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autoaug
from autoaug.result import SearchResult
from autoaug.transform import load_policy
from tests.conftest import bars, write_npz

HOSTILE = '<script>document.title = "ran"</script>'


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A small search whose class names are hostile."""
    folder = tmp_path_factory.mktemp("job")
    names = np.array([HOSTILE, "b & <b>bold</b>", "c'\""])
    data = write_npz(folder / "bars.npz", class_names=names)
    return autoaug.search(
        data, space="light", trials=14, epochs=3, seeds=3, workers=1, rival="random", out=str(folder / "run")
    )


def test_the_run_folder_has_all_that_was_promised(result: SearchResult) -> None:
    names = {path.name for path in result.run_dir.iterdir()}
    promised = {"config.yaml", "study.db", "result.json", "policy.yaml", "policy_torchvision.py", "policy_kornia.py"}
    assert promised | {"report.html"} <= names
    stored = json.loads((result.run_dir / "result.json").read_text())
    assert stored["verdict"] in {"better", "worse", "no significant difference"}
    assert set(stored["returned"]) == {"name", "fingerprint", "is_searched"}
    for candidate in stored["candidates"]:
        assert candidate["kind"] in {"baseline", "searched", "rival"}
        assert len(candidate["seeds"]) == len(candidate["test_accuracy"]) == 3
        assert candidate["ci95"][0] <= candidate["mean"] <= candidate["ci95"][1]
    assert {"rival", "difference", "ci95", "p_value"} <= set(stored["comparison"])
    assert sum(stored["trials"].values()) == 14
    cost = stored["cost"]
    assert cost["overhead_fraction"] == pytest.approx(1 - cost["trial_compute_seconds"] / cost["search_seconds"])
    assert 0 <= cost["overhead_fraction"] < 1
    assert cost["augmentation_seconds"] < cost["trial_compute_seconds"]
    assert stored["history"][0]["name"] == "none"
    assert {c["kind"] for c in stored["candidates"]} == {"baseline", "searched", "rival"}


def test_the_returned_policy_is_the_one_in_every_file(result: SearchResult) -> None:
    assert result.policy.fingerprint() == result.returned.fingerprint
    assert load_policy(result.run_dir / "policy.yaml") == result.policy
    assert result.policy.fingerprint() in (result.run_dir / "policy_torchvision.py").read_text()


def test_a_finished_run_gives_its_result_again_without_training(
    result: SearchResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_training(*_: object) -> None:
        raise AssertionError("a training was run again")

    monkeypatch.setattr("autoaug.trial.run_trial", no_training)
    again = autoaug.resume(result.run_dir)
    assert again.verdict == result.verdict
    assert again.candidates == result.candidates


def test_changed_data_are_not_resumed(result: SearchResult, tmp_path: Path) -> None:
    from autoaug.run_folder import RunFolder

    copy = tmp_path / "run"
    shutil.copytree(result.run_dir, copy)
    (copy / "result.json").unlink()  # a finished run has nothing to resume
    _, config = RunFolder.open(copy)
    text = (copy / "config.yaml").read_text()
    other = write_npz(tmp_path / "other.npz", x_train=bars(120, seed=9)[0])
    (copy / "config.yaml").write_text(text.replace(config.data, str(other)))
    with pytest.raises(autoaug.AutoaugError, match="have changed since"):
        autoaug.resume(copy)


def test_the_search_never_reads_the_test_split(tmp_path: Path) -> None:
    """Two data sets that differ in their test images alone give the same study."""
    from autoaug.study import summary  # noqa: F401 (the study is read through Optuna alone)

    def params(name: str, seed: int) -> list[object]:
        import optuna

        images, labels = bars(60, seed=seed)
        data = write_npz(tmp_path / f"{name}.npz", x_test=images, y_test=labels)
        out = tmp_path / name
        autoaug.search(data, space="light", trials=12, epochs=2, seeds=2, workers=1, out=str(out))
        trials = optuna.load_study(study_name=None, storage=f"sqlite:///{out}/study.db").trials
        return [(t.number, t.params, t.value, t.intermediate_values) for t in trials]

    assert params("a", 1) == params("b", 2)


def test_compare_judges_given_policies(tmp_path: Path) -> None:
    found = autoaug.compare(
        write_npz(tmp_path / "bars.npz"),
        ["none", "flip-crop+randaugment"],
        epochs=2,
        seeds=2,
        workers=1,
        out=str(tmp_path / "run"),
    )
    assert [c.name for c in found.candidates] == ["none", "flip-crop+randaugment"]
    assert found.comparison is not None
    assert (found.run_dir / "report.html").is_file()


@pytest.fixture(scope="module")
def page(result: SearchResult) -> Iterator[object]:
    """The report in a real browser, with what it asked for and complained of."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed; scripts/test installs it where it may")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        opened = browser.new_page(viewport={"width": 1200, "height": 900})
        opened.requests, opened.errors = [], []
        opened.on("request", lambda request: opened.requests.append(request.url))
        opened.on("pageerror", lambda error: opened.errors.append(str(error)))
        opened.on("console", lambda message: opened.errors.append(message.text) if message.type == "error" else None)
        opened.goto((result.run_dir / "report.html").as_uri())
        opened.wait_for_function("document.querySelectorAll('.js-plotly-plot .main-svg').length > 0")
        yield opened
        browser.close()


def test_the_report_opens_offline_and_without_errors(page: Any, result: SearchResult) -> None:
    asked = [url for url in page.requests if not url.startswith(("data:", "file:"))]
    assert asked == []
    assert page.errors == []
    assert (result.run_dir / "report.html").stat().st_size < 8 * 2**20


def test_the_report_begins_with_the_verdict_and_draws_its_charts(page: Any, result: SearchResult) -> None:
    assert page.locator(".verdict").inner_text() == result.sentence
    for name in ("candidates", "history", "classes"):
        assert page.locator(f"#figure-{name} .main-svg").count() > 0, name
    assert page.locator(".gallery img").count() >= 8
    broken = "[...document.images].filter(image => !image.naturalWidth).length"
    assert page.evaluate(broken) == 0


def test_names_from_the_data_stay_text(page: Any) -> None:
    assert page.title() != "ran"
    assert page.locator("b", has_text="bold").count() == 0
    assert HOSTILE in page.locator("body").inner_text()


@pytest.mark.parametrize("width", [1200, 390])
def test_the_report_fits_desktop_and_phone(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
