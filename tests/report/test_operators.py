"""The page of operators."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autoaug.modalities.operators import get_operator
from autoaug.report.operators import DrawnModality, DrawnOperator, write_operators_page


def test_it_has_the_frame_and_style_of_the_report(tmp_path: Path) -> None:
    samples = np.zeros((2, 3, 4, 4), np.uint8)
    shear = DrawnOperator(get_operator("ShearX"), ["-1", "+1"], np.stack([samples] * 2))
    write_operators_page(tmp_path / "page.html", {"image": DrawnModality(samples, [shear])})
    page = (tmp_path / "page.html").read_text()
    style = (Path(write_operators_page.__code__.co_filename).parent / "templates/style.css").read_text()
    assert style in page
    assert page.count("data:image/png") == 2 + 2 * 2
    assert 'id="ShearX"' in page
    assert 'alt="ShearX +1"' in page
