"""Trainings as a search would set them up, and their test scores."""

from __future__ import annotations

from autoaug.data.loading import check_data
from autoaug.data.splits import DataSet
from autoaug.modalities.base import AS_SUITS
from autoaug.policy.models import Policy
from autoaug.training.metrics import score
from autoaug.training.recipe import default_recipe
from autoaug.training.setting import TrainingSetting
from autoaug.training.tasks import Classification
from autoaug.training.trial import Train
from autoaug.utils.seeds import derive_seed


def setting_on(data: str, device: str = "cpu") -> tuple[DataSet, TrainingSetting]:
    """The data set at that path, and the training setting with the recipe that a search would use."""
    _, data_set = check_data(data, 2**33, AS_SUITS, ("leak", "conflict"), 0)
    setting = TrainingSetting(
        task=Classification(len(data_set.classes)),
        train=data_set.train,
        validation=data_set.validation,
        test=data_set.test,
        model="auto",
        recipe=default_recipe(len(data_set.train)),
        device=device,
        modality=data_set.modality,
    )
    return data_set, setting


def test_score(policy: Policy, setting: TrainingSetting, seed: int) -> float:
    """Train with that seed and return the test score; raises `RuntimeError` if the training fails."""
    *_, last = Train(policy).run(setting, derive_seed(seed, "bench_generated"))
    if last.test_statistics is None:
        raise RuntimeError(last.reason)
    return score(setting.metric, last.test_statistics)
