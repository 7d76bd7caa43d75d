"""Damaged files of every kind: reading them succeeds, or raises this project's own error, and ends soon."""

from __future__ import annotations

import io
import json
import random
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch

from autoaug.engine.plan import Plan, draw_plan
from autoaug.errors import AutoaugError
from autoaug.generate.generator import About, SavedGenerator, load_generator
from autoaug.modalities.image.generators.gaussian import COMPONENTS
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.pictures import CaptionedSamples, Gallery, to_bytes
from autoaug.policy.loading import builtin_files, load_policy, read_policy
from autoaug.report import report_page, write_comparison
from autoaug.report.model_card import export_model
from autoaug.report.page import notebook_view
from autoaug.report.pictures import read_captioned, read_gallery
from autoaug.report.reading import read_robustness
from autoaug.report.server import event_line
from autoaug.results import ACCURACY, SearchResult
from autoaug.results.robustness import Robustness
from autoaug.runs.callbacks.event_log import EventLog, read_events
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.search.budget import Budget
from autoaug.search.space import load_space
from autoaug.training.recipe import Recipe
from tests.conftest import CHECKOUT, published
from tests.faults import mutations

#: Of this process's own time, in seconds: the largest file that is allowed takes some.
MOST_SECONDS = 30.0
#: A page takes a second to draw: of so many files one is drawn, of the others only what it is drawn from is read.
DRAWN = 20


class Kind(NamedTuple):
    """A kind of file: where it lies in the folder, how it is damaged, and who reads it (and whether to the end)."""

    place: str
    damage: Callable[[bytes, random.Random], bytes]
    read: Callable[[RunFolder, bool], object]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run folder with one file of every kind, the result being that of a search that is published."""
    root = tmp_path_factory.mktemp("fuzz")
    content = published().model_dump(mode="json")
    content["history"], content["candidates"] = content["history"][::5], content["candidates"][-4:]
    content["comparison"] |= {
        "candidate": content["candidates"][0]["name"],
        "baseline": content["candidates"][1]["name"],
    }
    content["returned"]["name"] = content["candidates"][1]["name"]
    content["generated"] = {"pca": GENERATED, "gan": {"failed": "too few", "seconds": 1.0}}
    folder = RunFolder.create(root / "run", config(content))
    folder.result.write_text(json.dumps(content), encoding="utf-8")
    result = SearchResult.load(folder.root)
    folder.policy.write_text(result.returned_candidate.policy.to_yaml(), encoding="utf-8")
    (folder.root / "policy_numpy.py").write_text("# code\n", encoding="utf-8")
    folder.model.write_bytes(b"weights")
    log = EventLog(folder.events)
    log.say("searching")
    for trial in result.history[:4]:
        log.trial_ended(trial, 0.5)
    log.training_ended("none", 1, 4)
    log.finished(result)
    write_pictures(folder)
    robustness = Robustness(
        inputs=9, attack="PGD", clean=0.9, attacked=0.2, corrupted={"fog": (0.8, 0.7, 0.6, 0.5, 0.4)}
    )
    folder.robustness.write_text(robustness.model_dump_json(), encoding="utf-8")
    about = About(
        kind="pca", shape=(1, 4, 4), classes=("a", "b"), fingerprint="f", data="digits", inputs=9, seed=1, seconds=1.0
    )
    means = {"mean": torch.rand(2, 1, 4, 4), "components": torch.rand(2, COMPONENTS, 16)}
    SavedGenerator(about, means).save(folder.root / "generator")
    draw_plan(read_policy("augmix"), 3, torch.Generator()).save(folder.root / "plan.json")
    for name in ("augmix", "autoaugment-cifar10"):
        (folder.root / f"{name}.yaml").write_bytes(builtin_files()[name].read_bytes())
    (folder.root / "every.yaml").write_text(EVERY_FIELD, encoding="utf-8")
    for name in ("standard", "regularized"):
        (folder.root / f"space-{name}.yaml").write_bytes((CHECKOUT / f"search_spaces/{name}.yaml").read_bytes())
    return folder


GENERATED = {
    "seconds": 1.0,
    "fitting_seconds": 1.0,
    "sampling_seconds": 0.5,
    "bytes": 100,
    "sample_filter": {"passed": 5, "unlike their class": 2},
    "classes_before": [3, 4],
    "classes_after": [2, 3],
    "judged": {"fid": 1.5, "precision": 0.5},
}

EVERY_FIELD = """
name: every field
schedule:
  - until: 0.5
    layers: &layers
      - sub_policies:
          - {operations: [{operator: Rotate, probability: 0.5, magnitude: [0.1, 0.5], sign: positive}], weight: 2}
          - operations: []
  - {until: 1, layers: *layers}
