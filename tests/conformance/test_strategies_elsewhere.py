"""Every strategy searches sounds, clips and texts, with real trainings: it stays in the space, and repeats itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import Samples
from autoaug.errors import SpaceError
from autoaug.modalities.operators import IDENTITY, learned_from
from autoaug.modalities.registry import get_modality
from autoaug.modalities.text.tokens import as_rows, tokenized
from autoaug.policy.loading import load_policy
from autoaug.runs.callbacks import Logged
from autoaug.search.budget import Budget
from autoaug.search.executors.inline import InlineExecutor
from autoaug.search.loop import run_search
from autoaug.search.probes import density
from autoaug.search.space import SearchSpace, load_space
from autoaug.search.strategies import STRATEGIES, get_strategy
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import summary
from autoaug.training.recipe import Recipe
from autoaug.training.setting import TrainingSetting
from autoaug.training.tasks import Classification
from tests.modalities.text.writing import written
from tests.samples import clips, operators_of, tones
from tests.studies import kept_in_memory


def of_texts(n: int) -> np.ndarray:
    """Tokens of texts of two classes in turn; the latter half lacks many words, and all signs."""
    texts = [text for text, _ in written(n, 0)]
    texts[n // 2 :] = [" ".join(text.strip(".").split()[::2]) for text in texts[n // 2 :]]
    return as_rows([tokenized(text) for text in texts], 20)


def half_as_much(modality: str, made: torch.Tensor, dtype: torch.dtype) -> np.ndarray:
    """Stored samples, the latter half of which are half as loud or as bright."""
    made[60:] *= 0.5
    return get_modality(modality).values.as_stored(made, dtype).numpy()


#: 120 stored samples of each modality.
MADE: dict[str, Callable[[], np.ndarray]] = {
    "audio": lambda: half_as_much("audio", tones(120, 1, 800), torch.int16),
    "video": lambda: half_as_much("video", clips(120, 3, 3, (8, 8)), torch.uint8),
    "text": lambda: of_texts(120),
}
#: They search spaces with one operator per layer, of which other modalities have none; they name those that can.
FLAT_ALONE = {"gp", "cmaes"}
#: It follows gradients, which tokens do not have.
CONTINUOUS_ALONE = {"gradient"}


def searched(modality: str) -> SearchSpace:
    return load_space("standard", modality).without(get_modality(modality).lacking())


def task(modality: str) -> TrainingSetting:
    """Sixty samples to train on and as many to validate on, of two classes."""
    stored = MADE[modality]()
    train, validation = (Samples(MemoryInputs(part), np.arange(60) % 2) for part in (stored[:60], stored[60:]))
    return TrainingSetting(
        task=Classification(2),
        train=train,
        validation=validation,
        test=None,
        model="auto",
        recipe=Recipe.model_validate({"epochs": 2, "batch_size": 30}),
        device="cpu",
        modality=modality,
        learned=learned_from(train.inputs, searched(modality).operator_names()),
    )


def search(name: str, modality: str) -> SearchStudy:
    strategy = get_strategy(name)
    space = searched(modality)
    setting = replace(task(modality), measures_robustness="robustness" in strategy.objectives)
    strategy.check(space)
    with kept_in_memory():
        study = SearchStudy(Path("study.db"), space, strategy, seed=0)
        baselines = {known: load_policy(known) for known in get_modality(modality).baselines[:2]}
        with InlineExecutor(setting) as executor:
            run_search(study, executor, Budget(policies=3), setting.full_length_passes(), baselines, Logged())
    return study


@pytest.mark.parametrize("modality", MADE)
@pytest.mark.parametrize("name", [n if n == "nsga2" else pytest.param(n, marks=pytest.mark.slow) for n in STRATEGIES])
def test_it_searches_other_modalities(name: str, modality: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(density, "_CANDIDATES", 15)  # ten of them are random; how good they are is not looked at
    if name in FLAT_ALONE or (name in CONTINUOUS_ALONE and not get_modality(modality).is_continuous):
        with pytest.raises(SpaceError, match="auto"):
            search(name, modality)
        return
    study = search(name, modality)
    trials = [summary(record) for record in study.ended()]
    assert {trial.status for trial in trials} <= {"complete", "pruned"}, [trial.reason for trial in trials]
    assert not [result["failed"] for result in study.history().probe_results.values() if result and result["failed"]]
    own = {*operators_of(modality), IDENTITY}
    assert any(not trial.is_baseline for trial in trials)
    assert all(own.issuperset(record.policy.operator_names()) for record in study.history().trials)
    again = [summary(record).score for record in search(name, modality).ended()]
    assert again == [trial.score for trial in trials]
