"""CMA-ES, whose package is an extra."""

from __future__ import annotations

import sys

import pytest

from autoaug.errors import OptionError
from autoaug.search.space import load_space
from autoaug.search.strategies import get_strategy


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    space = load_space("flat")
    get_strategy("cmaes").check(space)
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(OptionError, match=r"needs the package cmaes: pip install 'autoaug\[cmaes\]'"):
        get_strategy("cmaes").check(space)
