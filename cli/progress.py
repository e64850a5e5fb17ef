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
        self._title, self._speed = title, _Speed()
        self._said = time.monotonic()

    def __call__(self, position: int, head: int) -> None:
        now = time.monotonic()
        speed = self._speed(position, now)
        if now < self._said + LINE_SECONDS:
            return
        self._said = now
        pace = f", {speed:,.0f}/s, {(head - position) / speed:.0f} s left" if speed else ""
        typer.echo(f"{self._title}: {position:,} of {head:,} events{pace}", err=True)


class _Speed:
    """Events per second since the first report: what comes before that is preparation, or was done another time."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def __call__(self, position: int, now: float) -> float:
        """0 as long as it is unknown."""
        if self._first is None:
            self._first = position, now
        first, began = self._first
        return (position - first) / (now - began) if now > began else 0.0


@contextmanager
def _bar(title: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = TextColumn("{task.fields[speed]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), shown, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, speed = bar.add_task(title, total=None, speed=""), _Speed()

        def progress(position: int, head: int) -> None:
            pace = speed(position, time.monotonic())
            bar.update(task, completed=position, total=head, speed=f"{pace:,.0f} events/s" if pace else "")

        yield progress
