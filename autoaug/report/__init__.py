"""The HTML report: numbers first, then figures, then one self-contained page."""

from __future__ import annotations

from autoaug.report.page import write_report

__all__ = ["write_report"]
