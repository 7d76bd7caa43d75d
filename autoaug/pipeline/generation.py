"""Data that are made: generators and their samples, and copies on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoaug.data.loading import check_data, open_source
from autoaug.data.splits import DataSet
from autoaug.errors import OptionError, RunError, pausing_on_full_disk
from autoaug.generate import offline
from autoaug.generate.features import InceptionFeatures
from autoaug.generate.filter import count_reasons, load_accept_function
from autoaug.generate.gan import Collapsed, default_steps
from autoaug.generate.generator import About, SavedGenerator, check_free, fit_generator, load_generator
from autoaug.generate.sampling import FilteredSamples, draw_samples, write_passed
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.options import ExpandOptions, FitOptions, SampleOptions
from autoaug.pipeline.parsing import absolute, check_seed, check_texts, parse_memory, within
from autoaug.policy.loading import load_policy
from autoaug.runs.config import LARGEST_COUNT
from autoaug.training.device import resolve_device
from autoaug.utils.locks import held


@dataclass(frozen=True)
class SampledFiles:
    """Samples that were drawn, filtered and written.

    Attributes:
        folder: where those that passed lie, in a folder per class.
        drawn: how many there were.
        reasons: how many passed, and how many were dropped for which reason.
        balance: of the ``classes``, and of the ``groups`` where the data have any, how many samples each has before
            the filter and after it.
        figures: how good the samples are, by name; empty where that was not asked for.
    """

    folder: Path
    drawn: int
    reasons: dict[str, int]
    balance: dict[str, tuple[list[int], list[int]]]
    figures: dict[str, float]


def fit(options: FitOptions) -> About:
    """See `autoaug.api.generate_fit`."""
    check_seed(options.seed)
    check_texts(options)
    if options.steps is not None:
        within("steps", options.steps, 1, 10**8)
        if options.kind == "pca":
            raise OptionError("--steps are of the training of a gan; a pca has none: leave it out")
    device, out = resolve_device(options.device), Path(options.out)
    check_free(out)
    source = load_generator(Path(options.source)) if options.source else None
    _, data = check_data(str(options.data), parse_memory(None), None, options.allow, options.seed)
    loader = get_modality(data.modality).loader

    def watch(done: int, total: int, samples: np.ndarray) -> None:
        loader.write(np.concatenate(list(samples), axis=-1), out / f"samples{loader.ending}")
        if options.watch:
            options.watch(done, total, samples)

    with _going_on_later(out):
        try:
            made = fit_generator(
                options.kind,
                data.train,
                data.classes,
                data.train_fingerprint,
                out,
                steps=options.steps or default_steps(len(data.train)),
                seed=options.seed,
                device=device,
                lies_at=absolute(options.data),
                source=source,
                watch=watch,
            )
        except Collapsed as fault:
            raise RunError(str(fault)) from None
    return made.about


def sample(options: SampleOptions) -> SampledFiles:
    """See `autoaug.api.generate_sample`."""
    check_seed(options.seed)
    check_texts(options)
    within("per-class", options.per_class, 1, 10**7)
    device, out = resolve_device(options.device), Path(options.out)
    accept = load_accept_function(options.accept) if options.accept else None
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out} holds something already; name an empty folder, or a new one, with --out")
    published = InceptionFeatures(Path(options.inception), device) if options.inception else None
    made = load_generator(Path(options.generator))
    data = _data_of(made, options)
    drawn = draw_samples(made, data, options.per_class, options.seed, device, accept)
    write_passed(drawn, out)
    judged = options.judge or published is not None
    return SampledFiles(
        folder=out,
        drawn=len(drawn.labels),
        reasons=count_reasons(drawn.reasons),
        balance=drawn.sample_filter.balances(drawn.inputs, drawn.labels, drawn.reasons),
        figures=_figures(drawn, data, device, options.seed, published) if judged else {},
    )


def _data_of(made: SavedGenerator, options: SampleOptions) -> DataSet:
    """The data that teach the filter: those of the generator."""
    allow = [code for code in options.allow if code != "generator"]
    data = str(options.data or made.about.where())
    _, found = check_data(data, parse_memory(None), None, allow, made.about.seed)
    may_differ = "generator" in options.allow
    made.check_fits(found.train.inputs.shape, found.classes, found.train_fingerprint, may_differ)
    return found


def _figures(
    drawn: FilteredSamples, data: DataSet, device: str, seed: int, published: InceptionFeatures | None
) -> dict[str, float]:
    """How good the samples are that passed."""
    from autoaug.generate.metrics import judge_samples

    kept = drawn.reasons == ""
    return judge_samples(
        drawn.inputs[kept],
        drawn.labels[kept],
        data.train,
        data.validation,
        drawn.sample_filter.training,
        device,
        ("auto", drawn.recipe, seed),
        published,
    ).known()


def expand(options: ExpandOptions) -> offline.Expanded:
    """See `autoaug.api.expand`."""
    check_seed(options.seed)
    within("workers", options.workers, 1, LARGEST_COUNT)
    policy = load_policy(options.policy)
    source = open_source(str(options.data), parse_memory(None))
    expansion = offline.Expansion(
        source, offline.format_of(str(options.data), source), policy, options.copies, options.seed
    )
    out = Path(options.out)
    with _going_on_later(out):
        return offline.expand(expansion, out, options.workers, options.watch)


@contextmanager
def _going_on_later(out: Path) -> Iterator[None]:
    """Work in the folder `out`, alone; what is done is on disk, so that the same command goes on."""
    cure = "the same command goes on"
    with pausing_on_full_disk(cure), held(out, f"wait until it has ended, or end it: {cure}"):
        yield
