"""The files of a run, each with one fault: one line names the file, the fault and the remedy."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import autoaug
from autoaug.errors import RunError, SpaceError
from autoaug.policy.loading import parse_policy, read_policy
from autoaug.policy.models import Layer, Operation, Phase, Policy, SubPolicy
from autoaug.report import report_page
from autoaug.report.server import event_line
from autoaug.results import ACCURACY, SearchResult
from autoaug.results.robustness import Robustness
from autoaug.runs.callbacks.event_log import EventLog, read_events
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.search.budget import Budget
from autoaug.search.space import SearchSpace, load_space
from autoaug.search.strategies.density import together
from autoaug.search.strategies.pbt import GENERATIONS
from autoaug.training.recipe import Recipe
from tests.conftest import CHECKOUT, published
from tests.faults.mutations import change

PUBLISHED = published().model_dump_json(indent=2)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """The folder of a published run, as far as its report needs it."""
    content = json.loads(PUBLISHED)
    config = RunConfig(
        data="cifar",
        data_fingerprint=content["data"]["fingerprint"],
        memory_limit=2**30,
        space=load_space("light"),
        budget=Budget(policies=2),
        recipe=Recipe(epochs=3, batch_size=32),
        device="cpu",
        workers=1,
        executor="inline",
        command="autoaug search cifar",
        versions={},
    )
    folder = RunFolder.create(tmp_path / "run", config)
    folder.result.write_text(PUBLISHED, encoding="utf-8")
    folder.policy.write_text(read_policy("none").to_yaml(), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("place", "value", "rule"),
    [
        ("verdict", KeyError, "verdict: Field required"),
        ("verdict", "best", "verdict"),
        ("returned/name", "nobody", "returned names 'nobody'"),
        ("comparison/candidate", HOSTILE, "comparison.candidate names"),
        ("comparison/baseline", "nobody", "comparison.baseline names 'nobody'"),
        ("comparison/differences", [], "comparison.differences"),
        ("candidates", [], "candidates"),
        ("candidates/0/mean", float("nan"), "candidates.0.mean"),
        ("candidates/0/mean", 45.1, "candidates.0.mean"),
        ("candidates/0/seeds", [1, 2], "candidates.0: validation_scores has 5 entries for 2 seeds"),
        ("candidates/0/test_scores", [0.5], "candidates.0: test_scores has 1 entries for 5 seeds"),
        ("candidates/0/class_scores_by_seed", [[0.5] * 10] * 5, "class_scores_by_seed is given without confusion"),
        ("candidates/0/confusion", [[1] * 10] * 9, "confusion has 9 rows for 10 classes"),
        ("candidates/0/confusion", [[1] * 9] * 10, "a row that does not have 10 classes"),
        ("candidates/0/policy/layers", [{"sub_policies": []}], "candidates.0.policy.layers.0.sub_policies"),
        ("data/classes", ["a", "b"], "10 classes, but the data have 2"),
        ("data/train", 0, "data.train"),
        ("data/test", 10**400, "data.test"),
        ("history/3/values", [0.5, 0.5], "trial 3 has 2 values for 1 objectives"),
        ("history/3/data_fraction", 0, "history.3.data_fraction"),
        ("history/3/params", {"x": None}, "history.3.params"),
        ("importance", {"x": float("inf")}, "importance.x"),
        ("probes/affinity/sample_passes", KeyError, "affinity: sample_passes"),
        ("probes/affinity/operators", {"Rotate": [[0.25, 1, 1]]}, "affinity: operator 'Rotate' has no measurement"),
        ("probes/affinity/operators", {"Rotate": [[0.5, 1]]}, "affinity: operators.Rotate.0.2"),
        ("probes/matching/noise", KeyError, "matching: initial, residual and noise must be given together"),
        ("probes/matching/policy", {"layers": 1}, "matching"),
        ("generated", {"pca": {"seconds": 1, "failed": None}}, "pca: failed"),
        ("generated", {"pca": {"seconds": 1}}, "pca: it lacks bytes"),
        ("format", 3, "format 3, but this autoaug reads 2; install a newer autoaug"),
        ("unheard", 1, "unheard"),
    ],
)
def test_a_result_that_contradicts_itself_is_one_line(place: str, value: Any, rule: str, run: RunFolder) -> None:
    content = json.loads(PUBLISHED)
    change(content, place, value)
    run.result.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RunError, match=re.escape(rule)) as refusal:
        report_page(run)
    assert str(refusal.value).startswith(str(run.result))
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("content", [PUBLISHED[:5000], "", "[]", "null", "{}", PUBLISHED.replace("none", "\udcff")])
def test_a_damaged_result_names_the_command_that_writes_it_again(content: str, run: RunFolder) -> None:
    run.result.write_bytes(content.encode(errors="surrogateescape"))
    again = f"result.json is damaged: .*; autoaug resume {run.root} writes it again, with --trust if the run uses "
    with pytest.raises(RunError, match=again):
        SearchResult.load(run.root)
    run.result.unlink()
    with pytest.raises(RunError, match=rf"has no result.json; .* autoaug resume {run.root} \(with --trust if the run "):
        SearchResult.load(run.root)


@pytest.mark.fault("security", "names in the report")
def test_the_whole_result_is_drawn_with_hostile_names(run: RunFolder) -> None:
    text = PUBLISHED.replace('"trivialaugment"', json.dumps(HOSTILE)).replace('"airplane"', json.dumps(HOSTILE))
    run.result.write_text(text, encoding="utf-8")
    page = report_page(run, cdn=True)
    assert HOSTILE not in page
    assert "alert(1)" in page


def test_a_class_without_test_images_is_left_out(run: RunFolder) -> None:
    content = json.loads(PUBLISHED)
    for candidate in content["candidates"]:
        candidate["class_scores"][0] = None
        for row in candidate.get("class_scores_by_seed", ()):
            row[0] = None
    run.result.write_text(json.dumps(content), encoding="utf-8")
    assert SearchResult.load(run.root).candidates[0].class_scores[0] is None
    report_page(run)


def test_a_result_of_another_run_than_the_config_is_refused(run: RunFolder) -> None:
    content = yaml.safe_load(run.config.read_text(encoding="utf-8"))
    compared = {"space": None, "budget": None, "policies": [read_policy("none").model_dump(mode="json")]}
    run.config.write_text(yaml.safe_dump({**content, **compared}), encoding="utf-8")
    with pytest.raises(RunError, match=r"is from a search, but .* from a comparison"):
        report_page(run)


@pytest.mark.parametrize("name", ["policy.yaml", "policy_numpy.py", "config.yaml"])
def test_what_is_not_utf_8_in_a_run_is_one_line(name: str, run: RunFolder) -> None:
    (run.root / name).write_bytes(b"name: \xff")
    with pytest.raises(RunError, match=f"{name} is not UTF-8"):
        report_page(run)


@pytest.mark.fault("security", "links in a run folder that lead out of it")
@pytest.mark.parametrize("name", ["confirmation", "confirmation/longer", "checkpoints", "control", "events.jsonl"])
def test_a_run_does_not_write_through_links(name: str, run: RunFolder) -> None:
    outside = run.root.parent / "outside"
    outside.mkdir()
    kept = outside / "own.safetensors"
    kept.write_text("own")
    link = run.root / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(kept if name == "events.jsonl" else outside)
    with pytest.raises(RunError, match=f"{link} is a link that leads out of the run folder"):
        autoaug.resume(run.root)
    assert [*outside.iterdir()] == [kept]
    assert kept.read_text() == "own"
    link.unlink()
    (run.root / "tracker").mkdir()
    (run.root / "tracker" / "latest").symlink_to(run.root / "policy.yaml")
    run.check_inside()


@pytest.mark.parametrize("name", ["events.jsonl", "study.db", "confirmation/facts.json"])
def test_a_run_does_not_wait_for_a_pipe(name: str, run: RunFolder) -> None:
    run.confirmation.mkdir()
    os.mkfifo(run.root / name)
    with pytest.raises(RunError, match=f"{name} is neither a file nor a folder; remove it"):
        autoaug.resume(run.root)


@pytest.mark.parametrize("name", ["confirmation", "checkpoints", "control"])
def test_a_file_where_a_folder_belongs_is_one_line(name: str, run: RunFolder) -> None:
    (run.root / name).touch()
    with pytest.raises(RunError, match=f"{name} is not a folder; remove it"):
        autoaug.resume(run.root)


def test_a_run_without_its_policy_is_one_line(run: RunFolder) -> None:
    run.policy.unlink()
    with pytest.raises(RunError, match=r"policy\.yaml cannot be read"):
        report_page(run)


@pytest.mark.parametrize(
    ("place", "value"),
    [("corrupted", {}), ("corrupted/fog", [0.5] * 4), ("clean", None), ("attacked", 1.5), ("inputs", 0)],
)
def test_a_damaged_robustness_says_how_to_measure_it(place: str, value: Any, run: RunFolder) -> None:
    measured = Robustness(inputs=9, attack="PGD", clean=0.9, attacked=0.2, corrupted={"fog": (0.8, 0.7, 0.6, 0.5, 0.4)})
    content = measured.model_dump(mode="json")
    run.robustness.write_text(json.dumps(content), encoding="utf-8")
    report_page(run)
    change(content, place, value)
    run.robustness.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RunError, match=r"robustness\.json is damaged: .* measure again with: autoaug robustness"):
        report_page(run)


@pytest.mark.fault("storage", "a damaged event log")
def test_lines_that_are_no_events_are_passed_over(run: RunFolder) -> None:
    log = EventLog(run.events)
    result = SearchResult.load(run.root)
    log.say("one\x1b[2J")
    log.trial_ended(result.history[0], 0.5)
    whole = run.events.read_bytes()
    lines = [json.loads(line) for line in whole.splitlines()]
    damaged = [
        {**lines[0], "time": "noon"},
        {**lines[0], "time": 1e300},
        {"event": "stage"},
        {**lines[0], "event": "coffee"},
        {**lines[1], "trial": None},
        {**lines[1], "trial": {**lines[1]["trial"], "share": "all"}},
        {**lines[1], "fraction": None},
        [],
        7,
    ]
    added = b"".join(json.dumps(line).encode() + b"\n" for line in damaged) + b'\xff\n{"time": 1, "ev'
    run.events.write_bytes(whole + added)
    log = EventLog(run.events)
    log.say("two")
    events = read_events(run.events)
    assert [event["event"] for event in events] == ["stage", "trial", "stage"]
    assert [event_line(event, ACCURACY)[9:] for event in (events[0], events[2])] == ["one\\x1b[2J", "two"]
    run.result.unlink()
    assert "1 trial ended" in report_page(run, cdn=True)


def test_spaces_have_bounds_within_which_every_strategy_finds_policies_that_can_be_read() -> None:
    """The largest space has 100 base operations and 16 layers of a family of 100; a schedule has `GENERATIONS` of
    such policies, and density matching joins five.
    """
    rules = json.dumps(SearchSpace.model_json_schema())
    assert '"maxItems": 100' in rules
    assert '"maxProperties": 100' in rules
    turns = [SubPolicy(operations=(Operation(operator="x" * 100, magnitude=(0.1, 0.123456789)),)) for _ in range(100)]
    base = tuple(Layer(sub_policies=(sub_policy,)) for sub_policy in turns)
    layers = base + (Layer(sub_policies=tuple(turns)),) * 16
    schedule = tuple(Phase(until=(i + 1) / GENERATIONS, layers=layers) for i in range(GENERATIONS))
    for largest in (Policy(schedule=schedule), together([Policy(layers=layers)] * 5)):
        assert parse_policy(json.dumps(largest.model_dump(mode="json"))) == largest


@pytest.mark.parametrize(
    "content", [b"name: \xff", b"name: 2020-99-99\n", b"copies: [1, !!int 9z]", b"", b"- 1", b"a: &a [*a]"]
)
@pytest.mark.fault("storage", "a damaged config or space")
def test_a_damaged_space_or_config_is_one_line(content: bytes, run: RunFolder) -> None:
    path = run.root / "space.yaml"
    path.write_bytes(content)
    with pytest.raises(SpaceError) as refusal:
        load_space(path)
    assert len(str(refusal.value).splitlines()) == 1
    run.config.write_bytes(content)
    with pytest.raises(RunError) as refused:
        RunFolder.open(run.root)
    assert len(str(refused.value).splitlines()) == 1


def test_every_text_file_is_read_and_written_as_utf_8() -> None:
    """In a C locale, too: whoever opens a text file names its encoding, or leaves it to `autoaug.utils.files`."""
    calls = []
    for path in sorted((CHECKOUT / "autoaug").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            words = {keyword.arg for keyword in call.keywords}
            mode = next(
                (
                    a.value
                    for a in call.args
                    if isinstance(a, ast.Constant) and re.fullmatch("[rwax+bt]+", str(a.value))
                ),
                "",
            )
            is_text = name in {"read_text", "write_text", "open", "fdopen"} and "b" not in str(mode)
            if is_text and "encoding" not in words and not _is_none_of_a_file(name, call):
                calls.append(f"{path.relative_to(CHECKOUT)}:{call.lineno}")
    assert not calls


def _is_none_of_a_file(name: str, call: ast.Call) -> bool:
    """Whether that only has the name of what opens text: `files.read_text`, `Image.open`, `RunFolder.open`, ..."""
    value = getattr(call.func, "value", None)
    owner = getattr(value, "attr", getattr(value, "id", ""))
    return (name == "read_text" and isinstance(call.func, ast.Name)) or owner in {
        "Image",
        "RunFolder",
        "av",
        "loader",
        "webbrowser",
        "os",
        "cls",
        "gzip",
        "tarfile",
        "archive",
    }


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("budget", None, "a space and a budget"),
        ("space", None, "a space and a budget"),
        ("budget", {}, "one of policies, seconds or trainings"),
        ("budget", {"policies": 2, "seconds": 3.0}, "one of policies, seconds or trainings"),
        ("confirmation_seeds", 10**12, "confirmation_seeds"),
        ("finalists", 10**12, "finalists"),
        ("most_seeds", 10**12, "most_seeds"),
        ("size", -5, "size"),
        ("seed", -1, "seed"),
    ],
)
def test_an_edited_config_that_is_no_run_is_one_line(
    name: str, value: object, words: str, run: RunFolder, refused: Callable[..., str]
) -> None:
    content = {**yaml.safe_load(run.config.read_text(encoding="utf-8")), name: value}
    run.config.write_text(yaml.safe_dump(content), encoding="utf-8")
    run.result.unlink()
    assert words in refused("resume", str(run.root), folder=run.root.parent)
