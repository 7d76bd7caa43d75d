"""The page of a run for someone with a minute, and what notebooks show."""

from __future__ import annotations

import json
import re
import shutil
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from autoaug.errors import RunError
from autoaug.policy.words import in_words
from autoaug.report import notebook_view, report_page, write_comparison
from autoaug.report.frame import breakable
from autoaug.report.model_card import export_model
from autoaug.report.reading import read_finished, read_unfinished
from autoaug.report.server import event_line
from autoaug.results import ACCURACY, SearchResult
from autoaug.runs.callbacks.event_log import EventLog, read_events
from autoaug.runs.folder import RunFolder
from tests.report.records import trial

RECORDED = Path(__file__).parents[1] / "recorded/finished"


class Outline(HTMLParser):
    """The text of a page outside folded parts, scripts and styles, and the addresses that it loads something from."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.text, self.loaded = [""], "", []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (tag == "details" and "open" not in given) or tag in ("script", "style"):
            self.hidden.append(tag)
        self.loaded += [given[name] for name in ("src", "href") if given.get(name)]

    def handle_endtag(self, tag: str) -> None:
        if tag == self.hidden[-1]:
            self.hidden.pop()

    def handle_data(self, data: str) -> None:
        if len(self.hidden) == 1:
            self.text += data


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    return parsed


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(shutil.copytree(RECORDED, tmp_path / "run"))


def test_what_a_minute_is_for_is_not_folded_and_the_rest_is(run: RunFolder) -> None:
    page = outline(report_page(run, cdn=True))
    result = SearchResult.load(run.root)
    for words in ("Use", "Because", "Next", result.verdict, result.sentence, "What the policy does", "How to use it"):
        assert words in page.text, words
    for words in ("The search", "What it cost", "seconds per training", "epochs", "fingerprint"):
        assert words not in page.text, words


def test_samples_whose_predictions_changed_are_told_in_words_for_any_task(run: RunFolder) -> None:
    """Both of the recorded run are worse."""
    page = report_page(run, cdn=True)
    assert "<h3>Predicted worse</h3>\n<p>Test samples that are predicted worse with" in page
    assert "Predicted better" not in page


def test_the_policy_is_described_once_at_the_top(run: RunFolder) -> None:
    result = SearchResult.load(run.root)
    words, name = in_words(result.returned_candidate.policy), result.returned.name
    told = json.loads(run.result.read_text())
    run.result.write_text(json.dumps(told | {"sentence": f"Better: the searched policy {words} [{name}] beats none."}))
    page = outline(report_page(run, cdn=True))
    assert words in page.text
    assert f"Better: the searched policy {name} beats none." in page.text


def test_tables_say_what_a_policy_is_and_then_its_name_in_the_run(run: RunFolder) -> None:
    told = json.loads(run.result.read_text())
    history = [own if own["name"] == "none" else {**own, "words": "Rotate up to 1"} for own in told["history"]]
    run.result.write_text(json.dumps(told | {"history": history}))
    result, page = SearchResult.load(run.root), report_page(run, cdn=True)
    searched = [(in_words(c.policy), c.name) for c in result.candidates if c.trial is not None]
    trials = [(trial.words, trial.name) for trial in result.history if trial.words]
    assert searched
    assert trials
    for words, name in (*searched, *trials):
        assert re.search(
            f"<td[^>]*>(<strong>)?{re.escape(escape(words))}(</strong> \\(returned\\))?<small>{name}<", page
        )


def test_captions_may_be_broken_between_the_words_of_a_name() -> None:
    assert breakable("RandomResizedCrop <1>, JPEG 2") == "Random<wbr>Resized<wbr>Crop &lt;1&gt;, JPEG 2"


def test_the_model_card_says_which_module_builds_a_network_of_the_users_own(run: RunFolder, tmp_path: Path) -> None:
    save_file({"weight": np.zeros(1)}, run.model)
    export_model(run, tmp_path / "model")
    assert "To use it: `python inference.py FILE`.\n" in (tmp_path / "model/README.md").read_text()
    config = re.sub("(?m)^model: .*", "model: own.networks:build", run.config.read_text())
    run.config.write_text(config)
    export_model(run, tmp_path / "model")
    words = "with the module `own.networks`, which builds the network, beside it or installed."
    assert words in (tmp_path / "model/README.md").read_text()


def test_page_and_model_card_say_the_same_recipe_and_no_interval_of_two_seeds(run: RunFolder, tmp_path: Path) -> None:
    result, config = SearchResult.load(run.root), read_finished(run).config
    assert {len(candidate.seeds) for candidate in result.candidates} == {2}
    save_file({"weight": np.zeros(1)}, run.model)
    export_model(run, tmp_path / "model")
    card, page = (tmp_path / "model/README.md").read_text(), report_page(run, cdn=True)
    for text in (card, page):
        assert config.recipe.words in text
        assert "too few seeds" in text
    assert re.search("mean over the seeds .* % \\(too few seeds for an interval\\)", card)
    assert "The chart shows mean and 95 % interval" not in page
    assert f"# A model trained with {in_words(result.returned_candidate.policy)}\n" in card, "none"
    classes = page.split(">class</th>")[1].split("</table>")[0]
    assert "too few seeds" in classes
    assert not re.search(r"[+-][0-9.]+ to [+-]", classes)


def test_what_two_seeds_prove_stands_beside_intervals_that_they_are_too_few_for(run: RunFolder) -> None:
    """The page said of a proven difference that seeds are too few for intervals."""
    told = json.loads(run.result.read_text())
    told["comparison"] |= {"differences": [0.2, 0.21], "difference": 0.205, "ci95": [0.19, 0.22]}
    run.result.write_text(json.dumps(told | {"verdict": "better"}))
    text = report_page(run, cdn=True)
    assert "95 % interval +19.00 to +22.00" in text
    assert "the seeds are too few for intervals of candidates alone" in text
    assert "too few for intervals." not in text


def test_all_seeds_of_the_confirmation_are_listed(run: RunFolder) -> None:
    result = SearchResult.load(run.root)
    longest = max((candidate.seeds for candidate in result.candidates), key=len)
    assert f"confirmation on {', '.join(map(str, longest))}<" in report_page(run, cdn=True)


def test_a_notebook_shows_pictures_and_loads_nothing(run: RunFolder) -> None:
    result = SearchResult.load(run.root)
    shown = notebook_view(result)
    assert result.sentence in outline(shown).text
    assert [address[:15] for address in outline(shown).loaded] == ["data:image/png;"] * len(re.findall("<img", shown))
    assert run.gallery("returned").is_file() == ("<img" in shown)
    assert "<script" not in shown
    run.gallery("returned").unlink(missing_ok=True)
    assert "<img" not in notebook_view(result)


def test_a_policy_that_changes_nothing_has_no_pictures_and_no_code(run: RunFolder) -> None:
    (run.root / "policy_numpy.py").write_text("# the module\n")
    before = SearchResult.load(run.root)
    told = json.loads(run.result.read_text())
    claim = {**json.loads(before.comparison.model_dump_json()), "difference": 0.3, "ci95": [0.2, 0.4]}
    claim |= {"differences": [0.3] * 5, "against": "the usual default"}
    told |= {"claims": [claim, {**claim, "against": "another", "ci95": [-0.2, 0.8]}]}
    run.result.write_text(json.dumps(told | {"verdict": "no significant difference"}))
    assert in_words(before.returned_candidate.policy) == "no augmentation"
    page = outline(report_page(run, cdn=True))
    assert "It changes no samples by itself" in page.text
    assert "Draw again" not in page.text
    assert "# the module" not in report_page(run, cdn=True)
    because = page.text.split("Because")[1].split("Next")[0]
    words = (
        f"The returned policy is better than {claim['baseline']} (the usual default): +30.00 points, +20.00 to +40.00."
    )
    assert words in because
    assert "another" not in because
    run.result.write_text(json.dumps(told | {"comparison": None}))  # the search ended early
    assert "only more test samples shrink the second" in report_page(run, cdn=True)


def test_a_page_of_several_runs_shows_small_numbers_and_no_interval_of_two_seeds(
    run: RunFolder, tmp_path: Path
) -> None:
    told = json.loads(run.result.read_text())
    metric = {"name": "RMSE", "unit": "", "larger_is_better": False}
    for candidate in told["candidates"]:
        candidate |= {"mean": -0.0012341, "ci95": [-0.0015, -0.0011]}
    run.result.write_text(json.dumps(told | {"metric": metric}))
    other = RunFolder(shutil.copytree(run.root, tmp_path / "other" / run.root.name))
    page = write_comparison([run, other], tmp_path / "both.html", cdn=True).read_text()
    assert page.count("0.001234 [too few seeds]") == 2
    assert f"<td>{run.root}</td>" in page, "runs whose folders have one name"
    assert f"<td>{other.root}</td>" in page


def test_a_run_that_is_not_finished_says_how_to_go_on_from_here(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = RunFolder(run.root.rename(run.root.with_name("the run")))
    moved.result.unlink()
    assert f"Continue with: autoaug resume &#39;{moved.root}&#39;" in report_page(moved, cdn=True)
    monkeypatch.chdir(moved.root)
    assert "<title>autoaug: not finished (the run)</title>" in report_page(RunFolder("."), cdn=True)


def test_a_run_that_is_not_finished_shows_the_trials_of_the_main_search_alone(tmp_path: Path) -> None:
    folder = RunFolder(shutil.copytree(RECORDED.with_name("unfinished"), tmp_path / "run"))
    before = read_unfinished(folder)
    log = EventLog(folder.events)
    log.control_begins()
    log.trial_ended(trial(0, 0.123, name="of the control"), 0.9)
    log.say("the last stage")
    assert read_unfinished(folder) == before._replace(stage="the last stage")
    assert "control search begins" in event_line(read_events(folder.events)[-3], ACCURACY)


def test_one_number_is_no_numbers_and_an_error_is_not_kept(run: RunFolder) -> None:
    told = json.loads(run.result.read_text())
    told["data"] |= {"task": "regression", "classes": ["number"], "class_counts": []}
    told["metric"] = {"name": "RMSE", "unit": "", "larger_is_better": False}
    measured = {"operators": {"Rotate": [[0.5, 0.5, 2.0]]}}
    for candidate in told["candidates"]:
        candidate |= {"class_scores": [], "class_scores_by_seed": [], "confusion": []}
    run.result.write_text(json.dumps(told | {"probes": {"affinity": {**measured, "sample_passes": 1}}}))
    page = report_page(run, cdn=True)
    assert ", 1 number per sample;" in page
    assert "(where a loss or an error doubles, half is kept)" in page


@pytest.mark.fault("storage", "a folder for the model that holds something else, or a disk that is full")
def test_a_model_takes_the_place_of_nothing_but_a_model(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file({"weight": np.zeros(1)}, run.model)
    (tmp_path / "mine").mkdir()
    for name in ("README.md", "model.safetensors"):  # other programs call weights so, too
        (tmp_path / "mine" / name).write_text("mine")
        with pytest.raises(RunError, match="is not empty, and holds no exported model; choose another"):
            export_model(run, tmp_path / "mine")
    assert {path.read_text() for path in (tmp_path / "mine").iterdir()} == {"mine"}
    export_model(run, tmp_path / "model")
    export_model(run, tmp_path / "model")
    before = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}

    def filled(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:4])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", filled)
    with pytest.raises(OSError, match="No space left"):
        export_model(run, tmp_path / "model")
    assert {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()} == before
