"""A search from Python and from the command line: the run folder, and the contents of the report."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autoaug
from autoaug.api import robustness
from autoaug.errors import UnknownName
from autoaug.evaluation.confirmation import confirmation_seeds
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Adversarial, Policy
from autoaug.report import write_comparison, write_figures, write_report
from autoaug.results import SearchResult
from autoaug.runs.folder import RunFolder
from tests.conftest import PATIENCE, bars, write_npz
from tests.faults.life import Stopping

#: Charts that every report of a run has that compared policies.
CHARTS = ("candidates", "differences", "confusion", "history", "reached", "curves", "robustness")
HOSTILE = '<script>document.title = "ran"</script>'


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A small search whose class names are hostile."""
    folder = tmp_path_factory.mktemp("job")
    names = np.array([HOSTILE, "b & <b>bold</b>", "c'\""])
    data = write_npz(folder / "bars.npz", class_names=names)
    space = folder / "space.yaml"
    light = Path(__file__).parents[2] / "search_spaces/light.yaml"
    space.write_text(light.read_text() + "synthetic: {kinds: [none, pca]}\n")
    options = {"trials": 10, "epochs": 3, "seeds": 3, "workers": 1, "control": "random", "early_stop": False}
    outcome = autoaug.search(data, space=str(space), out=str(folder / "run"), **options)
    robustness(data, outcome.run_dir, steps=2, samples=24)
    return outcome


def test_the_run_folder_has_all_that_was_promised(result: SearchResult) -> None:
    names = {path.name for path in result.run_dir.iterdir()}
    promised = {"config.yaml", "study.db", "result.json", "policy.yaml", "policy_torchvision.py", "policy_kornia.py"}
    assert promised | {"report.html"} <= names
    stored = json.loads((result.run_dir / "result.json").read_text())
    assert stored["verdict"] in {"better", "worse", "no significant difference"}
    assert set(stored["returned"]) == {"name", "fingerprint", "is_searched"}
    for candidate in stored["candidates"]:
        assert candidate["kind"] in {"baseline", "searched", "control"}
        assert len(candidate["seeds"]) == len(candidate["test_scores"]) == 3
        assert candidate["ci95"][0] <= candidate["mean"] <= candidate["ci95"][1]
    assert {"baseline", "difference", "ci95", "p_value"} <= set(stored["comparison"])
    assert sum(stored["trials"].values()) == len(stored["history"])
    cost = stored["cost"]
    assert cost["overhead_fraction"] == pytest.approx(1 - cost["trial_compute_seconds"] / cost["search_seconds"])
    assert 0 <= cost["overhead_fraction"] < 1
    assert cost["augmentation_seconds"] < cost["trial_compute_seconds"]
    assert stored["history"][0]["name"] == "none"
    assert {c["kind"] for c in stored["candidates"]} == {"baseline", "searched", "control"}


def test_the_returned_policy_is_the_one_in_every_file(result: SearchResult) -> None:
    assert result.policy.fingerprint() == result.returned.fingerprint
    assert load_policy(result.run_dir / "policy.yaml") == result.policy
    assert result.policy.fingerprint() in (result.run_dir / "policy_torchvision.py").read_text()


