"""The HTML report: numbers, then figures and tables, then self-contained pages."""

from __future__ import annotations

from autoaug.report.comparison import write_comparison
from autoaug.report.figure_files import write_figures
from autoaug.report.page import notebook_view, report_page, write_report

__all__ = ["notebook_view", "report_page", "write_comparison", "write_figures", "write_report"]
