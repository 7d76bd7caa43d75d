"""Probes: measurements that strategies make on the data and on trained models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import Samples
from autoaug.policy.models import Layer, Operation, Policy, SubPolicy
from autoaug.search.probes.affinity import MeasureAffinity, bearable_strength
from autoaug.search.probes.density import MatchDensity
from autoaug.search.probes.gradient import LearnByGradient, starting_policy
from autoaug.search.probes.shift import MatchShift, matched
from autoaug.search.space import load_space
from autoaug.search.strategies.density import together
from autoaug.training.result import TrialResult
from autoaug.training.setting import TrainingSetting, Work
from autoaug.training.trial import Train, carry_out
from tests.tasks import samples, shifted_task, small_task


def request(work: Work, task: TrainingSetting, seed: int = 0) -> TrialResult:
    return list(carry_out(work, task, seed))[-1]


@pytest.fixture(scope="module")
def task() -> TrainingSetting:
    """Bars that are well learned."""
    return replace(small_task(epochs=15), train=samples(192, 0), validation=samples(96, 1))


def test_affinity_falls_with_strength_where_an_operator_destroys_and_not_where_it_does_nothing(
    task: TrainingSetting,
) -> None:
    space = load_space("standard")
    result = request(MeasureAffinity(space, 0.5), task)
    assert result.status == "complete", result.reason
    operators = result.probe_result["operators"]
    assert set(operators) == {name for family in space.families.values() for name in family} - {"Identity"}
    by_strength = {strength: affinity for strength, affinity, _ in operators["TranslateY"]}
    assert by_strength[1.0] < 0.9, "the place of the bar is its class"
    assert {s: a for s, a, _ in operators["Saturation"]}[1.0] == pytest.approx(1.0), "gray has no color"
    assert operators["TranslateY"][-1][2] > 1.0, "diversity: the loss grows"
    assert bearable_strength(result.probe_result) in {0.25, 0.5, 0.75, 1.0}
    assert bearable_strength(None) is None


def test_affinity_looks_at_the_model_that_was_trained_without_augmentation_already(tmp_path: Path) -> None:
    keeping, probe = replace(small_task(), checkpoints=tmp_path), MeasureAffinity(load_space("light"), 0.5)
    trained = request(probe, keeping)
    assert not list(tmp_path.iterdir())
    *_, baseline = Train(Policy(), 0.5, keeps_weights=True).run(keeping, 0)
    looked = request(probe, keeping)
    assert looked.sample_passes == trained.sample_passes - baseline.sample_passes
    assert looked.probe_result["strength"] == trained.probe_result["strength"]
    next(iter(tmp_path.iterdir())).write_bytes(b"cut off")
    assert request(probe, keeping).sample_passes == trained.sample_passes, "what cannot be read is trained again"


def test_density_prefers_what_trained_models_still_recognize(task: TrainingSetting) -> None:
    result = request(MatchDensity(load_space("light")), task)
    assert result.status == "complete", result.reason
    assert 1 <= len(result.probe_result["policies"]) <= 5
    assert result.probe_result["scores"] == sorted(result.probe_result["scores"], reverse=True)
    assert result.sample_passes > 0


def test_density_scores_no_model_on_groups_that_it_has_seen() -> None:
    """Of noise with random labels, there is nothing to recognize but copies."""
    draw = np.random.default_rng(0)
    images, labels = (np.repeat(own, 4, 0) for own in (draw.integers(0, 256, (48, 1, 12, 12)), draw.integers(0, 3, 48)))
    noise = Samples(MemoryInputs(images.astype(np.uint8)), labels, np.repeat(np.arange(48), 4))
    result = request(MatchDensity(load_space("light")), replace(small_task(epochs=15), train=noise))
    assert result.status == "complete", result.reason
    assert result.probe_result["scores"][0] < 0.75, (
        "of the best of 60 policies, at 1/3 by chance; with copies in both halves, nearly 1"
    )


def test_policies_together_are_a_choice_between_them() -> None:
    def layer(*names: str) -> Layer:
        return Layer(sub_policies=tuple(SubPolicy(operations=(Operation(operator=n),), weight=2.0) for n in names))

    joined = together([Policy(layers=(layer("Rotate", "ShearX"),)), Policy(layers=(layer("Invert"), layer("Gamma")))])
    assert [[b.weight for b in la.sub_policies] for la in joined.layers] == [[0.5, 0.5, 1.0], [1.0]]


@pytest.mark.slow
def test_the_gradient_moves_away_from_what_harms(task: TrainingSetting) -> None:
    """Of two operators, one moves the bars to other classes' places, the other does nothing to gray images."""
    space = load_space("light").model_copy(
        update={"base": (), "families": {"two": {"TranslateY": 1.0, "Saturation": 1.0}}, "layers": (1, 1)}
    )
    longer = replace(task, recipe=task.recipe.model_copy(update={"epochs": 200}))
    result = request(LearnByGradient(space), longer)
    assert result.status == "complete", result.reason
    assert result.sample_passes <= longer.full_length_passes(), "less than one training"
    learned = Policy.model_validate(result.probe_result["policy"])
    weights = {b.operations[0].operator: b.weight for b in learned.layers[0].sub_policies}
    before = {b.operations[0].operator: b.weight for b in starting_policy(space).layers[0].sub_policies}
    assert before["TranslateY"] == before["Saturation"]
    assert weights.get("TranslateY", 0.0) < 0.6 * weights["Saturation"]


def test_the_shift_is_found_and_few_images_are_not_asked() -> None:
    result = request(MatchShift(10), shifted_task())
    policy = matched(result.probe_result)
    assert policy is not None
    assert result.sample_passes > 0
    few = replace(small_task(), validation=samples(20, 1))
    assert matched(request(MatchShift(10), few).probe_result) is None
    assert matched(None) is None
    assert np.isfinite(result.probe_result["residual"])


def test_a_budget_without_room_for_the_shift_is_left_to_trials() -> None:
    """100 candidates on 300 samples, at a third of a pass, are 10,000; only a budget that probes spend is meant."""
    task, passes = shifted_task(), shifted_task().full_length_passes()
    tiny = 10_000 / passes
    left_out = request(MatchShift(tiny, is_paid=True), task)
    assert matched(left_out.probe_result) is None
    assert left_out.sample_passes == 0
    assert left_out.note == "left out: it would take 100 % of the budget, and leave no room for trials"
    assert request(MatchShift(4 * tiny, is_paid=True), task).sample_passes > 0
    assert matched(request(MatchShift(tiny), task).probe_result) is not None
