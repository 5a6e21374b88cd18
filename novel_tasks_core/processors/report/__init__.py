"""The report of an analysis: one HTML page to read, print and keep, that needs nothing else and runs no script."""

from __future__ import annotations

from novel_tasks_core.processors.report.page import render_report

__all__ = ["render_report"]
