"""How far a fold of the log is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from projections.rebuild import Progress

LINE_SECONDS = 5.0


@contextmanager
def fold_progress(title: str) -> Iterator[Progress]:
    """Shows progress on standard error; what is over at once shows nothing."""
    if sys.stderr.isatty():
        with _bar(title) as progress:
            yield progress
    else:
        yield _Lines(title)


class _Lines:
    def __init__(self, title: str) -> None:
        self._title = title
        self._started = self._said = time.monotonic()

    def __call__(self, position: int, head: int) -> None:
        now = time.monotonic()
        if now < self._said + LINE_SECONDS:
            return
        self._said = now
        speed = position / (now - self._started)
        left = (head - position) / speed
        typer.echo(f"{self._title}: {position:,} of {head:,} events, {speed:,.0f}/s, {left:.0f} s left", err=True)


@contextmanager
def _bar(title: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    speed = TextColumn("{task.fields[speed]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, speed="")
        started = time.monotonic()

        def progress(position: int, head: int) -> None:
            per_second = position / max(time.monotonic() - started, 0.001)
            bar.update(task, completed=position, total=head, speed=f"{per_second:,.0f} events/s")

        yield progress
