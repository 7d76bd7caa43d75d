"""A run by another metric than accuracy, on uneven classes, from the options to the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import autoaug
from autoaug import api
from autoaug.errors import AutoaugError, RunError
from autoaug.results import SearchResult
from autoaug.runs.folder import RunFolder
from tests.conftest import bars, write_npz


def uneven_npz(folder: Path) -> Path:
    """Three classes of 40, 40 and 12 training samples."""
    images, labels = bars(120)
    kept = np.sort(np.concatenate([np.flatnonzero(labels != 2), np.flatnonzero(labels == 2)[:12]]))
    return write_npz(folder / "bars.npz", x_train=images[kept], y_train=labels[kept])


def compared(data: Path, out: Path, **options: object) -> SearchResult:
    return api.compare(
        data, ["none", "flip-crop"], seeds=2, max_seeds=2, epochs=1, workers=1, executor="inline", out=out, **options
    )


@pytest.fixture(scope="module")
def by_loss(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    folder = tmp_path_factory.mktemp("loss")
    data = uneven_npz(folder)
    return compared(data, folder / "run", metric="log-loss", class_weights="balanced", sampling="balanced")


def test_all_metrics_stand_in_the_result_whichever_was_asked_for(by_loss: SearchResult) -> None:
    stored = json.loads((by_loss.run_dir / "result.json").read_text())
    assert stored["metric"] == {"name": "log-loss", "unit": "", "larger_is_better": False}
    for candidate in stored["candidates"]:
        names = ["accuracy", "balanced-accuracy", "macro-f1", "auroc", "log-loss", "kappa"]
        assert list(candidate["metrics"]) == names
        assert candidate["metrics"]["log-loss"]["values"] == [-score for score in candidate["test_scores"]]
        for own in candidate["metrics"].values():
            assert len(own["values"]) == 2
            assert own["ci95"][0] <= own["mean"] <= own["ci95"][1]


def test_a_loss_is_shown_as_a_loss(by_loss: SearchResult) -> None:
    comparison = by_loss.comparison
    assert comparison is not None
    ours, theirs = (by_loss.candidate(name) for name in (comparison.candidate, comparison.baseline))
    difference = np.mean(np.negative(ours.test_scores) - np.negative(theirs.test_scores))
    assert f"{difference:+.4g} test log-loss, where lower is better" in by_loss.sentence
    about = by_loss.policy.provenance
    assert about is not None
    assert about.metric == "log-loss"
    assert about.difference == pytest.approx(difference)
    assert about.ci95 == pytest.approx(tuple(-bound for bound in comparison.ci95[::-1]))
    page = (by_loss.run_dir / "report.html").read_text()
    assert f"{-ours.mean:.4g}" in page
    assert "All metrics on the test samples" in page
    assert "validation log-loss" in page


def test_the_best_by_a_loss_has_the_least(by_loss: SearchResult) -> None:
    assert by_loss.comparison is not None
    least = min(by_loss.candidates, key=lambda c: -c.validation_mean)
    assert by_loss.comparison.candidate == least.name or by_loss.comparison.baseline == least.name
    assert all(score < 0 for c in by_loss.candidates for score in c.test_scores), "scores are negated losses"


def test_uneven_classes_are_reported_at_the_top_with_their_recall(by_loss: SearchResult) -> None:
    assert by_loss.data.is_uneven
    page = (by_loss.run_dir / "report.html").read_text()
    words = "Recall per class with"
    assert words in page
    assert page.index(words) < page.index("What was compared")
    assert any("classes are uneven" in finding for finding in by_loss.data.findings)


def test_the_recipe_is_the_same_for_all_and_stays_when_the_run_is_resumed(by_loss: SearchResult) -> None:
    _, config = RunFolder.open(by_loss.run_dir, goes_on=False)
    assert (config.metric, config.recipe.class_weights, config.recipe.sampling) == ("log-loss", "balanced", "balanced")
    kept = sorted((by_loss.run_dir / "confirmation").glob("*.npz"))
    times = [path.stat().st_mtime_ns for path in kept]
    (by_loss.run_dir / "result.json").unlink()
    again = api.resume(by_loss.run_dir)
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert again.candidates == by_loss.candidates
    assert again.sentence == by_loss.sentence


def test_a_class_that_the_test_split_lacks_is_recorded_where_it_is_allowed(tmp_path: Path) -> None:
    images, labels = bars(60, seed=1)
    kept = labels != 2
    data = write_npz(tmp_path / "bars.npz", x_test=images[kept], y_test=labels[kept])
    with pytest.raises(AutoaugError, match="the test split has no sample of class '2'"):
        compared(data, tmp_path / "run")
    result = compared(data, tmp_path / "run", allow=("absent",), metric="auroc")
    assert any("the test split has no sample of class '2'" in finding for finding in result.data.findings)
    assert all(c.class_scores[2] is None for c in result.candidates)
    assert all(0 <= c.mean <= 1 for c in result.candidates)


def test_what_a_task_cannot_have_is_refused_before_anything_is_written(npz: Path, tmp_path: Path) -> None:
    for metric, words in {
        "balanced": "did you mean 'balanced-accuracy'",
        "no_module_of_that_name:f1": "is neither installed nor in",
        "numpy:pi": "has 'pi', which is not callable",
        "numpy:trapezoid": "numpy:trapezoid failed on|no finite number",
    }.items():
        with pytest.raises(AutoaugError, match=words):
            compared(npz, tmp_path / "run", metric=metric)
    assert not (tmp_path / "run").exists()


def test_a_users_metric_is_run_only_for_those_who_trust_the_folder(
    npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metric_of_a_run.py").write_text(
        "def worst_recall(labels, probabilities):\n"
        "    right = probabilities.argmax(1) == labels\n"
        "    return min(right[labels == label].mean() for label in set(labels.tolist()))\n"
        "worst_recall.unit = '%'\n"
    )
    result = compared(npz, tmp_path / "run", metric="metric_of_a_run:worst_recall")
    assert result.metric.name == "worst recall"
    for candidate in result.candidates:
        rows = zip(*candidate.class_scores_by_seed, strict=True)
        assert candidate.test_scores == pytest.approx([min(own) for own in zip(*rows, strict=True)])
    (tmp_path / "run/result.json").unlink()
    with pytest.raises(RunError, match="names the function metric_of_a_run:worst_recall"):
        autoaug.resume(tmp_path / "run")
    assert autoaug.resume(tmp_path / "run", trust=True).candidates == result.candidates
