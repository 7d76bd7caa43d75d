"""A confirmation over folds: what is trained and tested on what, as files and as the report has it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import autoaug
from autoaug import api
from autoaug.data.inputs import MemoryInputs
from autoaug.data.loading import check_data
from autoaug.data.splits import DataSet, Samples
from autoaug.errors import DataError, OptionError
from autoaug.evaluation.confirmation import confirmation_seeds
from autoaug.modalities.base import AS_SUITS
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import CompareOptions
from autoaug.pipeline.parsing import seed_counts
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy, Synthetic
from autoaug.results import SearchResult
from autoaug.runs.folder import RunFolder
from autoaug.training.setting import TrainingSetting
from autoaug.training.tasks import Classification
from autoaug.training.trial import Train
from tests.conftest import bars

LIMIT, SIZE, FOLDS = 2**30, 120, 3
SMALL = {"epochs": 1, "seeds": 2, "workers": 1, "folds": FOLDS}
SEARCH = {**SMALL, "space": "light", "strategy": "random", "trials": 3, "finalists": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("folds") / "bars.npz"
    images, labels = bars(SIZE)
    np.savez(path, x_train=images, y_train=labels)
    return path


@pytest.fixture(scope="module")
def result(data: Path) -> SearchResult:
    return autoaug.search(data, **SEARCH, out=data.parent / "run")


@pytest.fixture(scope="module")
def opened(data: Path) -> DataSet:
    return check_data(str(data), LIMIT, AS_SUITS, (), 0, FOLDS)[1]


def test_every_seed_is_trained_without_its_fold_and_tested_on_it(result: SearchResult, opened: DataSet) -> None:
    """Against trainings on exactly these samples, put together by hand."""
    _, config = RunFolder.open(result.run_dir)
    assert opened.folds is not None
    assert opened.validation_folds is not None
    seeds = confirmation_seeds(0, FOLDS)
    validated = opened.validation_folds.of(seeds)
    seen = opened.train + opened.validation
    for seed, rows in opened.folds.of(seeds).items():
        others = np.setdiff1d(np.arange(len(opened.test)), rows)
        kept = np.setdiff1d(np.arange(len(seen)), validated[seed])
        inputs = [seen.inputs.take(kept), opened.test.inputs.take(others)]
        labels = np.concatenate([seen.labels[kept], opened.test.labels[others]])
        alone = TrainingSetting(
            task=Classification(3),
            train=Samples(MemoryInputs(np.concatenate(inputs)), labels),
            validation=Samples(MemoryInputs(seen.inputs.take(validated[seed])), seen.labels[validated[seed]]),
            test=Samples(MemoryInputs(opened.test.inputs.take(rows)), opened.test.labels[rows]),
            model="auto",
            recipe=config.recipe,
            device="cpu",
            modality="image",
        )
        *_, expected = Train(load_policy("flip-crop")).run(alone, seed)
        kept = result.run_dir / "confirmation" / f"{load_policy('flip-crop').fingerprint()}-{seed}.npz"
        with np.load(kept) as file:
            np.testing.assert_array_equal(file["test_rows"], rows)
            np.testing.assert_array_equal(file["test_predictions"], expected.test_predictions)
            np.testing.assert_array_equal(file["validation_predictions"], expected.validation_predictions)


def test_scores_classes_and_confusion_are_those_of_the_folds(result: SearchResult, opened: DataSet) -> None:
    assert result.data.folds == FOLDS
    assert (result.data.train, result.data.validation, result.data.test) == (45, 15, 60)
    for candidate in result.candidates:
        assert len(candidate.seeds) == FOLDS, "two seeds become three: every fold is tested as often"
        confusion = np.array(candidate.confusion)
        assert confusion.sum(1).tolist() == [20, 20, 20], "every sample that the search has not seen is tested once"
        scores = []
        for seed in candidate.seeds:
            with np.load(result.run_dir / "confirmation" / f"{candidate.fingerprint}-{seed}.npz") as file:
                scores.append(np.mean(file["test_predictions"] == opened.test.labels[file["test_rows"]]))
        assert candidate.test_scores == pytest.approx(scores)
        assert candidate.mean == pytest.approx(np.mean(scores))


def test_the_interval_is_that_of_nadeau_and_bengio(result: SearchResult) -> None:
    """A fold against the two others of a turn: the variance of the mean of three seeds is 1 / 3 + 1 / 2 of theirs."""
    comparison = result.comparison
    assert comparison is not None
    ours, theirs = (result.candidate(name).test_scores for name in (comparison.candidate, comparison.baseline))
    differences = np.subtract(ours, theirs)
    deviation = max(differences.std(ddof=1), 1 / 20 / np.sqrt(12))
    reach = stats.t.ppf(0.975, FOLDS - 1) * deviation * np.sqrt(1 / 3 + 1 / 2)
    assert comparison.folds == FOLDS
    assert comparison.ci95 == pytest.approx((differences.mean() - reach, differences.mean() + reach), rel=1e-4)


@pytest.mark.usefixtures("no_report")
def test_the_search_never_reads_what_is_tested(
    result: SearchResult, opened: DataSet, data: Path, tmp_path: Path
) -> None:
    """Its trials come out the same where the samples that are tested are noise, of the same classes."""
    images, labels = bars(SIZE)
    tested = {sample.tobytes() for sample in opened.test.inputs.take(np.arange(len(opened.test)))}
    rows = np.array([image.tobytes() in tested for image in images])
    images[rows] = np.random.default_rng(0).integers(0, 256, images[rows].shape)
    np.savez(tmp_path / "noise.npz", x_train=images, y_train=labels)
    outcome = autoaug.search(tmp_path / "noise.npz", **SEARCH, out=tmp_path / "run")
    assert rows.sum() == len(opened.test)
    assert [(t.params, t.curve, t.score) for t in outcome.history] == [
        (t.params, t.curve, t.score) for t in result.history
    ]
    assert outcome.candidates[0].test_scores != result.candidates[0].test_scores


@pytest.mark.usefixtures("no_report")
def test_an_interrupted_confirmation_goes_on_with_the_folds_it_had(
    result: SearchResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    real = Train.run

    def noting(self: Train, setting: TrainingSetting, seed: int) -> object:
        trained.append(seed)
        return real(self, setting, seed)

    monkeypatch.setattr(Train, "run", noting)
    lost = confirmation_seeds(0, FOLDS)[1]
    (result.run_dir / "confirmation" / f"{load_policy('flip-crop').fingerprint()}-{lost}.npz").unlink()
    (result.run_dir / "result.json").unlink()
    again = autoaug.resume(result.run_dir)
    assert trained == [lost]
    assert [c.test_scores for c in again.candidates] == [c.test_scores for c in result.candidates]


def test_robustness_is_measured_on_the_fold_that_the_kept_model_was_not_trained_on(
    result: SearchResult, data: Path, tmp_path: Path
) -> None:
    exported = tmp_path / "model"
    api.export_model(result.run_dir, exported)
    first = result.returned_candidate.test_scores[0]
    for model in (result.run_dir, exported):
        measured = api.robustness(data, model, steps=1)
        assert measured.inputs == 20
        assert measured.clean == pytest.approx(first)


def test_the_report_and_the_model_card_speak_of_folds(result: SearchResult, tmp_path: Path) -> None:
    page = (result.run_dir / "report.html").read_text()
    assert "each seed on another fold of the training and validation samples" in page
    assert "60 test samples were only used to judge them, in 3 folds: each seed" in page
    assert "This holds over 3 folds of the data." in page
    api.export_model(result.run_dir, tmp_path / "model")
    assert "60 test samples in 3 folds; these weights" in (tmp_path / "model/README.md").read_text()


@pytest.mark.usefixtures("no_report")
def test_a_policy_that_saw_more_than_folds_let_it_see_is_not_confirmed_over_folds(data: Path, tmp_path: Path) -> None:
    plain = autoaug.compare(data, ["none", "flip-crop"], epochs=1, seeds=2, workers=1, out=tmp_path / "plain")
    with pytest.raises(DataError, match=r"was chosen on samples of the test split.*--allow overlap"):
        autoaug.compare(data, [plain.run_dir, "trivialaugment"], **SMALL, out=tmp_path / "folds")


def test_check_offers_folds_where_few_samples_would_be_tested(data: Path, tmp_path: Path) -> None:
    assert any("pass --folds 5 to test on 60 test samples, each" in line for line in api.check(data).lines)
    with np.load(data) as file:
        np.savez(tmp_path / "given.npz", x_test=bars(60, seed=1)[0], y_test=bars(60)[1], **file)
    assert not any("--folds" in line for line in api.check(tmp_path / "given.npz").lines)
    with pytest.raises(OptionError, match=r"--folds 1 must be at least 2"):
        autoaug.compare(data, ["none", "flip-crop"], folds=1, out=tmp_path / "run")


def grouped(path: Path, groups: int, **more: np.ndarray) -> Path:
    images, labels = bars(SIZE)
    np.savez(path, x_train=images, y_train=labels, g_train=np.arange(SIZE) // 3 % groups, **more)
    return path


def test_check_warns_of_few_tested_groups_and_offers_folds(tmp_path: Path) -> None:
    few = api.check(grouped(tmp_path / "few.npz", 20))
    assert [finding.code for finding in few.findings][-1] == "few-groups"
    assert any(line.startswith("warning: the test samples are in 5 groups") for line in few.lines)
    assert any("test samples of 5 groups, chance moves" in line for line in few.lines)
    assert any("--folds 5 to test on 60 test samples of 10 groups" in line for line in few.lines)
    assert not any("no problems found" in line for line in few.lines)
    assert any("--folds 4 to test on" in line for line in api.check(grouped(tmp_path / "fewer.npz", 8)).lines)
    many = api.check(grouped(tmp_path / "many.npz", 40))
    assert any("30 test samples of 10 groups, in memory" in line for line in many.lines)
    assert "few-groups" not in {finding.code for finding in many.findings}


def test_check_counts_samples_of_which_there_are_copies_rather_than_groups(tmp_path: Path) -> None:
    images, labels = bars(SIZE)
    np.savez(tmp_path / "copies.npz", x=np.repeat(images[:60], 2, axis=0), y=np.repeat(labels[:60], 2))
    lines = api.check(tmp_path / "copies.npz").lines
    assert any("test samples (15 different ones), in memory" in line for line in lines), lines
    assert not any("groups" in line for line in lines)


def test_check_and_a_run_refuse_a_single_tested_group(tmp_path: Path) -> None:
    data = grouped(tmp_path / "one.npz", 4)
    checked = api.check(data)
    assert "the test split has only group" in checked.refusal
    assert not any("no problems found" in line for line in checked.lines)
    with pytest.raises(DataError, match=r"has only group '\d'.*pass --folds 2 or more"):
        autoaug.compare(data, ["none", "flip-crop"], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("first", "most", "folds", "counts"),
    [
        (5, None, None, (5, 16)),
        (2, None, None, (2, 2)),
        (5, None, 3, (6, 15)),
        (2, None, 3, (3, 3)),
        (5, 5, 3, (3, 3)),
        (5, 11, 3, (6, 9)),
        (3, 3, 3, (3, 3)),
    ],
)
def test_seeds_come_in_whole_rounds_and_never_above_the_bound(
    first: int, most: int | None, folds: int | None, counts: tuple[int, int]
) -> None:
    assert seed_counts(first, most, folds) == counts


def test_a_bound_below_one_round_is_refused() -> None:
    with pytest.raises(OptionError, match=r"--max-seeds 2 must be at least 3, because --folds 3 .*; pass more"):
        seed_counts(2, 2, 3)


@pytest.mark.slow
def test_workers_of_ray_get_the_same_folds(result: SearchResult, data: Path, tmp_path: Path) -> None:
    options = {**SMALL, "workers": 2, "executor": "ray-tune"}
    outcome = autoaug.compare(data, ["none", "flip-crop"], **options, out=tmp_path / "run")
    for candidate in outcome.candidates:
        assert candidate.test_scores == result.candidate(candidate.name).test_scores


def test_seeds_are_validated_in_turn_on_all_that_the_search_saw(
    tmp_path: Path,
) -> None:
    images, labels = bars(160)
    np.savez(tmp_path / "bars.npz", x_train=images, y_train=labels)
    options = {"epochs": 1, "seeds": 4, "workers": 1}
    result = autoaug.compare(tmp_path / "bars.npz", ["none", "flip-crop"], **options, out=tmp_path / "run")
    data = check_data(str(tmp_path / "bars.npz"), LIMIT, AS_SUITS, (), 0)[1]
    seen = np.concatenate([data.train.labels, data.validation.labels])
    assert data.validation_folds is not None
    for candidate in result.candidates:
        expected = []
        for seed, rows in data.validation_folds.of(candidate.seeds).items():
            with np.load(result.run_dir / "confirmation" / f"{candidate.fingerprint}-{seed}.npz") as file:
                expected.append(np.mean(file["validation_predictions"] == seen[rows]))
        assert candidate.validation_scores == pytest.approx(expected)
    synthetic = Policy(synthetic=Synthetic(kind="pca", share=0.5))
    config, *_ = prepare(CompareOptions(tmp_path / "bars.npz", ["none", synthetic], **options))
    assert not config.cross_validated


@pytest.mark.usefixtures("no_report")
def test_a_run_of_an_older_version_keeps_its_one_validation_split(data: Path, tmp_path: Path) -> None:
    small = {"epochs": 1, "seeds": 2, "workers": 1}
    result = autoaug.compare(data, ["none", "flip-crop"], **small, out=tmp_path / "run")
    config = (tmp_path / "run/config.yaml").read_text()
    assert "cross_validated: true" in config
    (tmp_path / "run/config.yaml").write_text(config.replace("cross_validated: true\n", ""))
    (tmp_path / "run/result.json").unlink()
    shutil.rmtree(tmp_path / "run/confirmation")
    again = autoaug.resume(tmp_path / "run")
    split = check_data(str(data), LIMIT, AS_SUITS, (), 0)[1].validation
    name = f"{result.candidates[0].fingerprint}-{result.candidates[0].seeds[1]}.npz"
    with np.load(tmp_path / "run/confirmation" / name) as file:
        assert again.candidates[0].validation_scores[1] == np.mean(file["validation_predictions"] == split.labels)
