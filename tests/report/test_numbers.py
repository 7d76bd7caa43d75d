"""What the report says of a search: stages, how well cheap scores ranked, compromises, and the shift."""

from __future__ import annotations

import pytest
from scipy.stats import spearmanr

from autoaug.policy.models import Policy
from autoaug.report import change_numbers, numbers
from autoaug.results import Candidate, DataSummary, Returned, SearchResult, TrialSummary


def trial(number: int, accuracy: float, **changes: object) -> TrialSummary:
    given = {
        "number": number,
        "name": f"trial-{number}",
        "stage": "search",
        "data_fraction": 1.0,
        "seed_index": 0,
        "status": "complete",
        "values": (accuracy,),
        "accuracy": accuracy,
        "curve": ((5, accuracy - 0.1), (10, accuracy)),
        "seconds": 1.0,
        "sample_passes": 100,
        "reason": "",
        "note": "",
        "is_baseline": False,
        "fingerprint": f"print-{number}",
        **changes,
    }
    return TrialSummary.model_validate(given)


def result(*history: TrialSummary, **changes: object) -> SearchResult:
    return SearchResult.model_construct(
        history=history, **{"objectives": ("accuracy",), "probes": {}, "candidates": (), **changes}
    )


def candidate(number: int, validation: float) -> Candidate:
    return Candidate.model_construct(
        fingerprint=f"print-{number}", validation_mean=validation, policy=Policy(), name=f"trial-{number}"
    )


def test_best_so_far_is_followed_for_each_share_alone() -> None:
    found = numbers.history(
        [
            trial(0, 0.5, data_fraction=0.25),
            trial(1, 0.4, data_fraction=0.25),
            trial(2, 0.7),
            trial(3, 0.6, data_fraction=0.25),
        ]
    )
    assert found.best == {0.25: ((0, 50.0), (1, 50.0), (3, 60.0)), 1.0: ((2, 70.0),)}


def test_stages_tell_where_the_compute_went() -> None:
    rows = numbers.stages(
        result(
            trial(0, 0.5, stage="a"),
            trial(1, 0.6, stage="b", sample_passes=200, data_fraction=0.25),
            trial(2, 0.4, stage="a"),
            probes={"matching": {"sample_passes": 100}},
        )
    )
    assert [(r.name, r.trials, r.compute, r.best_name) for r in rows] == [
        ("probe: matching", 0, 20.0, ""),
        ("a", 2, 40.0, "trial-0"),
        ("b", 1, 40.0, "trial-1"),
    ]


def test_fidelity_is_the_rank_correlation_with_the_mean_of_repeats() -> None:
    cheap, whole = [0.30, 0.35, 0.33, 0.40, 0.38], [0.50, 0.52, 0.55, 0.60, 0.58]
    history = [trial(i, value, data_fraction=0.25) for i, value in enumerate(cheap)]
    history.append(
        trial(9, 0.5, data_fraction=0.25, fingerprint="print-0", seed_index=1)
    )  # the mean of print-0 is then 0.40
    found = numbers.fidelity(result(*history, candidates=tuple(candidate(i, v) for i, v in enumerate(whole))))
    against = next(row for row in found if row.whole == "confirmation")
    assert against.policies == 5
    assert against.correlation == pytest.approx(spearmanr([0.40, *cheap[1:]], whole).statistic)
    rungs = next(row for row in found if row.whole == "its end")
    assert rungs.correlation == pytest.approx(1.0)


def test_the_front_holds_what_nothing_beats() -> None:
    values = [(0.9, 0.2, 1.0), (0.8, 0.3, 1.0), (0.7, 0.1, 1.0), (0.9, 0.2, 1.004), (0.6, 0.1, 0.5)]
    trials = [trial(i, v[0], values=v) for i, v in enumerate(values)]
    points = numbers.front(result(*trials, objectives=("accuracy", "robustness", "compute")))
    assert [p.number for p in points if p.is_best] == [0, 1, 3, 4]
    assert numbers.front(result(trial(0, 0.5))) == []


def test_the_shift_is_told_with_its_gate() -> None:
    policy = {"layers": [{"sub_policies": [{"operations": [{"operator": "Rotate", "magnitude": [0, 0.25]}]}]}]}
    finding = {"policy": policy, "initial": 0.1, "residual": 0.002, "noise": 0.001, "sample_passes": 5}
    gate = [
        trial(i, value, name=name, data_fraction=0.25, seed_index=seed_index)
        for i, (name, seed_index, value) in enumerate(
            [("none", 0, 0.4), ("matched", 0, 0.5), ("none", 1, 0.4), ("matched", 1, 0.3)]
        )
    ]
    text = numbers.shift(result(*gate, probes={"matching": finding}))
    assert text is not None
    assert "Rotate explain 98 % of it; what is left is within the noise" in text
    assert "they gain +10.0 and -10.0 points: the gate is not passed" in text
    nothing = numbers.shift(result(probes={"matching": {**finding, "policy": None}}))
    assert nothing is not None
    assert "no operator explains it" in nothing
    assert numbers.shift(result()) is None


def test_a_class_that_the_test_split_lacks_is_left_out_of_the_report() -> None:
    def candidate_policy(name: str, kind: str, accuracies: tuple[float, ...]) -> Candidate:
        rows = tuple((value, None, 1.0) for value in accuracies)
        return Candidate.model_construct(
            name=name,
            kind=kind,
            mean=0.5,
            validation_mean=0.5,
            seeds=(1, 2),
            class_accuracy=(sum(accuracies) / 2, None, 1.0),
            class_accuracies=rows,
            confusion=((6, 2, 0), (0, 0, 0), (0, 0, 8)),
        )

    candidate_policies = (
        candidate_policy("none", "baseline", (0.5, 0.25)),
        candidate_policy("found", "searched", (0.75, 0.75)),
    )
    about = DataSummary.model_construct(classes=("a", "b", "c"))
    given = result(candidates=candidate_policies, data=about, returned=Returned.model_construct(name="found"))
    found = change_numbers.classes(given)
    assert found is not None
    assert [(row.name, row.before, row.after) for row in found.rows] == [("c", 100.0, 100.0), ("a", 37.5, 75.0)]
    shares = change_numbers.confusion(given)
    assert shares is not None
    assert shares.before == ((75.0, 25.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 100.0))
