"""Read the parts of a run folder that a report needs."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from autoaug.errors import RunError
from autoaug.report.charts import RunFacts
from autoaug.results import SearchResult, TrialSummary
from autoaug.results.robustness import Robustness
from autoaug.runs.callbacks.event_log import metric_of, read_events
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.utils.json import read_record


class FinishedRun(NamedTuple):
    """A run with a result."""

    result: SearchResult
    config: RunConfig
    facts: RunFacts


class UnfinishedRun(NamedTuple):
    """A run without a result, read from its event log.

    Attributes:
        config: the config of the run.
        facts: the data for charts.
        spent: the fraction of the search budget that is spent.
        confirmed: the number of finished trainings of the confirmation, and of all of them; None before the first.
        stage: the last message about a stage.
    """

    config: RunConfig
    facts: RunFacts
    spent: float
    confirmed: tuple[int, int] | None
    stage: str


def read_finished(folder: RunFolder) -> FinishedRun:
    """Raises `RunError` where the run has no result, or result and config are of different runs."""
    result, (_, config) = SearchResult.load(folder.root), RunFolder.open(folder.root, goes_on=False)
    if result.history and config.space is None:
        raise RunError(f"{folder.result} is from a search, but {folder.config} from a comparison; restore one of them")
    full_length = config.recipe.full_length_passes(result.data.train)
    facts = RunFacts(result.history, full_length, result.metric, result, read_robustness(folder), result.trial_metric)
    return FinishedRun(result, config, facts)


def read_unfinished(folder: RunFolder) -> UnfinishedRun:
    """The trials are those of the main search, as in a result. Raises `RunError` where there is no run, or its event
    log is damaged.
    """
    _, config = RunFolder.open(folder.root, goes_on=False)
    events = read_events(folder.events)
    is_own = itertools.takewhile(lambda event: event["event"] != "control", events)
    ended = [event for event in is_own if event["event"] == "trial"]
    trials = {event["trial"]["number"]: TrialSummary.model_validate(event["trial"]) for event in ended}
    full_length = max((trial.sample_passes for trial in trials.values() if trial.data_fraction == 1), default=0)
    confirmed = [(event["done"], event["total"]) for event in events if event["event"] == "confirmation"]
    return UnfinishedRun(
        config=config,
        facts=RunFacts(list(trials.values()), max(1, full_length), metric_of(events)),
        spent=max((event["fraction"] for event in ended), default=0.0),
        confirmed=confirmed[-1] if confirmed else None,
        stage=next((event["message"] for event in reversed(events) if event["event"] == "stage"), ""),
    )


def read_robustness(folder: RunFolder) -> Robustness | None:
    """Read the robustness of the run's model; None if it was not measured."""
    if not folder.robustness.is_file():
        return None
    return read_record(folder.robustness, Robustness, RunError, cure="measure again with: autoaug robustness")
