"""Weights from files: what is loaded, what is refused, and how a backbone takes its images."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import interpolate

from autoaug.errors import OptionError, UnknownName
from autoaug.modalities.image import models
from autoaug.modalities.image.backbones import Intake, published_intake
from autoaug.utils.weights import read_weights

SHAPE = (3, 12, 12)
BLANK = torch.zeros(3), torch.ones(3)


class Code:
    """Would run code if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("was run",))


def trained(outputs: int = 5, size: int = 12) -> nn.Module:
    torch.manual_seed(1)
    network = models.ResNet9(3, outputs, (size, size))
    for name, tensor in network.state_dict().items():
        if "running_mean" in name:
            tensor.uniform_(-1, 1)
    return network


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_file(trained().state_dict(), tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def begun(path: Path, outputs: int = 3, shape: tuple[int, int, int] = SHAPE, name: str = "resnet9") -> nn.Module:
    start, _ = models.start(name, str(path), shape, outputs)
    mean, std = torch.zeros(shape[0]), torch.ones(shape[0])
    return models.build(name, shape, outputs, mean, std, 0, start)


def test_the_size_that_the_user_chose_goes_before_that_of_the_weights(tmp_path: Path) -> None:
    """The network computes what it does without a resize."""
    network = torchvision.models.resnet18(num_classes=3).eval()
    torch.save(network.state_dict(), tmp_path / "w.pth")
    shape, found = (3, 40, 32), {}
    for keep_size, words in ((False, "resized to 224 x 224"), (True, "at their size")):
        start, said = models.start("resnet18", str(tmp_path / "w.pth"), shape, 3, keep_size=keep_size)
        assert words in said
        model = models.build("resnet18", shape, 3, *BLANK, 0, start).eval()
        image = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
        found[keep_size] = model(image), network((image - model.mean) / model.std)
    assert torch.allclose(*found[True], atol=1e-5)
    assert not torch.allclose(*found[False], atol=1e-2)


def test_a_head_of_another_size_is_replaced_and_said(saved: Path) -> None:
    _, words = models.start("resnet9", str(saved), SHAPE, 3)
    assert "its head is replaced by one of 3 outputs" in words
    assert models.start("resnet9", str(saved), SHAPE, 1)[1].endswith("its head is replaced by one of 1 output")
    model, source = begun(saved).state_dict(), trained().state_dict()
    for name, tensor in source.items():
        if "layers.12" not in name:
            assert torch.equal(model[f"network.{name}"], tensor), name
    assert model["network.layers.12.weight"].shape == (3, 64)
    _, words = models.start("resnet9", str(saved), SHAPE, 5)
    assert "its head of 5 outputs is kept" in words
    assert torch.equal(begun(saved, 5).state_dict()["network.layers.12.weight"], source["layers.12.weight"])


@pytest.mark.parametrize("kind", ["state dict", "checkpoint", "wrapped"])
def test_state_dicts_of_pytorch_are_read_in_their_usual_forms(kind: str, tmp_path: Path) -> None:
    state = trained().state_dict()
    wrapped = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save(
        {"state dict": state, "checkpoint": {"state_dict": state, "epoch": 3}, "wrapped": wrapped}[kind],
        tmp_path / "w.pth",
    )
    tensors, _ = read_weights(tmp_path / "w.pth")
    assert tensors.keys() == state.keys()


@pytest.mark.filterwarnings("error")
def test_unfit_files_are_refused_in_one_line(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cut.safetensors").write_bytes(saved.read_bytes()[:5000])
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    (tmp_path / "empty.pt").write_bytes(b"")
    torch.save(trained().state_dict(), tmp_path / "whole.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:5000])
    torch.save(trained(), tmp_path / "model.pt")
    torch.save({"a": Code()}, tmp_path / "code.pt")
    (tmp_path / "pickle.pth").write_bytes(pickle.dumps({"a": Code()}, protocol=4))  # torch warns of this protocol
    torch.save({"epoch": 3}, tmp_path / "other.pt")
    diverged = {name: tensor * float("nan") for name, tensor in trained().state_dict().items()}
    torch.save(diverged, tmp_path / "diverged.pt")
    for name, words in {
        "cut.safetensors": "damaged or truncated",
        "junk.safetensors": "damaged or truncated",
        "empty.pt": "damaged or truncated",
        "cut.pth": "damaged or truncated",
        "model.pt": "contains pickled code, which is not run",
        "code.pt": "contains pickled code, which is not run",
        "pickle.pth": "contains pickled code, which is not run",
        "other.pt": "not a state dict",
        "diverged.pt": "not finite",
        "none.pt": "no such file",
    }.items():
        with pytest.raises(OptionError, match=words) as fault:
            models.check("resnet9", str(tmp_path / name))
        assert "\n" not in str(fault.value), name
    assert "was run" not in capsys.readouterr().out


def test_weights_of_another_architecture_name_the_keys_that_differ(saved: Path) -> None:
    with pytest.raises(OptionError) as fault:
        models.start("torchvision:squeezenet1_1", str(saved), (3, 64, 64), 3)
    words = str(fault.value)
    assert "another architecture than torchvision:squeezenet1_1" in words
    assert "features.0.weight" in words
    assert "layers.0.0.weight" in words
    wide = models.ResNet9(3, 5, (12, 12), width=16)
    save_file(wide.state_dict(), saved)
    with pytest.raises(
        OptionError, match=r"of another shape, such as layers.0.0.weight \[16, 3, 3, 3\], not \[8, 3, 3, 3\]"
    ):
        models.start("resnet9", str(saved), SHAPE, 3)


def test_two_heads_of_another_size_are_replaced(tmp_path: Path) -> None:
    name, shape = "timm:deit_tiny_distilled_patch16_224", (3, 32, 32)
    source = models.build_network(name, (3, 224, 224), 7)[0].state_dict()
    save_file(source, tmp_path / "w.safetensors")
    _, words = models.start(name, str(tmp_path / "w.safetensors"), shape, 3)
    assert "its head is replaced by one of 3 outputs" in words
    model = begun(tmp_path / "w.safetensors", 3, shape, name).state_dict()
    replaced = {key for key, tensor in source.items() if not torch.equal(model[f"network.{key}"], tensor)}
    assert replaced == {"head.weight", "head.bias", "head_dist.weight", "head_dist.bias"}


def test_of_weights_with_more_than_the_network_that_is_named_and_what_to_do(saved: Path) -> None:
    save_file({**trained().state_dict(), "second.weight": torch.ones(2, 64), "second.bias": torch.ones(2)}, saved)
    with pytest.raises(OptionError) as fault:
        models.start("resnet9", str(saved), SHAPE, 3)
    words = str(fault.value)
    assert "have 2 that it lacks, such as second.bias, second.weight" in words
    assert "leave these out of the file" in words
    assert "architecture" not in words


def test_a_backbone_takes_images_at_its_own_size_mean_and_deviation(tmp_path: Path) -> None:
    """As the file says; the oracle is the network itself on prepared images, also in gray."""
    form = {"size": 16, "interpolation": "bicubic", "mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7]}
    save_file(trained().state_dict(), tmp_path / "w.safetensors", {"input": json.dumps(form)})
    images = torch.rand(4, 3, 12, 12)
    network = trained(size=16).eval()
    mean, std = (torch.tensor(form[name])[:, None, None] for name in ("mean", "std"))
    for given in (images, images[:, :1]):
        large = interpolate(given, (16, 16), mode="bicubic", antialias=True).clamp(0, 1).expand(-1, 3, -1, -1)
        model = begun(tmp_path / "w.safetensors", 5, tuple(given.shape[1:])).eval()
        torch.testing.assert_close(model(given), network((large - mean) / std))


def test_metadata_that_are_wrong_are_refused(tmp_path: Path) -> None:
    for wrong in ('{"size": "big"}', '{"sizes": 3}', "[1", '{"mean": ["a"]}', '{"interpolation": "magic"}', "3"):
        save_file(trained().state_dict(), tmp_path / "w.safetensors", {"input": wrong})
        with pytest.raises(OptionError, match="correct its metadata"):
            models.check("resnet9", str(tmp_path / "w.safetensors"))


def test_a_model_of_a_run_is_a_backbone_with_its_own_standardization(tmp_path: Path) -> None:
    before = models.build("resnet9", SHAPE, 5, torch.full((3,), 0.3), torch.full((3,), 0.2), 7)
    save_file(before.state_dict(), tmp_path / "model.safetensors")
    images = torch.rand(2, 3, 12, 12)
    after = begun(tmp_path / "model.safetensors", 5).eval()
    torch.testing.assert_close(after(images), before.eval()(images))


def test_an_exported_model_is_built_without_the_file_that_it_began_from(tmp_path: Path) -> None:
    form = {"size": 16, "mean": [0.1] * 3, "std": [0.5] * 3}
    path = tmp_path / "w.safetensors"
    save_file(trained().state_dict(), path, {"input": json.dumps(form)})
    start, _ = models.start("resnet9", str(path), (1, 12, 12), 3)
    gray = torch.zeros(1), torch.ones(1)
    model = models.build("resnet9", (1, 12, 12), 3, *gray, 0, start).eval()
    path.unlink()
    again = models.build("resnet9", (1, 12, 12), 3, *gray, 1, start.without_weights()).eval()
    again.load_state_dict(model.state_dict())
    images = torch.rand(2, 1, 12, 12)
    assert torch.equal(again(images), model(images))


def test_weights_that_changed_since_are_refused(saved: Path) -> None:
    start, _ = models.start("resnet9", str(saved), SHAPE, 3)
    state = trained().state_dict()
    save_file({name: tensor + 1 for name, tensor in state.items()}, saved)
    with pytest.raises(OptionError, match="have changed"):
        models.build("resnet9", SHAPE, 3, *BLANK, 0, start)


def test_published_weights_say_how_they_take_images() -> None:
    """What the libraries document for these networks."""
    imagenet = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    assert published_intake("torchvision:resnet18") == Intake(3, (224, 224), "bilinear", *imagenet)
    assert published_intake("timm:resnet10t") == Intake(3, (176, 176), "bicubic", *imagenet)
    assert published_intake("resnet9") == Intake()
    with pytest.raises(OptionError, match="has no published weights"):
        models.check("resnet9", "pretrained")


def test_names_of_libraries_are_checked_before_the_data() -> None:
    with pytest.raises(UnknownName, match="did you mean 'resnet18'"):
        models.check("torchvision:resnet81")
    with pytest.raises(UnknownName, match="did you mean 'resnet10t'"):
        models.check("timm:resnet10x")


def test_a_transformer_of_one_size_takes_images_of_any() -> None:
    model = models.build("timm:test_vit", SHAPE, 4, *BLANK, 0).eval()
    assert model(torch.rand(2, *SHAPE)).shape == (2, 4)
