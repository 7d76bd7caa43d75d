"""How well cheap scores ranked."""

from __future__ import annotations

import pytest
from scipy.stats import spearmanr

from autoaug.report.tables.fidelity import fidelity
from tests.report.records import candidate, result, trial


def test_fidelity_is_the_rank_correlation_with_the_mean_of_repeats() -> None:
    cheap, whole = [0.30, 0.35, 0.33, 0.40, 0.38], [0.50, 0.52, 0.55, 0.60, 0.58]
    history = [trial(i, value, data_fraction=0.25) for i, value in enumerate(cheap)]
    history.append(
        trial(9, 0.5, data_fraction=0.25, fingerprint="print-0", seed_index=1)
    )  # the mean of print-0 is then 0.40
    fidelities = fidelity(result(*history, candidates=tuple(candidate(i, v) for i, v in enumerate(whole))))
    against = next(row for row in fidelities if row.whole == "confirmation")
    assert against.policies == 5
    assert against.correlation == pytest.approx(spearmanr([0.40, *cheap[1:]], whole).statistic)
    rungs = next(row for row in fidelities if row.whole == "its end")
    assert rungs.correlation == pytest.approx(1.0)