def test_a_finished_run_gives_its_result_again_without_training(
    result: SearchResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_training(*_: object) -> None:
        raise AssertionError("a training was run again")

    monkeypatch.setattr("autoaug.training.trial.Train.run", no_training)
    again = autoaug.resume(result.run_dir)
    assert again.verdict == result.verdict
    assert again.candidates == result.candidates


def test_twice_the_length_gives_what_a_comparison_of_twice_the_epochs_gives(
    result: SearchResult, tmp_path: Path
) -> None:
    assert result.comparison is not None
    names = [training.candidate for training in result.longer]
    assert set(names) >= {result.returned.name, *names[:1]}
    assert set(names) <= {result.returned.name, result.comparison.candidate, result.comparison.baseline}
    _, config = RunFolder.open(result.run_dir)
    policies = [result.candidate(name).policy.model_copy(update={"name": name}) for name in names]
    again = autoaug.compare(config.data, policies, epochs=6, seeds=2, workers=1, out=str(tmp_path / "run"))
    for training in result.longer:
        assert training.score == again.candidate(training.candidate).test_scores[0]
        assert (training.epochs, training.before) == (6, result.candidate(training.candidate).test_scores[0])
    assert "twice as long (6 epochs)" in (result.run_dir / "report.html").read_text()
    told = [line for line in (result.run_dir / "events.jsonl").read_text().splitlines() if '"longer"' in line]
    assert [json.loads(line)["name"] for line in told] == [result.candidate(n).label for n in names]


def tried(result: SearchResult) -> int:
    """The number of policies that the search tried, besides the known ones."""
    known = {trial.fingerprint for trial in result.history if trial.is_baseline}
    return len({trial.fingerprint for trial in result.history} - known)


@pytest.mark.parametrize("goes_on", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_search_without_prospects_ends_early_with_a_baseline_and_says_why(
    goes_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("autoaug.search.strategies.auto"), "chance_of_gain", lambda *_: 0.04)
    data, out = write_npz(tmp_path / "bars.npz"), tmp_path / "run"
    outcome = autoaug.search(
        data,
        space="light",
        trials=12,
        epochs=2,
        seeds=2,
        max_seeds=2,
        workers=1,
        early_stop=not goes_on,
        out=str(out),
    )
    report = (out / "report.html").read_text()
    if goes_on:
        assert outcome.stopped == ""
        assert tried(outcome) >= 12
        assert "ended before its budget" not in report
        return
    assert outcome.stopped.startswith("the chance of 0.5 points over the best baseline is only 4 %")
    assert len(outcome.history) < 12
    assert not outcome.returned.is_searched
    assert {candidate.kind for candidate in outcome.candidates} == {"baseline"}
    assert f"the search ended early, because {outcome.stopped}" in outcome.sentence
    assert "--no-early-stop" in report


@pytest.mark.fault("driver", "changed data")
def test_changed_data_are_not_resumed(result: SearchResult, tmp_path: Path) -> None:
    copy = shutil.copytree(result.run_dir, tmp_path / "run")
    (copy / "result.json").unlink()  # a finished run has nothing to resume
    _, config = RunFolder.open(copy)
    text = (copy / "config.yaml").read_text()
    other = write_npz(tmp_path / "other.npz", x_train=bars(120, seed=9)[0])
    (copy / "config.yaml").write_text(text.replace(config.data, str(other)))
    with pytest.raises(autoaug.AutoaugError, match="have changed since"):
        autoaug.resume(copy)


@pytest.mark.slow
@pytest.mark.fault("driver", "changed groups or metric")
def test_groups_and_the_metric_stay_when_a_run_goes_on(tmp_path: Path) -> None:
    """Intervals follow from them. They are no part of the data's fingerprint, and trainings do not need them, so those
    that are stored would fit with others too.
    """
    data, out = tmp_path / "bars.npz", tmp_path / "run"
    patients = {"g_train": np.arange(120) // 4, "g_test": np.arange(200, 260) // 5}
    write_npz(data, **patients)
    options: dict[str, Any] = {"epochs": 1, "seeds": 2, "max_seeds": 2, "workers": 1, "executor": "inline", "out": out}
    whole = autoaug.compare(str(data), ["none", "flip-crop"], **options)
    assert whole.comparison is not None
    assert whole.comparison.test_groups == 12
    (out / "result.json").unlink()

    write_npz(data, **{**patients, "g_test": np.arange(3000, 3060) // 30})
    with pytest.raises(autoaug.AutoaugError, match=r"were made with groups .*, not .*; undo the change"):
        autoaug.resume(out)
    write_npz(data, **patients)
    config = (out / "config.yaml").read_text()
    (out / "config.yaml").write_text(config.replace("metric: accuracy", "metric: balanced-accuracy"))
    with pytest.raises(autoaug.AutoaugError, match="were made with metric accuracy, not balanced-accuracy"):
        autoaug.resume(out)
    (out / "config.yaml").write_text(config)
    assert autoaug.resume(out).comparison == whole.comparison


def test_the_search_never_reads_the_test_split(tmp_path: Path) -> None:
    """Two data sets that differ in their test images alone give the same study."""

    def params(name: str, seed: int) -> list[object]:
        import optuna

        images, labels = bars(60, seed=seed)
        data = write_npz(tmp_path / f"{name}.npz", x_test=images, y_test=labels)
        out = tmp_path / name
        with pytest.raises(KeyboardInterrupt):  # when the search is over
            autoaug.search(
                data, space="light", trials=6, epochs=1, seeds=2, workers=1, out=out, progress=Stopping(trainings=1)
            )
        trials = optuna.load_study(study_name=None, storage=f"sqlite:///{out}/study.db").trials
        assert len(trials) >= 6
        return [(t.number, t.params, t.value, t.intermediate_values) for t in trials]

    assert params("a", 1) == params("b", 2)


@pytest.mark.fault("trials", "a policy that cannot be trained")
def test_a_policy_that_cannot_be_trained_is_left_out_and_the_rest_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the attack broke")

    monkeypatch.setattr("autoaug.training.train.attack", broken)
    policies = ["none", "flip-crop", Policy(name="attacked", adversarial=Adversarial(kind="fgsm"))]
    outcome = autoaug.compare(
        write_npz(tmp_path / "bars.npz"), policies, epochs=1, seeds=2, executor="inline", out=tmp_path / "run"
    )
    assert {candidate.name for candidate in outcome.candidates} == {"none", "flip-crop"}
    assert [(one.name, one.reason) for one in outcome.left_out] == [
        ("attacked", f"seed {confirmation_seeds(0, 1)[0]}: RuntimeError: the attack broke")
    ]
    assert "the attack broke" in (tmp_path / "run/report.html").read_text()


def test_compare_judges_given_policies(tmp_path: Path) -> None:
    copied = load_policy("flip-crop").model_copy(update={"copies": 3, "name": "copied"})
    outcome = autoaug.compare(
        write_npz(tmp_path / "bars.npz"),
        [copied, load_policy("flip-crop+randaugment").model_copy(update={"copies": 2, "name": "too"})],
        epochs=2,
        seeds=2,
        workers=1,
        out=str(tmp_path / "run"),
    )
    assert {c.name for c in outcome.candidates} == {"copied", "too"}
    assert outcome.comparison is not None
    text = (outcome.run_dir / "report.html").read_text()
    assert f"puts {outcome.policy.copies} copies of each sample in a batch" in text


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
        opened.wait_for_function("document.body.dataset.drawn === 'all'")
        yield opened
        browser.close()


UNFOLD = "document.querySelectorAll('details').forEach(part => { part.open = true })"


def test_the_report_opens_offline_and_without_errors(page: Any, result: SearchResult) -> None:
    assert [url for url in page.requests if not url.startswith(("data:", "file:"))] == []
    assert page.errors == []
    assert (result.run_dir / "report.html").stat().st_size < 8 * 2**20


def test_the_report_begins_with_the_verdict_and_draws_its_charts(page: Any, result: SearchResult) -> None:
    assert page.locator(".verdict .badge").inner_text() == result.verdict
    assert result.sentence in page.locator(".verdict").inner_text()
    assert page.locator("#figure-gains .main-svg").count() > 0
    assert page.evaluate("document.documentElement.scrollHeight") < 8000
    assert page.locator(".gallery img").count() >= 8
    assert page.evaluate("[...document.images].filter(image => !image.naturalWidth).length") == 0


def test_names_from_the_data_stay_text(page: Any) -> None:
    assert page.title() != "ran"
    assert page.locator("b", has_text="bold").count() == 0
    page.evaluate(UNFOLD)
    assert HOSTILE in page.locator("body").inner_text()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
def test_the_report_fits_desktop_and_phone(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_section_and_chart_is_there(page: Any) -> None:
    folded = ("result", "range", "classes", "search", "operators", "generated", "robustness", "cost", "repeat")
    assert all(page.locator(f"section#{section}").count() == 1 for section in ("policy", "gains", "code", *folded))
    page.evaluate(UNFOLD)
    page.wait_for_function("!waiting.length && !drawing", timeout=1000 * PATIENCE)
    drawn = page.evaluate("[...document.querySelectorAll('.chart:has(.main-svg) > div')].map(place => place.id)")
    assert {f"figure-{name}" for name in CHARTS} <= {*drawn}
    assert page.locator(".chart:not(:has(.main-svg))").count() == 0
    for chart in page.locator(".chart").all():
        assert len(chart.get_attribute("aria-label") or "") > 20


@pytest.mark.slow
def test_images_are_drawn_again_on_a_button_and_code_is_copied(page: Any) -> None:
    page.evaluate(UNFOLD)
    drawn = page.locator("[id^=gallery-] > div").first.locator(
        "[data-draw]"
    )  # of the finalist, where nothing is returned
    assert [one.is_visible() for one in drawn.all()][:2] == [True, False]
    page.locator("[data-redraw]").first.click()
    assert [one.is_visible() for one in drawn.all()][:2] == [False, True]
    button = page.locator("#code [data-copy]").first
    button.click()
    assert button.inner_text() in {"Copied", "Selected: press Ctrl-C"}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_accessible(page: Any, scheme: str) -> None:
    """By axe-core: nothing that it calls serious or critical."""
    axe = Path(__file__).parents[2] / ".venv/axe-core/package/axe.min.js"
    if not axe.is_file():
        pytest.skip("axe-core is not there; scripts/test brings it where there is npm")
    page.emulate_media(color_scheme=scheme)
    page.reload()
    page.wait_for_function("document.body.dataset.drawn === 'all'")
    page.evaluate(axe.read_text())
    violations = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    grave = [v for v in violations["violations"] if v["impact"] in {"serious", "critical"}]
    assert [(v["id"], v["nodes"][0]["html"][:200], v["nodes"][0]["failureSummary"]) for v in grave] == []


def test_a_run_that_is_not_whole_has_a_report_that_says_so(result: SearchResult, tmp_path: Path) -> None:
    copy = shutil.copytree(result.run_dir, tmp_path / "run")
    (copy / "result.json").unlink()
    text = write_report(RunFolder(copy)).read_text()
    assert "Not finished, so nothing is claimed yet" in text
    assert "figure-history" in text
    (copy / "events.jsonl").unlink()
    assert "No trial has ended" in write_report(RunFolder(copy)).read_text()


def test_runs_are_compared_on_one_page(result: SearchResult, tmp_path: Path) -> None:
    text = write_comparison([RunFolder(result.run_dir)] * 2, tmp_path / "both.html").read_text()
    assert text.count(f"<td>{result.verdict}</td>") == 2
    assert "figure-compared" in text


@pytest.mark.slow
def test_charts_are_drawn_as_files(result: SearchResult, tmp_path: Path) -> None:
    from PIL import Image

    copy = shutil.copytree(result.run_dir, tmp_path / "run")
    with pytest.raises(autoaug.AutoaugError, match="must be png or svg"):
        write_figures(RunFolder(copy), "gif")
    paths = write_figures(RunFolder(copy), "png")
    assert {"candidates", "history", "robustness"} <= {path.stem for path in paths}
    with Image.open(paths[0]) as picture:
        assert picture.size[0] == 2000
        assert len(np.unique(np.asarray(picture.convert("L").resize((200, 60))))) > 20, "something is drawn"


def test_notebooks_show_a_result_by_itself(result: SearchResult) -> None:
    shown = result._repr_html_()
    assert shown.count("<img") >= 8
    assert result.verdict.split()[0].lower() in shown.lower()


def test_the_policy_file_says_where_it_comes_from(result: SearchResult) -> None:
    provenance = result.policy.provenance
    assert provenance is not None
    assert provenance.data_fingerprint == result.data.fingerprint
    assert provenance.verdict == result.sentence
    assert result.policy.fingerprint() == result.returned.fingerprint


def test_the_winner_goes_out_as_weights_that_give_its_predictions(result: SearchResult, tmp_path: Path) -> None:
    """In a fresh process, from the exported folder: the accuracy of the first confirmation seed, image by image."""
    from autoaug.pipeline.configure import reopen
    from autoaug.report.model_card import export_model

    export_model(RunFolder(result.run_dir), tmp_path / "model")
    assert "- Network: resnet9;" in (tmp_path / "model/README.md").read_text()  # what auto stands for
    _, _, data, _ = reopen(result.run_dir)
    images = data.test.inputs.take(np.arange(len(data.test)))
    np.savez(tmp_path / "test.npz", images=images, labels=data.test.labels)
    code = (
        "import sys, numpy as np, torch; sys.path.insert(0, sys.argv[1])\n"
        "from inference import load_model\n"
        "given = np.load(sys.argv[2]); images = torch.from_numpy(given['images']).float() / 255\n"
        "found = load_model(sys.argv[1] + '/model.safetensors')(images).argmax(1).numpy()\n"
        "print((found == given['labels']).mean())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model"), str(tmp_path / "test.npz")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    with pytest.raises(UnknownName, match="'nnone'; did you mean 'none'"):
        result.candidate("nnone")
    first = result.returned_candidate.test_scores[0]
    assert float(printed) == pytest.approx(first, abs=0.035)  # training computes in bf16 where it can
