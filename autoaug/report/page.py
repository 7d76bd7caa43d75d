"""The page of one run, finished or not: one HTML file that works offline."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from autoaug.errors import RunError, resume_command
from autoaug.evaluation.advice import advice
from autoaug.evaluation.cautions import cautions
from autoaug.evaluation.statistics import verdict_of
from autoaug.evaluation.wording import claimed, is_vague, lengthened, sample_cure, sureness
from autoaug.modalities.registry import get_modality
from autoaug.policy.words import in_words
from autoaug.report.before_after import before_and_after
from autoaug.report.charts import Chart, RunFacts, draw_charts
from autoaug.report.charts.candidates import candidate_rows
from autoaug.report.frame import NO_PLOTLY, plotly_script, render
from autoaug.report.pictures import read_captioned, read_gallery
from autoaug.report.reading import FinishedRun, read_finished, read_unfinished
from autoaug.report.tables.affinity import affinities
from autoaug.report.tables.claims import claim_rows
from autoaug.report.tables.costs import costs, failures
from autoaug.report.tables.fidelity import fidelity
from autoaug.report.tables.generated import generators
from autoaug.report.tables.metrics import metric_rows
from autoaug.report.tables.sentences import shift
from autoaug.report.tables.stages import stages
from autoaug.report.tables.transcripts import transcript_rows
from autoaug.report.tables.uniformity import uniformity
from autoaug.report.usage import code_lines
from autoaug.results import ACCURACY, SearchResult
from autoaug.runs.folder import RunFolder
from autoaug.utils.files import read_text, write_atomically


def write_report(folder: RunFolder, cdn: bool = False) -> Path:
    """Write ``report.html`` of a run, finished or not, and return its path. Raises `RunError` if there is no run.

    Args:
        folder: the run folder.
        cdn: whether to load Plotly from the network instead of embedding it, which saves 5 MB.
    """
    write_atomically(folder.report, report_page(folder, cdn))
    return folder.report


def report_page(folder: RunFolder, cdn: bool = False) -> str:
    """The HTML of the page."""
    if not folder.result.is_file():
        return _unfinished_page(folder, cdn)
    run = read_finished(folder)
    # Charts last: a damaged file is refused before they are drawn.
    given = {**_tables(run), **_pictures(folder, run.result), **_code(folder, run.result)}
    given["charts"] = _by_section(run.facts)
    return render("report.html", plotly_script(cdn), result=run.result, config=run.config, **given)


def notebook_view(result: SearchResult) -> str:
    """HTML for notebooks, without scripts and without the network: the verdict, what the returned policy does, in words
    and in pictures, what it gains, and the candidates.
    """
    metric, pictures = result.metric, get_modality(result.data.modality).pictures
    return render(
        "notebook.html",
        NO_PLOTLY,
        result=result,
        metric=metric,
        in_words=in_words(result.returned_candidate.policy),
        claims=claim_rows(result, metric),
        rows=candidate_rows(result, metric),
        gallery=read_gallery(RunFolder(result.run_dir).gallery("returned"), pictures),
    )


def _unfinished_page(folder: RunFolder, cdn: bool) -> str:
    run = read_unfinished(folder)
    return render(
        "unfinished.html",
        plotly_script(cdn),
        name=folder.name,
        resume=resume_command(folder.root, bool(run.config.named_code)),
        run=run,
        metric=run.facts.metric,
        failures=failures(run.facts.trials),
        charts=_by_section(run.facts),
    )


def _tables(run: FinishedRun) -> dict[str, Any]:
    """The tables and sentences of the page."""
    result, metric = run.result, run.facts.metric
    rows = candidate_rows(result, metric)
    finalist = result.candidate(result.comparison.candidate) if result.comparison else None
    words = in_words(result.returned_candidate.policy)
    return {
        "metric": metric,
        "accuracy": ACCURACY,
        "rows": rows,
        "has_intervals": any(row.has_interval for row in rows),
        "metric_rows": metric_rows(result),
        "costs": costs(result),
        "failures": failures(result.history),
        "sureness": sureness(result.comparison, metric) if result.comparison else "",
        "cautions": cautions(result),
        "claims": claim_rows(result, metric),
        "lengthened": lengthened(result),
        "in_words": words,
        "because": result.sentence.replace(f"{words} [{result.returned.name}]", result.returned.name),  # said above it
        "proven": [claimed(claim, metric) for claim in result.claims if verdict_of(claim.ci95) == "better"],
        "advice": advice(result),
        "sample_cure": sample_cure(result.claims[0]) if result.claims else "",
        "pair": before_and_after(result),
        "transcripts": transcript_rows(result.transcripts),
        "stages": stages(result, result.measured_in_trials),
        "fidelity": fidelity(result),
        "shift": shift(result, result.measured_in_trials),
        "uniformity": uniformity(result.returned_candidate.policy),
        "affinities": affinities(result),
        "finalist": finalist,
        "fewest_seeds": min(len(candidate.seeds) for candidate in result.candidates),
        "is_vague": result.comparison and is_vague(result.comparison.differences, result.comparison.ci95),
        "seeds": max((candidate.seeds for candidate in result.candidates), key=len),
        "generated": generators(result),
        "robustness": run.facts.robustness,
    }


def _pictures(folder: RunFolder, result: SearchResult) -> dict[str, Any]:
    """Pictures of samples through the policies, of test samples whose predictions changed, and of generated samples."""
    pictures = get_modality(result.data.modality).pictures
    fixed, broken = read_captioned(folder.examples, pictures)
    return {
        "galleries": {which: read_gallery(folder.gallery(which), pictures) for which in ("returned", "finalist")},
        "examples": {"Predicted better": fixed, "Predicted worse": broken},
        "samples": {
            kind: read_captioned(folder.samples(kind), pictures, "A generated sample of class ")[0]
            for kind in result.generated
        },
    }


def _code(folder: RunFolder, result: SearchResult) -> dict[str, Any]:
    """The returned policy as text and as code, and the lines that use the code."""
    modules = sorted(folder.root.glob("policy_*.py"))
    policy = result.returned_candidate.policy
    usage = code_lines(modules[-1], policy, result.data) if modules else []
    return {
        "policy_text": read_text(folder.policy, RunError),
        "changes": policy.changes_samples,
        "modules": {path.stem.removeprefix("policy_"): read_text(path, RunError) for path in modules},
        # Readers may have the page without the folder, and have it elsewhere.
        "usage": [line.replace(str(modules[-1]), modules[-1].name) for line in usage],
    }


def _by_section(facts: RunFacts) -> dict[str, list[Chart]]:
    sections: dict[str, list[Chart]] = defaultdict(list)  # templates also ask for sections without charts
    for chart in draw_charts(facts):
        sections[chart.section].append(chart)
    return sections
