"""What the command line says of copies and of a model's robustness."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from autoaug import api
from autoaug.cli.main import app
from autoaug.results.robustness import Robustness


def test_robustness_names_the_metric_and_counts_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may be compared by another metric, and tested on a fold or on fewer samples than asked for."""
    found = Robustness(inputs=1200, attack="PGD", clean=0.5, attacked=0.25, corrupted={"fog": (0.5,) * 5})
    monkeypatch.setattr(api, "robustness", lambda **_: found)
    said = CliRunner().invoke(app, ["robustness", "data", "run"])
    assert "accuracy on 1,200 test samples: clean 50.0 %, under PGD: 25.0 %" in said.stdout.splitlines()
