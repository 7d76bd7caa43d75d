"""Confirmation: finalists and baselines trained again on fresh common seeds, and what may be claimed of them."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix

from autoaug.errors import AllTrialsFailed, first_line
from autoaug.evaluation.group_sequential import ERROR, levels
from autoaug.evaluation.statistics import estimate, mcnemar
from autoaug.policy.models import Policy
from autoaug.results import Candidate, CandidateKind, Comparison, McNemar, TrialResult, Verdict
from autoaug.search.executors import Executor, TrialSpec
from autoaug.search.progress import Progress
from autoaug.training.checkpoint import has_weights
from autoaug.training.trial import Train
from autoaug.utils.files import write_whole
from autoaug.utils.seeds import derive_seed


@dataclass(frozen=True)
class CandidatePolicy:
    """A policy to be confirmed."""

    name: str
    kind: CandidateKind
    policy: Policy
    trial: int | None = None


@dataclass(frozen=True, eq=False)
class ConfirmedTraining:
    """What one training of a candidate left behind."""

    validation_predictions: np.ndarray
    test_predictions: np.ndarray
    seconds: float


def confirmation_seeds(seed: int, count: int) -> list[int]:
    """Seeds that no trial of the search was trained with, the same for every candidate."""
    return [derive_seed(seed, "confirmation", index) for index in range(count)]


def train_candidates(
    candidate_policies: Sequence[CandidatePolicy],
    seeds: Sequence[int],
    executor: Executor,
    folder: Path,
    progress: Progress,
    kept: int | None = None,
    sizes: tuple[int, int] | None = None,
) -> dict[tuple[str, int], ConfirmedTraining]:
    """Train every candidate on every seed; trainings whose file is in `folder` already are not run again, unless it is
    damaged. The weights of those on the seed `kept` are written beside it.

    Args:
        candidates: the policies.
        seeds: of the trainings.
        executor: of a task that has a test split and no checkpoints.
        folder: of the files.
        progress: told of every training that ends.
        kept: the seed whose weights are wanted; None for none.
        sizes: of the validation and the test split, which predictions must have; None for any.

    Raises:
        AllTrialsFailed: a training failed, with the cause: a comparison with holes in it is none.
    """
    found: dict[tuple[str, int], ConfirmedTraining] = {}
    missing: dict[str, tuple[CandidatePolicy, int]] = {}
    for seed in seeds:
        for candidate_policy in candidate_policies:
            path = _path(folder, candidate_policy.policy, seed)
            training = _read(path, sizes, progress)
            if training is not None:
                found[candidate_policy.name, seed] = training
            else:
                missing[path.name] = candidate_policy, seed
    total = len(candidate_policies) * len(seeds)
    waiting = list(missing)
    running = 0
    while waiting or running:
        while waiting and running < executor.slots:
            key = waiting.pop(0)
            candidate_policy, seed = missing[key]
            executor.submit(TrialSpec(key, Train(candidate_policy.policy, keeps_weights=seed == kept), seed))
            running += 1
        key, result = executor.next_result()
        if result.status == "running":
            continue
        running -= 1
        candidate_policy, seed = missing[key]
        _check_complete(result, candidate_policy.name, seed)
        if result.weights is not None:  # before the predictions, with which the training counts as done
            write_whole(_weights(folder, candidate_policy.policy, seed), result.weights)
        found[candidate_policy.name, seed] = _write(folder / key, result)
        progress.training_ended(candidate_policy.name, len(found), total)
    return found


def keep_weights(returned: Candidate, executor: Executor, folder: Path, model: Path, progress: Progress) -> None:
    """Bring the weights of a candidate's first training from `folder` to the file `model`. Where an interruption, or an
    older version, left none, that training is run again.

    Raises:
        AllTrialsFailed: it failed, with the cause.
    """
    policy, seed = returned.policy, returned.seeds[0]
    if has_weights(model, policy, seed):
        return
    kept = _weights(folder, policy, seed)
    if not has_weights(kept, policy, seed):
        progress.warn(f"training {returned.name} once more: its weights are not there")
        executor.submit(TrialSpec(kept.name, Train(policy, keeps_weights=True), seed))
        result = executor.next_result()[1]
        while result.status == "running":
            result = executor.next_result()[1]
        _check_complete(result, returned.name, seed)
        assert result.weights is not None
        write_whole(kept, result.weights)
    kept.replace(model)


def drop_weights(folder: Path) -> None:
    """Remove the weights that nobody asked for, and what a crash left half-written: once the run is whole."""
    for path in (*folder.glob("*.safetensors"), *folder.glob(".*.unfinished")):
        path.unlink()


def _check_complete(result: TrialResult, name: str, seed: int) -> None:
    if result.status != "complete":
        raise AllTrialsFailed(
            f"{name!r} failed in confirmation, seed {seed}: {result.reason}; autoaug resume trains it again"
        )


def _path(folder: Path, policy: Policy, seed: int) -> Path:
    return folder / f"{policy.fingerprint()}-{seed}.npz"


def _weights(folder: Path, policy: Policy, seed: int) -> Path:
    return _path(folder, policy, seed).with_suffix(".safetensors")


def _write(path: Path, result: TrialResult) -> ConfirmedTraining:
    assert result.validation_predictions is not None
    assert result.test_predictions is not None
    training = ConfirmedTraining(result.validation_predictions, result.test_predictions, result.seconds)
    content = io.BytesIO()
    np.savez_compressed(content, **vars(training))
    write_whole(path, content.getvalue())
    return training


def _read(path: Path, sizes: tuple[int, int] | None, progress: Progress) -> ConfirmedTraining | None:
    """The training in a file; None where there is no file, or none that is whole: it can be trained again."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            training = ConfirmedTraining(
                file["validation_predictions"], file["test_predictions"], file["seconds"].item()
            )
        _check(training, sizes)
    except Exception as fault:  # zipfile, zlib, NumPy and the header's parser each have their own
        progress.warn(f"{path} is damaged ({first_line(fault)}): trained again")
        return None
    return training


