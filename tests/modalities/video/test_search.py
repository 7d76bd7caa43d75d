"""From raw clips to a verdict, exported code and a report; and the parts that look at clips."""

from __future__ import annotations

import base64
import io
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

import autoaug
from autoaug import api
from autoaug.engine.transform import PolicyTransform
from autoaug.errors import AutoaugError
from autoaug.modalities.base import Reading
from autoaug.modalities.image.decoding import ImageForm
from autoaug.modalities.registry import get_modality
from autoaug.modalities.video import models, pictures
from autoaug.modalities.video.decoding import ClipReader, read_header
from autoaug.modalities.video.examples import examples
from autoaug.modalities.video.pictures import _FRAMES
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import SearchOptions
from autoaug.policy.loading import load_policy
from autoaug.search.sampling import Given, sample_shaped
from autoaug.search.space import load_space
from autoaug.search.strategies.portfolio import portfolio
from tests.conftest import CHECKOUT
from tests.modalities.video.moving import encode, square, write_clips
from tests.samples import clips


def test_a_run_records_clips_of_any_number_of_frames(tmp_path: Path) -> None:
    """At least four were needed, as of pixels."""
    options = SearchOptions(write_clips(tmp_path / "clips", 10), size="2x8x12", device="cpu")
    config, *_ = prepare(options)
    assert config.reading == Reading((2, 8, 12))


@pytest.mark.slow
def test_a_search_on_clips_ends_in_a_report(tmp_path: Path) -> None:
    data, run = write_clips(tmp_path / "clips", 30), tmp_path / "run"
    result = autoaug.search(data, trials=3, epochs=3, seeds=2, workers=1, finalists=1, executor="inline", out=str(run))
    assert result.data.modality == "video"
    assert {candidate.name for candidate in result.candidates} >= {"none", "video-flip-crop"}
    page = (run / "report.html").read_text()
    assert len(re.findall("data:image/(png|webp);base64,", page)) > 20
    assert {path.name for path in run.glob("policy_*.py")} <= {"policy_torchvision.py", "policy_kornia.py"}
    assert "gaussian noise" in str(api.robustness(data, str(run), samples=8))
    autoaug.resume(run)
    exported = tmp_path / "model"
    api.export_model(run, exported)
    script = next(exported.glob("*.py"))
    clip = encode(tmp_path / "new.mp4", square())
    done = subprocess.run(
        [sys.executable, script.name, str(clip)], cwd=exported, check=True, capture_output=True, text=True
    )
    assert re.search(r"(left|right): \d+\.\d %", done.stdout)


def test_the_space_and_its_portfolio_are_of_clips() -> None:
    space = load_space("standard", "video")
    assert space.modality.name == "video"
    assert load_space("standard").modality.name == "image"
    shapes = list(portfolio(space))
    assert len(shapes) >= 10
    for shape in shapes:
        policy = sample_shaped(space, Given(shape))
        assert policy.transform(seed=0, num_classes=4)(clips(4), torch.arange(4) % 4)[0].isfinite().all()
    for name in get_modality("video").baselines:
        assert PolicyTransform(load_policy(name), seed=0, modality="video")(clips(2)).shape == clips(2).shape


def own_network(channels: int, classes: int) -> torch.nn.Module:
    """As a user would write it."""
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(classes))


def test_networks_are_built_or_refused_in_one_line() -> None:
    blank = torch.zeros(6)
    first, again = (models.build("auto", (6, 3, 10, 13), 4, blank, blank, seed=1).eval()(clips(3)) for _ in range(2))
    assert torch.equal(first, again)
    name = "tests.modalities.video.test_search:own_network"
    assert models.is_own(name)
    models.check(name)
    assert models.build(name, (6, 3, 10, 13), 4, blank, blank, seed=0)(clips(3)).shape == (3, 4)
    for given, weights in (("resnet9", None), ("auto", "pretrained")):
        with pytest.raises(AutoaugError, match=given if weights is None else "random weights"):
            models.check(given, weights)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (6, 3, 10, 13), (3, 1, 80, 64)])
def test_r2plus1d_takes_any_clip_and_its_gradients_reach_pixels_and_weights(shape: tuple[int, ...]) -> None:
    network = models.build("r2plus1d", shape, 4, torch.zeros(1), torch.ones(1), seed=1)
    given = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    outputs = network(given)
    assert outputs.shape == (2, 4)
    outputs.square().sum().backward()
    assert given.grad is not None
    assert given.grad.isfinite().all()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())
    network.eval()
    assert torch.allclose(network(given), torch.cat([network(one[None]) for one in given]), atol=1e-5)


