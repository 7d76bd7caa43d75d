"""What a run begins from, and by which recipe: resolved, said, noted, refused, and exported with its weights."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import nn

import autoaug
from autoaug import api
from autoaug.errors import AutoaugError, OptionError, RunError
from autoaug.modalities.image.models import ResNet9
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import CompareOptions, SearchOptions
from autoaug.pipeline.training_setup import setup_lines
from tests.conftest import write_npz

SHORT: dict[str, Any] = {"epochs": 1, "seeds": 2, "workers": 1}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "backbone.safetensors"
    form = {"size": 16, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    save_file(ResNet9(3, 7, (16, 16)).state_dict(), path, {"input": json.dumps(form)})
    return path


def prepared(data: Path, **options: Any) -> tuple[Any, list[str]]:
    given = SearchOptions(str(data), space="light", trials=2, workers=1, **options)
    config, found, _ = prepare(given)
    return config, setup_lines(given, found)


def test_the_default_is_said_and_is_the_old_recipe(npz: Path) -> None:
    config, lines = prepared(npz)
    assert config.start is None
    assert config.model == "resnet9", "what auto stands for here is repeated, and said in the report"
    assert config.recipe.model_dump(exclude_unset=False)["optimizer"] == "sgd"
    assert (config.recipe.epochs, config.recipe.batch_size, config.recipe.learning_rate) == (60, 32, 0.1)
    assert lines[0].startswith("model: resnet9 (images of 12 x 12 have at most 64 pixels")
    assert "recipe: scratch, 60 epochs of sgd" in lines[1]
    assert "(without weights; sgd, because the network does not normalize by layer)" in lines[1]


def test_weights_make_it_a_fine_tuning_that_options_override(npz: Path, weights: Path) -> None:
    config, lines = prepared(npz, model="resnet9", weights=weights, lr=0.02, freeze="layers.0,layers.2")
    assert config.start.weights == str(weights)
    assert (config.recipe.base, config.recipe.optimizer, config.recipe.learning_rate) == ("finetune", "adamw", 0.02)
    assert config.recipe.freeze == ("layers.0", "layers.2")
    assert "resized to 16 x 16" in lines[1]
    assert "its head is replaced by one of 3 outputs" in lines[1]
    assert "because there are weights to begin from" in lines[2]


def test_transformers_train_with_adamw(npz: Path) -> None:
    config, lines = prepared(npz, model="timm:test_vit")
    assert (config.recipe.base, config.recipe.optimizer, config.recipe.learning_rate) == ("scratch", "adamw", 1e-3)
    assert "as transformers do" in lines[-1]
    config, _ = prepared(npz, model="timm:test_vit", optimizer="sgd")
    assert (config.recipe.optimizer, config.recipe.learning_rate) == ("sgd", 0.1)


def too_wide(channels: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(12345, classes))


def wrong_outputs(channels: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(144 * channels, classes + 1))


def frozen(channels: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(144 * channels, classes)).requires_grad_(False)


class Rounding(nn.Linear):
    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return super().forward(samples.flatten(1)).round().int()


def whole_numbers(channels: int, classes: int) -> nn.Module:
    return Rounding(144 * channels, classes)


def classes_alone(classes: int) -> nn.Module:
    return nn.Linear(3, classes)


HERE = "tests.pipeline.test_training_setup"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recipe": "finetune"}, "continues from weights: add --weights"),
        ({"recipe": "probe"}, "continues from weights: add --weights"),
        ({"recipe": "fintune"}, "did you mean 'finetune'"),
        ({"lr": -1.0}, "--lr -1.0 must be above 0"),
        ({"lr": float("nan")}, "--lr nan must be above 0"),
        ({"freeze": "layrs"}, "did you mean 'layers'"),
        ({"model": f"{HERE}:too_wide"}, r"fails on samples of shape \[1, 12, 12\]"),
        ({"model": f"{HERE}:wrong_outputs"}, r"must give outputs of shape \[2, 3\] for 2 samples, not \[2, 4\]"),
        ({"model": f"{HERE}:frozen"}, "has no parameters to train: all are frozen"),
        ({"model": f"{HERE}:whole_numbers"}, "must give floating-point outputs, not torch.int32"),
        ({"model": f"{HERE}:classes_alone"}, "must take the numbers of channels and of classes"),
        ({"weights": "none.safetensors"}, "there is no such file"),
        ({"weights": "pretrained"}, "has no published weights"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_begins(
    options: dict[str, Any], words: str, npz: Path, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=words) as fault:
        autoaug.search(npz, space="light", trials=2, out=str(tmp_path / "run"), **SHORT, **options)
    assert "\n" not in str(fault.value)
    assert not (tmp_path / "run").exists()


def without_sizes(channels: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.Linear(8, classes))


@pytest.mark.usefixtures("no_report")
def test_a_network_with_lazy_layers_is_trained_from_the_same_weights_each_time(npz: Path, tmp_path: Path) -> None:
    """Its function is not told the size of the samples."""
    first, second = (
        autoaug.search(npz, space="light", trials=2, model=f"{HERE}:without_sizes", out=str(tmp_path / name), **SHORT)
        for name in "ab"
    )
    assert [c.test_scores for c in first.candidates] == [c.test_scores for c in second.candidates]


@pytest.mark.usefixtures("no_report")
@pytest.mark.parametrize("recipe", ["finetune", "probe"])
def test_a_run_notes_its_weights_and_its_model_is_built_without_them(
    recipe: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_npz(tmp_path / "bars.npz")
    run, exported = tmp_path / "run", tmp_path / "exported"
    setup: dict[str, Any] = {"model": "resnet9", "weights": weights, "recipe": recipe, "size": 8}
    api.compare(data, ["none", "flip-crop"], **setup, out=str(run), **SHORT)
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert len(config["start"]["digest"]) == 12
    assert config["recipe"]["base"] == recipe
    api.export_model(run, exported)
    told: list[tuple[int, int]] = []
    robustness = api.robustness(data, exported, epsilon=0.01, steps=1, samples=20, watch=lambda *far: told.append(far))
    assert told[-1] == (20 * (1 + len(robustness.corrupted)),) * 2
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    weights.unlink()
    for model in (exported, run):  # both know the size of the images
        assert api.robustness(data, model, epsilon=0.01, steps=1, samples=20) == robustness
    monkeypatch.chdir(exported)
    script = runpy.run_path("inference.py")
    model = script["load_model"]()
    assert script["SHAPE"] == [1, 8, 8]
    assert torch.equal(model.state_dict()["mean"].flatten(), torch.tensor([0.5] * 3))
    assert model(torch.rand(2, 1, 12, 12)).shape == (2, 3)


@pytest.mark.usefixtures("no_report")
def test_resume_refuses_other_weights_and_another_recipe(weights: Path, tmp_path: Path) -> None:
    data = write_npz(tmp_path / "bars.npz")
    run = tmp_path / "run"
    api.compare(data, ["none", "flip-crop"], model="resnet9", weights=weights, out=str(run), **SHORT)
    (run / "result.json").unlink()
    config, before = run / "config.yaml", (run / "config.yaml").read_text()
    config.write_text(before.replace("learning_rate: 0.003", "learning_rate: 0.002"))
    with pytest.raises(RunError, match=r"learning rate 0.003, not 0.002"):
        autoaug.resume(run)
    config.write_text(before)
    tensors = load_file(weights)
    save_file({name: tensor + 1 for name, tensor in tensors.items()}, weights)
    with pytest.raises(AutoaugError, match=r"the weights .* have changed since .*digest"):
        autoaug.resume(run)
    weights.unlink()
    with pytest.raises(AutoaugError, match="there is no such file"):
        autoaug.resume(run)


def test_a_recipe_file_is_noted_in_the_run(npz: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "own.yaml"
    recipe.write_text("base: scratch\noptimizer: adamw\nlabel_smoothing: 0\nepochs: 9\nprecision: float32\n")
    config, _, _ = prepare(CompareOptions(str(npz), ("none", "flip-crop"), workers=1, recipe=recipe, epochs=5))
    noted = config.recipe
    assert (noted.base, noted.optimizer, noted.label_smoothing, noted.epochs, noted.precision) == (
        *("scratch", "adamw", 0.0, 5),
        "float32",
    )


def test_a_recipe_file_may_balance_and_options_override_it(npz: Path, tmp_path: Path) -> None:
    file = tmp_path / "balanced.yaml"
    file.write_text("class_weights: balanced\nsampling: balanced\nequal: epochs\nbatch_counts: inputs\n")
    config, _, _ = prepare(SearchOptions(data=npz, recipe=file, sampling="shuffled", workers=1))
    recipe = config.recipe
    assert (recipe.class_weights, recipe.sampling, recipe.equal, recipe.batch_counts) == (
        "balanced",
        "shuffled",
        "epochs",
        "inputs",
    )
    file.write_text("sampling: evenly\n")
    with pytest.raises(OptionError, match="sampling"):
        prepare(SearchOptions(data=npz, recipe=file, workers=1))


def test_only_data_that_are_read_are_said_to_be(npz: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = SearchOptions(str(npz), space="light", trials=2, workers=1)
    with caplog.at_level("INFO", logger="autoaug"):
        _, found, audit = prepare(given)
        prepare(given, (audit, found))
    assert caplog.text.count("reading ") == 1