def _check(training: ConfirmedTraining, sizes: tuple[int, int] | None) -> None:
    """Raise `ValueError` where that is not what a training leaves behind."""
    both = training.validation_predictions, training.test_predictions
    if any(found.dtype != np.uint16 or found.ndim != 1 for found in both):
        raise ValueError("its predictions are no list of classes")
    if sizes is not None and tuple(map(len, both)) != sizes:
        raise ValueError(f"it has {len(both[0])} and {len(both[1])} predictions, not {sizes[0]} and {sizes[1]}")
    if not isinstance(training.seconds, float) or not 0 <= training.seconds < math.inf:
        raise ValueError(f"it took {training.seconds} seconds")


def assess(
    candidate_policy: CandidatePolicy,
    trainings: dict[tuple[str, int], ConfirmedTraining],
    seeds: Sequence[int],
    validation_labels: np.ndarray,
    test_labels: np.ndarray,
    classes: int | None = None,
) -> Candidate:
    """The accuracies of a candidate over those of `seeds` that it was trained with, with the interval of the mean on the
    test split. Of each class its accuracy, None of one without test samples: so many `classes`, or those that there are.
    """
    seeds = [seed for seed in seeds if (candidate_policy.name, seed) in trainings]
    own = [trainings[candidate_policy.name, seed] for seed in seeds]
    validation = [float((t.validation_predictions == validation_labels).mean()) for t in own]
    test = [float((t.test_predictions == test_labels).mean()) for t in own]
    mean = estimate(test, 1 / len(test_labels))
    named = np.unique(test_labels) if classes is None else np.arange(classes)
    matrices = [confusion_matrix(test_labels, t.test_predictions, labels=named) for t in own]
    with np.errstate(invalid="ignore"):  # 0 / 0 is that of a class without test samples
        by_class = [np.diag(matrix) / matrix.sum(1) for matrix in matrices]
    return Candidate(
        name=candidate_policy.name,
        kind=candidate_policy.kind,
        fingerprint=candidate_policy.policy.fingerprint(),
        trial=candidate_policy.trial,
        policy=candidate_policy.policy,
        seeds=tuple(seeds),
        validation_accuracy=tuple(validation),
        validation_mean=float(np.mean(validation)),
        test_accuracy=tuple(test),
        mean=mean.mean,
        ci95=(max(0.0, mean.ci95[0]), min(1.0, mean.ci95[1])),
        class_accuracy=_known(np.mean(by_class, axis=0)),
        class_accuracies=tuple(_known(row) for row in by_class),
        confusion=tuple(tuple(row.tolist()) for row in sum(matrices)),
        seconds=float(np.mean([t.seconds for t in own])),
    )


def _known(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else value for value in values.tolist())


def compare(
    candidate: Candidate,
    baseline: Candidate,
    trainings: dict[tuple[str, int], ConfirmedTraining],
    test_labels: np.ndarray,
    planned: tuple[int, ...] = (),
) -> Comparison:
    """The paired comparison of two candidates that share their seeds, at one of the `planned` looks."""
    differences = [a - b for a, b in zip(candidate.test_accuracy, baseline.test_accuracy, strict=True)]
    level = levels(planned)[planned.index(len(differences))] if planned else ERROR
    difference = estimate(differences, 1 / len(test_labels), level)

    def right(name: str) -> np.ndarray:
        return np.concatenate([trainings[name, seed].test_predictions == test_labels for seed in candidate.seeds])

    pooled = mcnemar(right(candidate.name), right(baseline.name))
    return Comparison(
        candidate=candidate.name,
        baseline=baseline.name,
        differences=tuple(differences),
        difference=difference.mean,
        ci95=difference.ci95,
        p_value=difference.p_value,
        level=level,
        interim_analyses=planned,
        mcnemar=McNemar(
            only_candidate_right=pooled.only_first, only_baseline_right=pooled.only_second, p_value=pooled.p_value
        ),
    )


def verdict_of(comparison: Comparison | None) -> Verdict:
    """What the interval of the paired difference allows to be said."""
    if comparison is None or comparison.ci95[0] <= 0 <= comparison.ci95[1]:
        return "no significant difference"
    return "better" if comparison.difference > 0 else "worse"


def best_by_validation(candidates: Sequence[Candidate], seeds: int) -> Candidate:
    """The highest mean on the validation split over the first `seeds`; of equals the first, which is the simpler by the
    order of entry.
    """
    return max(candidates, key=lambda c: float(np.mean(c.validation_accuracy[:seeds])))


def strongest_baseline(candidates: Sequence[Candidate]) -> Candidate:
    """The highest mean on the test split: a choice that can only make the verdict harder to win."""
    return max(candidates, key=lambda c: c.mean)