mixing: {kind: mixup, probability: 0.5, alpha: 1e-1}
adversarial: {kind: pgd, steps: 2, epsilon: 0.01}
synthetic: {kind: pca, share: 0.2}
regularization: {dropout: 0.1}
copies: 2
provenance: {data: digits, data_fingerprint: 0123456789ab, verdict: better, ci95: [0.1, 0.2]}
"""


def config(content: dict) -> RunConfig:
    """The config of a search with everything in it."""
    return RunConfig(
        data="digits",
        data_fingerprint=content["data"]["fingerprint"],
        memory_limit=2**30,
        space=load_space("standard"),
        budget=Budget(policies=10),
        recipe=Recipe(epochs=3, batch_size=32),
        device="cpu",
        workers=1,
        executor="inline",
        command="autoaug search digits",
        versions={"autoaug": "1"},
    )


def write_pictures(folder: RunFolder) -> None:
    """Pictures of 4 x 4 pixels."""
    image = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4)
    gallery = Gallery(
        originals=image,
        augmented=image[None].repeat(2, 0),
        captions=np.array([["Rotate"], ["unchanged"]]),
        classes=np.array(["<b>cat</b>"]),
        strips=image[None].repeat(3, 1),
        strip_captions=np.array([["0", "1", "2"]]),
        operators=np.array(["Rotate"]),
    )
    folder.gallery("returned").write_bytes(to_bytes(gallery))
    examples = to_bytes(CaptionedSamples(image, np.array(["cat"]), np.array([True])))
    folder.examples.write_bytes(examples)
    folder.samples("pca").write_bytes(examples)


def damaged_arrays(content: bytes, draw: random.Random) -> bytes:
    """An ``.npz`` with an array that is lacking or another, or damaged in its bytes, packed or not."""
    with np.load(io.BytesIO(content)) as file:
        arrays = {name: file[name] for name in file.files}
    name = draw.choice(list(arrays))
    array = arrays[name]
    kind = draw.randrange(8)
    if kind == 0:
        del arrays[name]
    elif kind == 1:
        arrays[name] = array.reshape(array.shape[1:] if array.ndim > 1 and len(array) == 1 else (1, *array.shape))
    elif kind == 2:
        arrays[name] = array.repeat(draw.choice((0, 2, 3)), axis=draw.randrange(max(1, array.ndim)))
    elif kind == 3:
        arrays[name] = draw.choice((array.astype("S"), array.astype("U"), np.zeros(array.shape), np.array(1.5)))
    packed = io.BytesIO()
    (np.savez if kind % 2 else np.savez_compressed)(packed, **arrays)
    return mutations.damaged_bytes(packed.getvalue(), draw) if kind > 3 else packed.getvalue()


def read_result(folder: RunFolder, to_the_end: bool) -> None:
    result = SearchResult.load(folder.root)
    notebook_view(result)
    if to_the_end:
        report_page(folder)
        write_comparison([folder, folder], folder.root / "comparison.html")
        export_model(folder, folder.root / "model")


def read_log(folder: RunFolder, to_the_end: bool) -> None:
    for event in read_events(folder.events):
        assert event_line(event, ACCURACY).isprintable()
    if to_the_end:
        whole = folder.result.rename(folder.root / "hidden")
        try:
            report_page(folder)
        finally:
            whole.rename(folder.result)


def read_page(folder: RunFolder, to_the_end: bool) -> None:
    pictures = get_modality().pictures
    read_robustness(folder)
    read_gallery(folder.gallery("returned"), pictures)
    read_captioned(folder.examples, pictures)
    if to_the_end:
        report_page(folder)


def policy(name: str) -> Kind:
    return Kind(name, mutations.damaged_document, lambda folder, _: load_policy(folder.root / name))


def space(name: str) -> Kind:
    return Kind(name, mutations.damaged_document, lambda folder, _: load_space(folder.root / name))


KINDS = {
    "policy": (policy("augmix.yaml"), policy("autoaugment-cifar10.yaml"), policy("every.yaml")),
    "space": (space("space-standard.yaml"), space("space-regularized.yaml")),
    "config": (Kind("config.yaml", mutations.damaged_document, lambda folder, _: RunFolder.open(folder.root)),),
    "result": (Kind("result.json", mutations.damaged_json, read_result),),
    "events": (Kind("events.jsonl", mutations.damaged_lines, read_log),),
    "pictures": (
        Kind("gallery_returned.npz", damaged_arrays, read_page),
        Kind("examples.npz", damaged_arrays, read_page),
    ),
    "robustness": (Kind("robustness.json", mutations.damaged_json, read_page),),
    "generator": (
        Kind("generator/generator.json", mutations.damaged_json, lambda f, _: load_generator(f.root / "generator")),
        Kind(
            "generator/generator.safetensors",
            mutations.damaged_bytes,
            lambda f, _: load_generator(f.root / "generator"),
        ),
    ),
    "plan": (Kind("plan.json", mutations.damaged_json, lambda folder, _: str(Plan.load(folder.root / "plan.json"))),),
}


def check(folder: RunFolder, kind: str, numbers: range) -> None:
    """Damage a file of the kind once for each number, from which all chance follows, and read it."""
    for number in numbers:
        draw = random.Random(f"{kind} {number}")
        chosen = draw.choice(KINDS[kind])
        path, began, refusal = folder.root / chosen.place, time.process_time(), ""
        whole = path.read_bytes()
        path.write_bytes(chosen.damage(whole, draw))
        try:
            chosen.read(folder, number % DRAWN == 0)
        except AutoaugError as fault:
            refusal = str(fault)
        except Exception as fault:
            raise AssertionError(f"{kind} {number}: {chosen.place} gives {type(fault).__name__}: {fault}") from fault
        finally:
            path.write_bytes(whole)
        took = time.process_time() - began
        assert took < MOST_SECONDS, f"{kind} {number}: {chosen.place} took {took:.0f} s"
        assert len(refusal.splitlines()) <= 1, f"{kind} {number}: {refusal}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_one_line_or_read(kind: str, folder: RunFolder) -> None:
    check(folder, kind, range(40))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.fault("properties", "damaged files of every kind")
def test_thousands_of_damaged_files_are_one_line_or_read(kind: str, folder: RunFolder) -> None:
    check(folder, kind, range(40, 340))
