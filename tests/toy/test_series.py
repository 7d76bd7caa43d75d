"""A third-party modality, found through its entry point, works everywhere: engine, search, report, copies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

import autoaug
from autoaug import api
from autoaug.errors import AutoaugError
from autoaug.modalities.operators import get_operator
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.search.sampling import Given, sample_policy
from autoaug.search.space import MixingSpace, load_space
from tests.samples import waves

ALL = "format: 2\nlayers:\n" + "".join(
    f"  - sub_policies: [{{operations: [{{operator: {first}}}, {{operator: {second}}}]}}, {{operations: []}}]\n"
    for first, second in (("SeriesShift", "SeriesGain"), ("SeriesShift", "SeriesShift"), ("SeriesNoise", "SeriesShift"))
)


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Waves of three frequencies; those of the test split stand anywhere in time."""

    def made(n: int, seed: int, moved: float) -> tuple[np.ndarray, np.ndarray]:
        draw, labels = np.random.default_rng(seed), np.arange(n) % 3
        time = np.linspace(0, 2 * np.pi, 48)
        rows = [
            np.sin((1 + label) * (time + draw.uniform(-moved, moved))) + draw.normal(0, 0.3, 48) for label in labels
        ]
        return np.stack(rows)[:, None].astype(np.float32), labels

    (x_train, y_train), (x_test, y_test) = made(96, 1, 0.1), made(60, 2, 1.0)
    path = tmp_path / "waves.series.npz"
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


def test_operators_fuse_as_they_run_one_by_one() -> None:
    policy = parse_policy(ALL)
    assert get_operator("SeriesShift").modality == "series"
    plan = autoaug.draw_plan(policy, 64, torch.Generator().manual_seed(0))
    assert plan.modality == "series"
    samples = waves(64, length=200)
    fused = autoaug.apply_plan(plan, samples)
    # Two shifts interpolate once where they are one map, and repeat the ends at other places: compare what is inside.
    alone = autoaug.apply_plan(plan, samples, fuse=False)
    assert float((fused - alone).abs().median()) < 0.02
    assert not torch.equal(fused, samples)


def test_shifts_compose_to_one_and_ends_are_repeated() -> None:
    plan = autoaug.Plan(
        ("SeriesShift",),
        torch.zeros(2, 1, dtype=torch.long),
        torch.tensor([[0.2], [0.3]]),  # of half the length each: 10 and 15 of 100 steps
        torch.zeros(2, 1, 4),
        modality="series",
    )
    ramp = torch.arange(101.0)[None, None] / 20
    moved = autoaug.apply_plan(plan, ramp)
    torch.testing.assert_close(moved[0, 0, :76], ramp[0, 0, 25:], atol=1e-4, rtol=0)
    assert (moved[0, 0, 76:] == ramp.max()).all()


def test_a_transform_mixes_series() -> None:
    policy = parse_policy(ALL + "mixing: {kind: mixup, probability: 1.0}\n")
    transform = policy.transform(seed=0, num_classes=3)
    samples, labels = transform(waves(12), torch.arange(12) % 3)
    assert samples.shape == (12, 2, 40)
    torch.testing.assert_close(labels.sum(1), torch.ones(12))


