"""Texts in the report stand beside each other: they need more room than pictures, of which the columns are narrow."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import pytest

import autoaug.report
from autoaug.modalities.text.pictures import html
from autoaug.modalities.text.tokens import as_rows, tokenized
from tests.modalities.text.writing import TEXTS

STYLE = (Path(autoaug.report.__file__).parent / "templates/style.css").read_text(encoding="utf-8")


def page_of(texts: list[str]) -> str:
    shown = "".join(f"<figure>{html(row, 'a text')}</figure>" for row in as_rows(map(tokenized, texts), 40))
    strips = (
        f'<div class="strips"><div><div class="strip">{shown}</div></div></div><div class="strip wide">{shown}</div>'
    )
    return f'<style>{STYLE}</style><main><div class="gallery">{shown}</div>{strips}</main>'


def test_columns_of_texts_are_wide() -> None:
    assert re.match(r'<p [^>]*role="img"', html(as_rows([tokenized("one")], 4)[0], "a text"))
    for name in ("gallery", "strip"):
        assert re.search(rf'^\.{name}:has\(p\[role="img"\]\) .*minmax\(1[24]rem, 1fr\)', STYLE, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
def test_texts_do_not_overlap_nor_leave_the_page(width: int) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed; scripts/test installs it where it may")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.set_content(page_of([*TEXTS]))
        boxes = [element.bounding_box() for element in page.query_selector_all("p")]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()
    assert len(boxes) == 3 * len(TEXTS)
    for one, other in itertools.combinations([box for box in boxes if box], 2):
        beside = one["x"] + one["width"] <= other["x"] + 0.5 or other["x"] + other["width"] <= one["x"] + 0.5
        above = one["y"] + one["height"] <= other["y"] + 0.5 or other["y"] + other["height"] <= one["y"] + 0.5
        assert beside or above