def test_r2plus1d_convolutions_are_torchvisions() -> None:
    from torchvision.models.video.resnet import BasicBlock, Conv2Plus1D

    with torch.random.fork_rng():
        torch.manual_seed(0)
        ours = models.R2Plus1DBlock(8, 16)
        planes = 16 * 8 * 27 // (8 * 9 + 3 * 16)  # by which torchvision finds the layer between
        shortcut = torch.nn.Sequential(torch.nn.Conv3d(8, 16, 1, (1, 2, 2), bias=False), torch.nn.BatchNorm3d(16))
        theirs = BasicBlock(8, 16, Conv2Plus1D, 2, shortcut)
        theirs.conv1[0] = Conv2Plus1D(8, 16, planes, 2)
        for block in (theirs.conv1[0], theirs.conv2[0]):  # it moves in time, too
            block[3].stride = (1, 1, 1)
        given = torch.randn(2, 8, 5, 12, 10)
    theirs.conv2[0] = Conv2Plus1D(16, 16, 16 * 16 * 27 // (16 * 9 + 3 * 16))
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    torch.testing.assert_close(ours(given), theirs(given))
    weights = sum(part.weight.numel() for part in ours.convolutions[0] if isinstance(part, torch.nn.Conv3d))
    one_more = 9 * 8 + 3 * 16
    assert weights <= 27 * 8 * 16 < weights + one_more, "as many as one convolution over all three"


@pytest.mark.slow
def test_r2plus1d_learns_which_way_things_move() -> None:
    """Each frame of one class is one of the other, too: only the order tells them apart."""
    starts = torch.arange(12)[:, None] + torch.arange(6)
    frames = torch.nn.functional.one_hot(starts % 12, 12).float()[:, :, None, None].expand(-1, -1, 1, 8, -1)
    given, labels = torch.cat([frames, frames.flip(1)]), torch.arange(2).repeat_interleave(12)
    network = models.build("r2plus1d", (6, 1, 8, 12), 2, torch.zeros(1), torch.ones(1), seed=0)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    for _ in range(60):  # its running statistics follow slowly
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(given), labels).backward()
        optimizer.step()
    assert (network.eval()(given).argmax(1) == labels).float().mean() > 0.9


@pytest.mark.parametrize(("frames", "rows", "columns"), [(1, 1, 1), (3, 1, 4), (4, 2, 3), (6, 2, 3), (20, 2, 3)])
def test_a_picture_is_an_animation_and_a_strip_of_frames(frames: int, rows: int, columns: int) -> None:
    stored = np.stack([np.full((3, 8, 10), 5 * t, np.uint8) for t in range(frames)])
    html = pictures.html(stored, 'a "clip" <b>')
    assert "<b>" not in html
    content = base64.b64decode(re.findall(r"base64,([^\"]+)", html)[0])
    picture = Image.open(io.BytesIO(content))
    shown = [np.asarray(page.convert("RGB")) for page in ImageSequence.Iterator(picture)]
    assert {strip.shape for strip in shown} == {(rows * 10 - 2, columns * 12 - 2, 3)}
    moving = np.linspace(0, frames - 1, min(frames, 16)).round()
    assert [strip[0, 0, 0] for strip in shown] == (5 * moving).tolist()
    last = frames if frames < _FRAMES else _FRAMES
    row, column = divmod(last if frames > 1 else 0, columns)
    assert {int(strip[row * 10, column * 12, 0]) for strip in shown} == {5 * (frames - 1)}
    with pytest.raises(ValueError, match="uint8"):
        pictures.html(stored[0], "an image")


def test_pictures_of_long_and_large_clips_are_small_and_look_the_same() -> None:
    """Even of noise, which no codec makes smaller; a page has up to 200 of them."""
    noise = np.random.default_rng(0).integers(0, 256, (50, 3, 240, 320), np.uint8)
    assert len(pictures.html(noise, "noise")) < 70_000
    ramp = np.broadcast_to(np.arange(240, dtype=np.uint8)[:, None], (9, 1, 240, 320)).copy()
    ramp[np.arange(9), :, :, 30 * np.arange(9)] = 255  # a line that moves, so that no frame is left out
    picture = Image.open(io.BytesIO(base64.b64decode(re.findall(r"webp;base64,([^\"]+)", pictures.html(ramp, ""))[0])))
    assert (picture.format, picture.size, picture.n_frames) == ("WEBP", (3 * 82 - 2, 2 * 62 - 2), 9)  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.asarray(picture.convert("L"))[:60, 20], np.arange(60) * 4 + 1.5, atol=4)


def test_examples_move() -> None:
    moving = examples()
    assert moving.dtype == np.uint8
    assert moving.ndim == 5
    assert (np.abs(np.diff(moving.astype(int), axis=1)).mean((2, 3, 4)) > 2).all()


def test_motions_over_photographs_are_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pan to the right shows at its end what lies to the right; the reverse of a class is the other of its pair."""
    wide = np.broadcast_to(np.linspace(0, 250, 48)[None, :, None], (48, 48, 3)).astype(np.uint8)
    np.savez(tmp_path / "photographs.npz", x_train=np.stack([wide] * 4), x_test=np.stack([wide] * 4))
    script = str(CHECKOUT / "scripts/make_motion_clips")
    monkeypatch.setattr(
        sys, "argv", [script, str(tmp_path / "photographs.npz"), str(tmp_path / "out"), "--train=8", "--test=8"]
    )
    runpy.run_path(script, run_name="__main__")
    source = autoaug.api.check(tmp_path / "out")
    assert "8 classes, taken for video data" in source.lines[0]
    for name, sign in (("pan right", 1), ("pan left", -1)):
        (path,) = (tmp_path / "out/train" / name).glob("*.mp4")
        assert read_header(path).frames == 12
        clip = ClipReader(12, ImageForm(3, 48, 48, resized=False)).read(path).astype(float)
        assert sign * (clip[-1].mean() - clip[0].mean()) > 10