def test_a_whole_search_ends_in_a_report(series: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = autoaug.search(
        series, space="series", trials=4, epochs=3, seeds=2, workers=1, finalists=1, executor="inline", out=str(run)
    )
    assert result.data.modality == "series"
    assert result.data.shape == (1, 48)
    assert {candidate.name for candidate in result.candidates} >= {"none", "series-shift"}
    page = (run / "report.html").read_text()
    assert page.count("<polyline") > 20
    assert not list(run.glob("policy_*.py")), "no target has a runtime for series"
    assert autoaug.SearchResult.load(run) == result


def test_what_the_modality_lacks_is_refused_in_one_line(series: Path, tmp_path: Path) -> None:
    with pytest.raises(AutoaugError, match="series"):
        autoaug.export_policy(parse_policy(ALL), "torchvision")
    with pytest.raises(AutoaugError, match="model"):
        autoaug.search(series, space="series", model="resnet9", trials=1, out=str(tmp_path / "a"))
    with pytest.raises(AutoaugError, match="image"):
        autoaug.search(series, space="standard", trials=1, out=str(tmp_path / "b"))
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            "adversarial: {kind: fgsm}",
            "there is no attack 'fgsm' for samples of the modality 'series'; it has: magnitudes",
        ),
        ("mixing: {kind: cutmix}", "there is no mixing 'cutmix' for samples of the modality 'series'; it has: mixup, "),
        ("synthetic: {kind: gan}", "there is no generator 'gan' for samples of the modality 'series'; it has: none"),
    ],
)
def test_kinds_that_the_modality_lacks_are_refused_before_any_trial(
    asked: str, words: str, series: Path, tmp_path: Path
) -> None:
    with pytest.raises(AutoaugError) as refused:
        parse_policy(ALL + asked).transform()
    assert words in str(refused.value)
    own = tmp_path / "own.yaml"
    own.write_text("name: own\n" + asked)  # without operators: another modality has the kind
    run = tmp_path / "run"
    with pytest.raises(AutoaugError) as refused:
        api.compare(series, ["none", str(own)], seeds=2, workers=1, out=str(run))
    assert "does not fit the data" in str(refused.value)
    assert words in str(refused.value)
    space = load_space("series").model_dump(mode="json")
    (what, how), *_ = yaml.safe_load(asked).items()
    own.write_text(yaml.safe_dump(space | {what: {"kinds": ["none", how["kind"]]}}))
    with pytest.raises(AutoaugError) as refused:
        autoaug.search(series, space=str(own), trials=1, out=str(run))
    assert words in str(refused.value)
    assert not run.exists()


def test_kinds_that_no_modality_has_are_refused() -> None:
    with pytest.raises(AutoaugError, match="there is no mixing 'mixpu' for samples of the modality 'image'"):
        load_policy(parse_policy("mixing: {kind: mixpu}"))


def test_a_modality_brings_mixing_of_its_own() -> None:
    """A splice ends in the partner: with weight 0.25, a quarter of the series and of the label are its own."""
    transform = parse_policy(ALL + "mixing: {kind: splice}").transform(seed=1, num_classes=2)
    plan = transform.draw(8)
    assert plan.mix is not None
    assert set(plan.mix.mode.tolist()) == {2}
    still = replace(plan, choice=torch.full_like(plan.choice, -1))
    samples = torch.arange(8.0)[:, None, None].expand(8, 2, 40).contiguous() / 10
    mixed = autoaug.apply_plan(still, samples)
    own = (plan.mix.weight * 40).round().long()
    for i, partner in enumerate(plan.mix.partner.tolist()):
        assert (mixed[i, :, : own[i]] == i / 10).all()
        assert (mixed[i, :, own[i] :] == samples[partner, 0, 0]).all()
    space = load_space("series").model_copy(update={"mixing": MixingSpace(kinds=("splice",))})
    mixing = sample_policy(
        space, Given({"mixing.probability": 1.0, "mixing.alpha": 1.0, "base.SeriesShift": False, "layers": 0})
    ).mixing
    assert mixing is not None
    assert mixing.kind == "splice"


def test_policies_without_operators_are_of_the_run_that_they_come_from(series: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    api.compare(series, ["none", "series-shift"], seeds=2, epochs=1, workers=1, out=str(run))
    with pytest.raises(AutoaugError, match="series"):
        api.export(str(run), "numpy")
    assert api.export("none", "numpy"), "by itself it may be of images"


def test_copies_are_written_as_the_data_came(series: Path, tmp_path: Path) -> None:
    made = api.expand(series, "series-shift", out=str(tmp_path / "more"), copies=2)
    assert made.copies == 2 * 96
    with np.load(tmp_path / "more/data.npz") as file:
        assert file["x_train"].shape == (3 * 96, 1, 48)
        assert file["x_train"].dtype == np.float32
