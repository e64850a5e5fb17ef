"""What is said of how far a long command is."""

from __future__ import annotations

import re

import pytest

from cli import progress
from cli.progress import fold_progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_preparation_says_nothing_of_the_speed(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with fold_progress("Rebuilding") as report:
        for clock.now, position in ((8.0, 32), (9.0, 1_032), (14.0, 6_032)):
            report(position, 9_032)
    assert capsys.readouterr().err.splitlines() == [
        "Rebuilding: 32 of 9,032 events",
        "Rebuilding: 6,032 of 9,032 events, 1,000/s, 3 s left",
    ]


def test_nor_does_what_was_there_before(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with fold_progress("Folding") as report:
        for clock.now, position in ((1.0, 1_000_000), (11.0, 1_000_100)):
            report(position, 1_000_200)
    assert re.findall(r"[\d.]+ s left", capsys.readouterr().err) == ["10 s left"]
