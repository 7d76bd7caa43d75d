"""A search for a user's objective instead of training a classifier."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

import autoaug
from autoaug.errors import AllTrialsFailed, AutoaugError, RunError
from autoaug.policy.loading import read_policy
from autoaug.search.progress import Progress
from autoaug.search.space import load_space
from autoaug.training.objective import Objective
from autoaug.utils.clock import now

EXAMPLES = Path(__file__).parents[2] / "examples"


def likes_turns(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
    """Best where a bright line is turned a lot; what a seed adds is less than what turning does."""
    image = torch.zeros(512, 1, 16, 16)
    image[..., 8, :] = 1
    moved = transform(image)
    noise = 0.002 * float(torch.rand((), generator=torch.Generator().manual_seed(seed)))
    return float((moved - image).abs().mean()) + noise


def test_it_finds_a_better_policy_and_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = autoaug.search(objective=likes_turns, held_out=likes_turns, trials=20, seeds=5, out=out)
    assert result.verdict == "better"
    assert result.candidates[0].kind == "searched"
    assert result.candidates[0].label in result.sentence, "by what it does, not as trial-7"
    assert next(c for c in result.candidates if c.kind == "baseline").label in load_space("standard").baselines
    assert result.ci95 is not None
    assert result.ci95[0] > 0
    assert read_policy(out / "policy.yaml").fingerprint() == result.policy.fingerprint()
    assert {path.name for path in out.iterdir()} >= {"result.json", "policy_torchvision.py", "policy_kornia.py"}
    assert all(trial.data_fraction in {0.25, 1.0} for trial in result.history)


def test_a_function_that_changes_the_working_directory_does_not_move_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def moving(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
        os.chdir("/")
        return likes_turns(transform, seed, fidelity)

    result = autoaug.search(objective=moving, strategy="random", trials=2, seeds=2, out="run")
    assert all(trial.status == "complete" for trial in result.history)
    assert (tmp_path / "run" / "result.json").is_file()


def test_the_same_call_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    calls: list[float] = []

    def counting(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
        if len(calls) == 7 and not (tmp_path / "again").exists():
            raise KeyboardInterrupt
        calls.append(fidelity)
        return likes_turns(transform, seed, fidelity)

    with pytest.raises(KeyboardInterrupt):
        autoaug.search(objective=counting, strategy="random", trials=12, seeds=2, out=tmp_path / "run")
    (tmp_path / "again").touch()
    resumed = autoaug.search(objective=counting, strategy="random", trials=12, seeds=2, out=tmp_path / "run")
    whole = autoaug.search(objective=likes_turns, strategy="random", trials=12, seeds=2, out=tmp_path / "whole")
    assert [t.score for t in resumed.history] == [t.score for t in whole.history]
    assert resumed.sentence == whole.sentence


def test_the_time_of_earlier_sessions_is_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that each call moves on by an hour: one is in the search, and eight in the confirmation."""
    hours, calls, most = [0], [0], [2]

    def slow(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
        if calls[0] == most[0]:
            raise KeyboardInterrupt
        calls[0] += 1
        hours[0] += 1
        return likes_turns(transform, seed, fidelity)

    def session(calls_until_interrupted: int) -> autoaug.ObjectiveResult:
        hours[0], calls[0], most[0] = 0, 0, calls_until_interrupted
        options = {"time": "10h", "strategy": "random", "finalists": 1, "seeds": 3, "workers": 1}
        return autoaug.search(objective=slow, **options, out=tmp_path / "run")  # type: ignore[call-overload,no-any-return]

    for module in ("pipeline.objective_job", "training.objective", "evaluation.score_store"):
        monkeypatch.setattr(f"autoaug.{module}.now", lambda: now() + 3600 * hours[0])
    for count in (2, 7):
        with pytest.raises(KeyboardInterrupt):
            session(count)
    result = session(-1)
    assert {len(candidate.scores) for candidate in result.candidates} == {2}, "those that are trained in any case"


def test_trials_of_another_function_are_not_mixed_with_its_own(tmp_path: Path) -> None:
    def twice(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
        return 2 * likes_turns(transform, seed, fidelity)

    options = {"strategy": "random", "trials": 1, "seeds": 2, "out": tmp_path / "run"}
    first = autoaug.search(objective=likes_turns, **options)  # type: ignore[call-overload]
    with pytest.raises(RunError, match=r"begun with code of the objective .*; undo the change, or begin a new run"):
        autoaug.search(objective=twice, **options)  # type: ignore[call-overload]
    again = autoaug.search(objective=likes_turns, **options)  # type: ignore[call-overload]
    assert [trial.score for trial in again.history] == [trial.score for trial in first.history]


class Counting:
    """An objective that keeps state."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
        self.calls += 1
        return likes_turns(transform, seed, fidelity)


def counting() -> Objective:
    calls = 0

    def objective(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
        nonlocal calls
        calls += 1
        return likes_turns(transform, seed, fidelity)

    return objective


@pytest.mark.parametrize("objective", [Counting(), counting()], ids=["object", "closure"])
def test_the_same_function_goes_on_though_its_calls_have_changed_it(objective: Objective, tmp_path: Path) -> None:
    options = {"strategy": "random", "seeds": 2, "out": tmp_path / "run"}
    first = autoaug.search(objective=objective, trials=1, **options)  # type: ignore[call-overload]
    again = autoaug.search(objective=objective, trials=2, **options)  # type: ignore[call-overload]
    assert [t.score for t in again.history][: len(first.history)] == [t.score for t in first.history]


def test_the_verdict_stands_on_what_is_held_out() -> None:
    result = autoaug.search(objective=likes_turns, held_out=lambda *_: 0.5, strategy="random", trials=10, seeds=3)
    assert result.verdict == "no significant difference"
    assert {score for c in result.candidates for score in c.scores} == {0.5}


def test_one_bar_is_for_the_search_and_the_confirmation() -> None:
    parts = []

    class Listening(Progress):
        def part_begins(self, start: float, stop: float) -> None:
            parts.append((start, stop))

    autoaug.search(objective=likes_turns, strategy="random", budget="9x", finalists=1, seeds=2, progress=Listening())
    (first, ends), (begins, last) = parts
    assert (first, last) == (0, 1)
    assert ends == begins == pytest.approx(9 / (9 + 2 * (1 + 5)))


def test_another_held_out_scores_anew_and_the_same_one_does_not(tmp_path: Path) -> None:
    """Its scores used to stand under another function's verdict."""
    calls: list[int] = []

    def scoring(worth: float) -> Callable[[autoaug.PolicyTransform, int, float], float]:
        def held_out(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
            calls.append(seed)
            return worth

        return held_out

    def scores_with(worth: float) -> set[float]:
        options = {"strategy": "random", "trials": 8, "seeds": 2, "out": tmp_path / "run"}
        result = autoaug.search(objective=likes_turns, held_out=scoring(worth), **options)  # type: ignore[call-overload]
        return {score for candidate in result.candidates for score in candidate.scores}

    assert scores_with(0.5) == {0.5}
    once = len(calls)
    assert scores_with(0.5) == {0.5}
    assert len(calls) == once
    assert scores_with(0.7) == {0.7}


def test_without_what_is_held_out_there_is_no_verdict_and_the_sentence_says_why(tmp_path: Path) -> None:
    """However much better a policy is by the function that chose it: the luck of its data counts as seeds' luck does
    not.
    """
    result = autoaug.search(objective=likes_turns, strategy="random", trials=12, seeds=3, out=tmp_path / "run")
    assert (result.verdict, result.difference, result.ci95, result.p_value) == (None, None, None, None)
    assert result.sentence.startswith("No verdict: without held_out")
    assert result.policy.name == result.candidates[0].name, "the best of all is returned"
    stored = autoaug.ObjectiveResult.model_validate_json((tmp_path / "run/result.json").read_text())
    assert stored == result


def test_a_policy_that_cannot_be_confirmed_is_left_out() -> None:
    def held_out(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
        if transform.policy.name == "flip-crop":
            raise RuntimeError("out of luck")
        return likes_turns(transform, seed, fidelity)

    result = autoaug.search(objective=likes_turns, held_out=held_out, strategy="random", trials=8, seeds=2)
    assert "flip-crop" not in {candidate.name for candidate in result.candidates}
    assert "none" in {candidate.name for candidate in result.candidates}


@pytest.mark.slow
def test_a_closure_runs_on_several_workers() -> None:
    factor = 2.0
    result = autoaug.search(objective=lambda t, s, f: factor * likes_turns(t, s, f), trials=8, seeds=2, workers=2)
    known = {trial.fingerprint for trial in result.history if trial.is_baseline}
    assert len({trial.fingerprint for trial in result.history} - known) >= 8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strategy": "matching"}, "strategy 'matching' needs access to the data"),
        ({"strategy": "nsga2"}, "several objectives"),
        ({"model": "resnet9"}, "unknown option of an objective 'model'"),
        ({"seeds": 1}, "--seeds 1 must be at least 2"),
        ({"data": "digits"}, "takes either data or an objective"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(AutoaugError, match=words):
        autoaug.search(objective=likes_turns, **options)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("float('nan')", "not finite"),
        ("'much'", "ValueError"),
        ("-1e300", r"the score -1e\+300 is too large; return one within ±1e\+100"),
    ],
)
@pytest.mark.fault("trials", "an objective that fails")
def test_objectives_that_fail_are_grouped_by_cause(answer: str, words: str) -> None:
    with pytest.raises(AllTrialsFailed, match=words):
        autoaug.search(objective=lambda *_: eval(answer), trials=8)


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "learns"),
    [
        pytest.param("segmentation", 0.5, marks=pytest.mark.slow),
        pytest.param("without_labels", 0.8, marks=pytest.mark.slow),
        pytest.param("plain_pytorch", 0.8, marks=pytest.mark.slow),
        pytest.param("with_lightning", 0.7, marks=pytest.mark.slow),
    ],
)
def test_the_examples_run_and_their_scores_mean_something(
    name: str, learns: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On three baselines alone: policies that a search proposes are transforms as theirs are."""
    module = example(name)
    if name == "segmentation":
        monkeypatch.setattr(module, "STEPS", 60)  # a shorter training has learned enough
    space = load_space("digits").model_copy(update={"baselines": ("none", "flip-crop", "trivialaugment")})
    result = autoaug.search(
        objective=module.objective, held_out=module.held_out, space=space, strategy="random", trials=2, seeds=2
    )
    means = {c.name: c.mean for c in result.candidates}
    assert max(means.values()) > learns
    if name == "without_labels":
        assert means["flip-crop"] < means["none"] - 0.05, "a flip confuses upright digits with turned ones"
    if name == "segmentation":
        assert means["trivialaugment"] > means["none"] + 0.05, "other light is what it learns"


def test_masks_of_the_segmentation_example_move_with_their_images() -> None:
    module = example("segmentation")
    images, masks = module.digits(0, 50, True)
    assert float((images[:, 0] > 0.3)[masks.bool()].float().mean()) > 0.95, "masked pixels are strokes"
