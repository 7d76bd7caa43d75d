"""What a reader should know of a result that its score does not show."""

from __future__ import annotations

from autoaug.evaluation.statistics import FEWEST_SEEDS
from autoaug.results import RECALL, Candidate, SearchResult

#: At most this many classes are listed.
_MOST_LISTED = 10


def cautions(result: SearchResult) -> list[str]:
    """Sentences about the returned policy: the recall per class where classes are uneven, and whether its accuracy is
    that of a constant answer; empty where there is nothing to say.
    """
    returned = result.returned_candidate
    return [words for words in (_uneven(result, returned), _constant(result, returned)) if words]


def _uneven(result: SearchResult, returned: Candidate) -> str:
    counts, classes = result.data.class_counts, result.data.classes
    if not result.data.is_uneven or not returned.class_scores:
        return ""
    known = [(score, name) for name, score in zip(classes, returned.class_scores, strict=True) if score is not None]
    shown = [f"{name!r} {RECALL.shown(score)}" for score, name in sorted(known)]
    if len(shown) > _MOST_LISTED:
        shown = [*shown[: _MOST_LISTED - 1], f"{len(shown) - _MOST_LISTED} more", shown[-1]]
    least, most = (classes[counts.index(pick(counts))] for pick in (min, max))
    is_even = result.metric.name in {"balanced accuracy", "macro F1"}
    cure = "" if is_even else "; --metric balanced-accuracy counts all classes alike"
    samples = "sample" if min(counts) == 1 else "samples"
    return (
        f"Classes are uneven: {min(counts)} training {samples} of {least!r}, {max(counts)} of {most!r}. Recall per "
        f"class with {returned.label}: {', '.join(shown)}{cure}."
    )


def _constant(result: SearchResult, returned: Candidate) -> str:
    """A warning if the accuracy is not proven to be above that of always answering the most frequent class. Too few
    seeds prove nothing: then it is warned of an accuracy that is not above it.
    """
    counts = [sum(row) for row in returned.confusion]
    known = returned.metrics.get("accuracy")
    low = known.ci95[0] if known else returned.ci95[0] if result.metric.name == "accuracy" else None
    if low is None or not sum(counts):
        return ""
    share, accuracy = max(counts) / sum(counts), sum(row[i] for i, row in enumerate(returned.confusion)) / sum(counts)
    if low > share or (len(returned.seeds) < FEWEST_SEEDS and accuracy > share):
        return ""
    name = result.data.classes[counts.index(max(counts))]
    return (
        f"Warning: always answering {name!r} would be right on {RECALL.shown(share)} of the test samples, and "
        f"{returned.label}, with {RECALL.shown(accuracy)}, is not proven to do better."
    )
