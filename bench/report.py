"""Figures, and how they are written down."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Figure:
    """One line of the report. `ratio` is to the yardstick of the same minute, where a rate is compared."""

    what: str
    value: str
    ratio: float | None = None
    goal: str = ""


@dataclass(frozen=True)
class Section:
    """The figures of one scenario, with the yardstick taken beside them (single-row INSERT+COMMIT per second)."""

    title: str
    yardstick: float
    figures: list[Figure]


HEAD = """# Benchmarks

Written by `make bench`, a section by `python -m bench SCENARIO`; don't edit. Every rate is also given as a ratio to
the yardstick **Y**: single-row INSERT+COMMIT per second from one connection on the same PostgreSQL in the same minute.
Ratios travel between machines; milliseconds don't. The load generator runs on the same cores as the server, so the
server alone would do somewhat more. `fsync` and `synchronous_commit` are on.

“Goal” is what we design for; the figures of CVAT 2.73 stand beside it where there are some: they were measured on
another machine of 2 cores.
"""
SECTION = "\n## "


def text_of(section: Section) -> str:
    """In Markdown, without what makes it a section."""
    where = (
        f"{datetime.now(UTC):%Y-%m-%d}, {len(os.sched_getaffinity(0))} cores, {platform.machine()},"
        f" Python {platform.python_version()}"
    )
    lines = [f"{section.title}\n\nY = {section.yardstick:,.0f}/s ({where})\n"]
    lines.append("| what | measured | ratio to Y | goal |\n|---|---|---|---|")
    for figure in section.figures:
        ratio = f"{figure.ratio:.2f}" if figure.ratio is not None else ""
        lines.append(f"| {figure.what} | {figure.value} | {ratio} | {figure.goal} |")
    return "\n".join([*lines, ""])


def with_sections(report: str, texts: list[str]) -> str:
    """The report with these sections in place of those of the same titles; new ones come last."""
    sections = {text.partition("\n")[0]: text for text in [*report.split(SECTION)[1:], *texts]}
    return SECTION.join([HEAD, *sections.values()])
