"""The HTML report: numbers first, then figures, then self-contained pages."""

from __future__ import annotations

from autoaug.report.page import notebook_view, report_page, write_comparison, write_figures, write_report

__all__ = ["notebook_view", "report_page", "write_comparison", "write_figures", "write_report"]
