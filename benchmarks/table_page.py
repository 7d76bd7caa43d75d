"""What the table shows: which policies are best on each set, and whether cheap trials would have told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from scipy.stats import spearmanr

from benchmarks.page import Section, Table
from benchmarks.table_file import TableFile

USUAL = ("none", "flip-crop", "randaugment", "trivialaugment", "flip-crop+trivialaugment-wide")
#: Two policies are told apart where their accuracies differ by this many points.
APART = 1.0
BEST_HEAD = ("set", "policies", "none", "best usual baseline", "best", "", "the quarter's best, at full length", "")
RANK_HEAD = ("set", "policies at both", "rank correlation", "pairs apart at full length", "turned round on a quarter")


def accuracies(table: TableFile, data: str, fidelity: str) -> dict[str, float]:
    """The mean test accuracy over the seeds of each policy with cells on a set, in percent, by fingerprint."""
    tested = table.about["sets"][data]["sizes"][2]
    return {fingerprint: 100 * share for fingerprint, share in table.accuracies(data, fidelity, -tested).items()}


def turned_round(full: Mapping[str, float], quarter: Mapping[str, float]) -> tuple[int, int]:
    """How many pairs of policies are apart at full length, and how many of them a quarter of the data ranks the other
    way round.
    """
    apart = [(a, b) for a, b in combinations(sorted(full.keys() & quarter.keys()), 2) if abs(full[a] - full[b]) > APART]
    return len(apart), sum((full[a] - full[b]) * (quarter[a] - quarter[b]) < 0 for a, b in apart)


def sections(table: TableFile) -> Iterator[Section]:
    """Two tables with a row per set: the best policies, and the ranks."""
    names = {fingerprint: policy["name"] for fingerprint, policy in table.about["policies"].items()}
    best, ranks = [], []
    for data in table.about["sets"]:
        quarter, full = (accuracies(table, data, fidelity) for fidelity in ("quarter", "full"))
        both = sorted(full.keys() & quarter.keys())
        if len(both) < 3:
            continue
        usual = {names[f]: score for f, score in full.items() if names[f] in USUAL}
        top, cheap = max(full, key=lambda f: full[f]), max(both, key=lambda f: quarter[f])
        strongest = max(usual, key=lambda name: usual[name])
        best.append(
            [
                *(data, str(len(full)), f"{usual['none']:.1f}", f"{strongest} {usual[strongest]:.1f}"),
                *(names[top], f"{full[top]:.1f}", names[cheap], f"{full[cheap]:.1f}"),
            ]
        )
        correlation = spearmanr([quarter[f] for f in both], [full[f] for f in both]).statistic
        apart, turned = turned_round(full, quarter)
        ranks.append([data, str(len(both)), f"{correlation:.2f}", str(apart), f"{100 * turned / max(1, apart):.0f} %"])
    yield Section("Best policies at full length, test accuracy in %", [Table("", BEST_HEAD, best)])
    yield Section("What a quarter of the data tells", [Table("", RANK_HEAD, ranks)])
