"""The robustness of a model to attacks and common corruptions: one number, cheap enough for a trial, or in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from autoaug.data.inputs import spread_rows
from autoaug.data.splits import Samples
from autoaug.errors import OptionError
from autoaug.modalities.base import Modality
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Adversarial
from autoaug.results.robustness import Robustness
from autoaug.training.adversarial import attack, attack_of
from autoaug.training.device import precision
from autoaug.training.embedding import NetworkInput
from autoaug.training.inference import clean_batches, scores_of
from autoaug.training.metrics import Accuracy, Metric, metric_record, score, statistics_of
from autoaug.training.setting import TrainingSetting
from autoaug.training.tasks import Task

SEVERITIES = (1, 2, 3, 4, 5)
_AT_MOST = 500
#: Within a trial: a short attack, and the middle severity.
_ATTACK = Adversarial(kind="pgd", epsilon=2 / 255, steps=5)
_MIDDLE = (3,)


@dataclass(frozen=True)
class Exam:
    """What a robustness measurement consists of.

    Attributes:
        task: what the model predicts.
        modality: the modality of the samples.
        device: the device to run on.
        how: the attack.
        corruptions: names of corruptions of the modality.
        metric: what is measured; accuracy within a trial, whatever metric policies are compared by.
        severities: the severities of each corruption.
    """

    task: Task
    modality: Modality
    device: str
    how: Adversarial
    corruptions: Sequence[str]
    metric: Metric = Accuracy()  # noqa: RUF009 (it is frozen)
    severities: Sequence[int] = SEVERITIES


def usual_attack(modality: Modality) -> str:
    """The kind of attack to measure robustness by: PGD, or else the modality's first one."""
    return _ATTACK.kind if _ATTACK.kind in modality.attacks else next(iter(modality.attacks), _ATTACK.kind)


def check_examinable(modality: Modality) -> None:
    """Raise `OptionError` if the modality lacks the attack or corruptions to measure robustness."""
    attack_of(modality, usual_attack(modality))
    if not modality.corruptions:
        raise OptionError(
            f"robustness cannot be measured: the modality {modality.name!r} has no corruptions; use a strategy or "
            "command without it"
        )


def robust_score(model: nn.Module, setting: TrainingSetting, samples: Samples) -> float:
    """The mean of the accuracy under a PGD attack (L-infinity, 2/255, 5 steps; or the modality's own attack with these
    numbers) and the mean one under a few common corruptions, over at most 500 of the `samples`, spread over them.
    Attacks and corruptions are deterministic.
    """
    modality = get_modality(setting.modality)
    rows = spread_rows(len(samples), _AT_MOST)
    exam = Exam(
        task=setting.task,
        modality=modality,
        device=setting.device,
        how=_ATTACK.model_copy(update={"kind": usual_attack(modality)}),
        corruptions=modality.few_corruptions,
        severities=_MIDDLE,
    )
    _, attacked, corrupted = _examined(model, samples, rows, exam)
    return (attacked + float(np.mean(list(corrupted.values())))) / 2


def measure(
    model: nn.Module, samples: Samples, rows: np.ndarray, exam: Exam, watch: Callable[[int, int], None] | None = None
) -> Robustness:
    """The score of `model` on the samples at `rows`: clean, attacked, and under corruptions at all severities. `watch`
    is called with the number of samples that have been attacked or corrupted, and of all that will be.
    """
    clean, attacked, corrupted = _examined(model, samples, rows, exam, watch)
    words = attack_of(exam.modality, exam.how.kind).words(exam.how)
    return Robustness(
        inputs=len(rows),
        attack=words,
        clean=clean,
        attacked=attacked,
        corrupted=corrupted,
        metric=metric_record(exam.metric),
    )


def _examined(
    model: nn.Module,
    samples: Samples,
    rows: np.ndarray,
    exam: Exam,
    watch: Callable[[int, int], None] | None = None,
) -> tuple[float, float, dict[str, tuple[float, ...]]]:
    """The score clean, attacked, and under each corruption at the severities of the exam."""
    check_examinable(exam.modality)
    clean, attacked = _Score(model, exam), _Score(model, exam)
    corrupted = {name: [_Score(model, exam) for _ in exam.severities] for name in exam.corruptions}
    batches = clean_batches(samples.inputs, exam.device, exam.modality.name, rows)
    done, total = 0, len(rows) * (1 + len(exam.corruptions))

    def reached(count: int) -> None:
        nonlocal done
        done += count
        if watch is not None:
            watch(done, total)

    for number, (indices, values) in enumerate(batches):
        labels = samples.labels[indices]
        clean.add(values, labels)
        with precision(exam.device):
            targets = exam.task.targets(torch.from_numpy(labels)).to(exam.device)
            generator = torch.Generator().manual_seed(number)
            moved = attack(model, NetworkInput(values), targets, exam.how, generator, exam.task, exam.modality)
        attacked.add(moved.values, labels)
        reached(len(labels))
        for name, scores in corrupted.items():
            corrupt: Callable[[Tensor, int], Tensor] = exam.modality.corruptions[name]
            for severity, of_severity in zip(exam.severities, scores, strict=True):
                of_severity.add(corrupt(values, severity), labels)
            reached(len(labels))
    by_name = {name: tuple(row.value() for row in scores) for name, scores in corrupted.items()}
    return clean.value(), attacked.value(), by_name


class _Score:
    """The score of a model on the samples added so far."""

    def __init__(self, model: nn.Module, exam: Exam) -> None:
        self._model, self._exam = model, exam
        self._statistics: list[np.ndarray] = []

    def add(self, values: Tensor, labels: np.ndarray) -> None:
        exam = self._exam
        scores = scores_of(self._model, exam.task, values, labels, exam.device)
        self._statistics.append(statistics_of(exam.metric, exam.task, scores, labels))

    def value(self) -> float:
        return score(self._exam.metric, np.concatenate(self._statistics))
