"""Generators and their samples, and augmented copies on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from autoaug.data.inputs import MemoryInputs
from autoaug.data.labels import require_classes
from autoaug.data.loading import check_data, open_source, recognize
from autoaug.data.splits import DataSet, Samples
from autoaug.errors import DataError, OptionError, RunError, pausing_on_full_disk
from autoaug.generate import offline
from autoaug.generate.expansion import check_for_files, expansion_of
from autoaug.generate.filter import count_reasons, load_accept_function
from autoaug.generate.fitting import FitSettings, fit_generator
from autoaug.generate.generator import About, SavedGenerator, check_free, generator_kind, load_generator
from autoaug.generate.metrics import LEAST_JUDGED, ClassifierPlan, judge_samples
from autoaug.generate.sampling import FilteredSamples, draw_samples, write_passed
from autoaug.modalities.base import Reading
from autoaug.modalities.generators import Collapsed
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.generation_options import ExpandOptions, FitOptions, SampleOptions
from autoaug.pipeline.parsing import absolute, check_texts, memory_limit, parse_reading
from autoaug.policy.loading import check_can_work, check_modality, load_policy
from autoaug.training.device import resolve_device
from autoaug.utils.locks import held


@dataclass(frozen=True)
class SampledFiles:
    """Samples that were drawn, filtered and written.

    Attributes:
        folder: the folder with the samples that passed, with one subfolder per class.
        drawn: the number of samples drawn.
        reasons: the number of samples that passed, and the number dropped for each reason.
        balance: the number of samples before and after the filter in each of the ``classes``, and in each of the
            ``groups`` if the data have any.
        figures: quality metrics by name; empty if they were not requested, or no more than `LEAST_JUDGED` passed.
    """

    folder: Path
    drawn: int
    reasons: dict[str, int]
    balance: dict[str, tuple[list[int], list[int]]]
    figures: dict[str, float]


def fit(options: FitOptions) -> About:
    """See `autoaug.api.generate_fit`."""
    check_texts(options)
    device, out = resolve_device(options.device), Path(options.out)
    check_free(out)
    source = load_generator(Path(options.source)) if options.source else None
    modality = recognize(str(options.data))
    if not modality.generators:
        raise OptionError(
            f"there are no generators for the modality {modality.name!r}: autoaug expand writes augmented copies of "
            "the samples, and autoaug search finds the policy for them"
        )
    kind = generator_kind(options.kind, modality.name)
    reading = parse_reading(options.size, options.resize, None)
    _, data = check_data(str(options.data), memory_limit(None), reading, options.allow, options.seed)
    require_classes(data.train.labels, "a generator")
    if options.steps is not None and not kind.usual_steps(len(data.train)):
        raise OptionError(f"a {options.kind} is not trained in steps: leave out --steps")
    loader = modality.loader
    settings = FitSettings(options.seed, options.steps, device, absolute(options.data), source, reading)

    def watch(done: int, total: int, samples: np.ndarray) -> None:
        with suppress(DataError):  # they cannot be written, and are only looked at
            loader.write(np.concatenate(list(samples), axis=-1), out / f"samples{loader.ending}")
        if options.watch:
            options.watch(done, total, samples)

    with _going_on_later(out):
        try:
            made = fit_generator(options.kind, data, out, settings, watch)
        except Collapsed as fault:
            raise RunError(str(fault)) from None
    return made.about


def sample(options: SampleOptions) -> SampledFiles:
    """See `autoaug.api.generate_sample`."""
    check_texts(options)
    device, out = resolve_device(options.device), Path(options.out)
    accept = load_accept_function(options.accept) if options.accept else None
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out} already holds files; choose an empty or new folder with --out")
    made = load_generator(Path(options.generator))
    published = None
    if options.inception:
        published = get_modality(made.about.modality).published_features(Path(options.inception), device)
    data = _data_of(made, options)
    one = made.sample(np.zeros(1, np.int64), 0)
    with TemporaryDirectory() as folder:  # samples that cannot be written are refused before a filter is trained
        loader = get_modality(made.about.modality).loader
        loader.write(one[0], Path(folder) / f"0{loader.ending}")
    if published is not None:  # so are those that its network does not take
        published(torch.from_numpy(one))
    drawn = draw_samples(made, data, options.per_class, options.seed, device, accept, options.watch)
    write_passed(drawn, out)
    reasons = count_reasons(drawn.reasons)
    judged = (options.judge or published is not None) and reasons["passed"] > LEAST_JUDGED
    return SampledFiles(
        folder=out,
        drawn=len(drawn.labels),
        reasons=reasons,
        balance=drawn.sample_filter.balances(drawn.inputs, drawn.labels, drawn.reasons),
        figures=_figures(drawn, data.validation, options.seed, published) if judged else {},
    )


def _data_of(made: SavedGenerator, options: SampleOptions) -> DataSet:
    """The data that the filter is trained on: those of the generator."""
    allow = [code for code in options.allow if code != "generator"]
    name = str(options.data or made.about.where())
    reading = Reading(made.about.size, made.about.resize)
    _, data = check_data(name, memory_limit(None), reading, allow, made.about.seed)
    made.check_fits(data, "generator" in options.allow)
    return data


def _figures(
    drawn: FilteredSamples, held_out: Samples, seed: int, published: Callable[[Tensor], Tensor] | None
) -> dict[str, float]:
    """Quality metrics of the samples that passed."""
    kept = drawn.reasons == ""
    passed = Samples(MemoryInputs(drawn.inputs[kept]), drawn.labels[kept])
    plan = ClassifierPlan("auto", drawn.recipe, seed, drawn.sample_filter.modality.name)
    return judge_samples(passed, held_out, drawn.sample_filter, plan, published).known()


def expand(options: ExpandOptions) -> offline.Expanded:
    """See `autoaug.api.expand`."""
    policy = load_policy(options.policy)
    modality = recognize(options.data, options.modality).name
    check_modality(policy, modality)
    check_for_files(policy, modality)
    source = open_source(
        str(options.data), memory_limit(None), parse_reading(None, "crop", options.protect), options.modality
    )
    check_can_work(policy, source.lacking)
    expansion = expansion_of(str(options.data), source, policy, options.copies, options.seed)
    out = Path(options.out)
    with _going_on_later(out):
        return offline.expand(expansion, out, options.workers, options.watch)


@contextmanager
def _going_on_later(out: Path) -> Iterator[None]:
    """Lock the folder `out` for work that the same command can continue after an interruption."""
    cure = "continue with the same command"
    with pausing_on_full_disk(cure), held(out, f"wait until it has ended, or end it and {cure}"):
        yield
