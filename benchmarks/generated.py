"""The work of ``scripts/bench_generated``, which describes it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatch
from functools import cached_property, partial
from itertools import product
from pathlib import Path

import torch

from autoaug.data.pool import Pool
from autoaug.data.splits import DataSet
from autoaug.generate.filter import SampleFilter, train_filter
from autoaug.generate.fitting import TooFewSamples
from autoaug.generate.generator import SavedGenerator
from autoaug.generate.pool import PoolSettings, make_pool
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from autoaug.training.setting import TrainingSetting
from benchmarks.arms import Arm, arms, searched
from benchmarks.generated_page import write_generated
from benchmarks.generators import caught, fitted, judged
from benchmarks.results import Results
from benchmarks.trained import setting_on, test_score

KINDS = ("pca", "gan")


class Subject:
    """One data set. It is loaded, and its filter and pools are made, on first use: never if all results are known."""

    def __init__(self, given: str, options: argparse.Namespace, results: Results) -> None:
        self.given, self.options, self.results = given, options, results
        self.stem = Path(given).stem
        self.name = self.stem if options.longer == 1 else f"{self.stem}, {options.longer} times as long"
        self.measured = results.items.setdefault(self.name, {"arms": {}})
        self.of_data = results.items.setdefault(self.stem, {"arms": {}})

    @cached_property
    def loaded(self) -> tuple[DataSet, TrainingSetting]:
        """The data set, and its training setting."""
        return setting_on(self.given)

    @cached_property
    def sample_filter(self) -> SampleFilter:
        """The filter for generated samples."""
        data, setting = self.loaded
        return train_filter(data, "auto", setting.recipe, 0, "cpu")

    @cached_property
    def pools(self) -> Mapping[str, Pool]:
        """The samples of the first generator of each kind, without the kinds that failed."""
        data, _ = self.loaded
        pools = {}
        for kind in KINDS:
            try:
                self.generator(kind, 0)
            except TooFewSamples as fault:
                print(f"{self.name}: {fault}; the arms of the {kind} are left out", flush=True)
                continue
            settings = PoolSettings(0, "cpu", self.folder(kind, 0))
            pool = make_pool(kind, data, self.sample_filter, settings).pool
            if pool is not None:
                pools[kind] = pool
        return pools

    def folder(self, kind: str, seed: int) -> Path:
        """The folder of a fitted generator."""
        return Path(self.options.scratch, f"{self.stem}-{kind}-{seed}")

    def generator(self, kind: str, seed: int) -> SavedGenerator:
        """Load a generator, or fit it if it is missing; raises `TooFewSamples` if the data are too few for it."""
        data, _ = self.loaded
        return fitted(kind, data, self.folder(kind, seed), seed, self.options.steps)

    def judge_generators(self) -> None:
        """Judge the generators that have not been judged."""
        figures, dropped = self.of_data.setdefault("generators", {}), self.of_data.setdefault("sample_filter", {})
        for kind, seed in product(KINDS, range(self.options.generators)):
            key = f"{kind} {seed}"
            if key in figures and key in dropped:
                continue
            try:
                made = self.generator(kind, seed)
            except TooFewSamples:
                continue
            (data, setting), sample_filter = self.loaded, self.sample_filter
            for part, measure in (
                (figures, partial(judged, made, data, setting.recipe, sample_filter, seed)),
                (dropped, partial(caught, made, data, sample_filter, seed)),
            ):
                if self.results.once(part, key, measure):
                    print(key, part[key], flush=True)

    def wanted(self) -> Iterator[tuple[str, Arm]]:
        """The arms that the options select."""
        usual, options = load_policy(self.options.policy), self.options
        patterns = ("none", usual.name, *options.arms.split(","))
        for name, arm in arms(usual).items():
            if any(fnmatch(name, pattern) for pattern in patterns):
                yield name, arm
        if options.search:
            self.results.once(self.measured, "searched", self._searched)
            yield "found by a search", Arm(Policy.model_validate(self.measured["searched"]), usual.name)

    def _searched(self) -> dict[str, object]:
        return searched(self.given, 0).model_dump(mode="json", exclude_defaults=True)

    def train_arms(self) -> None:
        """Train the missing arms, seed by seed."""
        wanted = dict(self.wanted())
        for seed, (name, arm) in product(range(self.options.seeds), wanted.items()):
            known = self.measured["arms"].get(name)
            if known is None or len(known["test"]) <= seed:
                self.train(name, arm, seed)

    def train(self, name: str, arm: Arm, seed: int) -> None:
        """Train an arm once. Do nothing if the arm needs samples of a kind that has none."""
        _, setting = self.loaded
        if arm.policy.synthetic is not None:
            if arm.policy.synthetic.kind not in self.pools:
                return
            setting = replace(setting, pools=self.pools)
        epochs = setting.recipe.epochs * self.options.longer
        own = replace(setting, recipe=setting.recipe.model_copy(update={"equal": arm.equal, "epochs": epochs}))
        begun = time.perf_counter()
        accuracy = test_score(arm.policy, own, seed)
        row = self.measured["arms"].setdefault(name, {"against": arm.against, "test": [], "seconds": []})
        row["test"].append(accuracy)
        row["seconds"].append(time.perf_counter() - begun)
        print(f"{self.name} {name}, seed {seed}: {100 * accuracy:.2f}", flush=True)
        self.results.save()


def main(options: argparse.Namespace) -> None:
    """Run the missing measurements."""
    torch.set_num_threads(1)
    results: Results = Results(
        options.out, vars(options), then=lambda: write_generated(options.out.with_suffix(".html"), results.items)
    )
    for given in options.data:
        subject = Subject(given, options, results)
        subject.judge_generators()
        subject.train_arms()
