"""The metrics of generated samples against closed forms, and the Inception weights."""

from __future__ import annotations

import pickle
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from autoaug.errors import OptionError
from autoaug.generate.features import classifier_features
from autoaug.generate.metrics import distances, manifold_figures
from autoaug.modalities.image.inception import InceptionFeatures
from autoaug.modalities.image.values import as_work


def test_precision_and_recall_see_what_they_should() -> None:
    real = torch.randn(300, 8, generator=torch.Generator().manual_seed(0))
    same = torch.randn(300, 8, generator=torch.Generator().manual_seed(1))
    collapsed, far = same[:1] + 0.01 * torch.randn(300, 8), same + 20
    assert min(manifold_figures(real, same)) > 0.6
    _, recall, _, coverage = manifold_figures(real, collapsed)
    assert recall < 0.1
    assert coverage < 0.2
    assert manifold_figures(real, far)[0] == 0


def test_the_distances_are_those_of_their_definitions() -> None:
    """Frechet: |m - n|^2 + tr(A + B - 2 sqrt(AB)); kernel: the unbiased discrepancy under (xy/d + 1)^3."""
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(90, 6, generator=generator)
    made = 1.5 * torch.randn(90, 6, generator=generator) + 0.5
    x, y = real.double().numpy(), made.double().numpy()
    covariances = np.cov(x.T), np.cov(y.T)
    spread = np.trace(sum(covariances) - 2 * sqrtm(covariances[0] @ covariances[1]).real)
    frechet = ((x.mean(0) - y.mean(0)) ** 2).sum() + spread

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / 6 + 1) ** 3

    n = len(x)
    within = sum((kernel(z, z).sum() - np.trace(kernel(z, z))) / (n * (n - 1)) for z in (x, y))
    fid, kid = distances(real, made)
    assert fid == pytest.approx(frechet, rel=1e-3)
    assert kid == pytest.approx(within - 2 * kernel(x, y).mean(), rel=1e-3)


@pytest.mark.parametrize("counts", [(1, 30), (30, 1)])
def test_a_single_sample_has_no_distance(counts: tuple[int, int]) -> None:
    """The eigenvalues of its covariance, NaN, ended the process."""
    real, made = (torch.randn(n, 6, generator=torch.Generator().manual_seed(n)) for n in counts)
    assert np.isnan(distances(real, made)).all()


def test_the_distances_are_those_of_torchmetrics() -> None:
    """Bit for bit, also where the kernel's subsets are random: more samples than one holds."""
    fid_module, kid_module = (pytest.importorskip(f"torchmetrics.image.{name}") for name in ("fid", "kid"))

    class Given(torch.nn.Module):
        num_features = 6

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return features

    generator = torch.Generator().manual_seed(0)
    real, made = (torch.randn(n, 6, generator=generator) * s for n, s in ((150, 1.0), (130, 1.3)))
    metrics = (
        fid_module.FrechetInceptionDistance(feature=Given()),
        kid_module.KernelInceptionDistance(feature=Given(), subsets=20, subset_size=100),
    )
    for metric in metrics:
        metric.update(real, real=True)
        metric.update(made, real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        expected = float(metrics[0].compute()), float(metrics[1].compute()[0])
    assert distances(real, made) == pytest.approx(expected, rel=1e-6)


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> tuple[FeatureExtractorInceptionV3, Path]:
    """The library's own network with weights drawn at random, and a file of them."""
    torch.manual_seed(0)
    with (
        mock.patch.object(torch, "load", return_value=None),
        mock.patch.object(FeatureExtractorInceptionV3, "load_state_dict", return_value=None),
    ):
        network = FeatureExtractorInceptionV3("drawn", ["2048"], "")
    weights = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(network.state_dict(), weights)
    return network, weights


@pytest.mark.parametrize("channels", [1, 3])
def test_inception_sees_what_the_library_sees(
    channels: int, inception: tuple[FeatureExtractorInceptionV3, Path]
) -> None:
    network, weights = inception
    images = torch.randint(0, 256, (2, channels, 28, 28), dtype=torch.uint8)
    torch.testing.assert_close(InceptionFeatures(weights, "cpu")(images), network(images.expand(-1, 3, -1, -1))[0])


@pytest.mark.parametrize("channels", [2, 4])
def test_inception_refuses_images_that_its_network_does_not_take(
    channels: int, inception: tuple[FeatureExtractorInceptionV3, Path]
) -> None:
    features = InceptionFeatures(inception[1], "cpu")
    with pytest.raises(OptionError, match=f"needs images with 1 or 3 channels, not {channels}; leave it out"):
        features(torch.zeros(1, channels, 8, 8, dtype=torch.uint8))


class Executed:
    """Would make a folder when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.mkdir, (self.trace,)


@pytest.mark.fault("security", "weights of a stranger")
def test_what_is_no_file_of_such_weights_is_refused_and_never_run(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("missing.pth", "text.pth", "other.pth", "code.pth", "cut.pth")}
    files["text.pth"].write_text("hello")
    torch.save({"weight": torch.zeros(2)}, files["other.pth"])
    files["code.pth"].write_bytes(pickle.dumps(Executed(tmp_path / "made")))
    torch.save({"weight": torch.zeros(2000)}, files["cut.pth"])
    files["cut.pth"].write_bytes(files["cut.pth"].read_bytes()[:500])
    for path in files.values():
        with pytest.raises(OptionError, match="is not a file of Inception weights"):
            InceptionFeatures(path, "cpu")
    assert not (tmp_path / "made").exists()


def test_features_are_what_the_last_linear_layer_sees_and_else_the_logits() -> None:
    images = torch.randint(0, 256, (7, 1, 6, 6), dtype=torch.uint8)
    body = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Flatten(), torch.nn.Dropout())
    whole = torch.nn.Sequential(body, torch.nn.Linear(64, 3)).train()
    features = classifier_features(whole, images, "cpu", as_work)
    assert whole.training
    torch.testing.assert_close(features, body.eval()(images / 255))
    torch.testing.assert_close(classifier_features(body, images, "cpu", as_work), features)
    assert not whole[1]._forward_pre_hooks
