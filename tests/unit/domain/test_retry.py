"""Deciding again when somebody else was faster."""

from __future__ import annotations

import pytest

from domain.errors import Conflict, VersionConflict
from domain.retry import ATTEMPTS, decide_again


class Faster:
    """A command that somebody else is faster than, a number of times."""

    def __init__(self, times: int, error: Exception | None = None) -> None:
        self.left, self.calls, self.error = times, 0, error or VersionConflict("job-5", 1, 2)

    def __call__(self, value: int, *, factor: int = 1) -> int:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error
        return value * factor


@pytest.mark.parametrize("times", range(ATTEMPTS))
def test_a_command_decides_again_until_it_is_first(times: int) -> None:
    command = Faster(times)
    assert decide_again(command)(3, factor=2) == 6
    assert command.calls == times + 1


def test_it_gives_up_in_the_end() -> None:
    command = Faster(ATTEMPTS)
    with pytest.raises(VersionConflict):
        decide_again(command)(3)
    assert command.calls == ATTEMPTS


@pytest.mark.parametrize("error", [Conflict("another"), ValueError()])
def test_other_errors_are_final(error: Exception) -> None:
    command = Faster(1, error)
    with pytest.raises(type(error)):
        decide_again(command)(3)
    assert command.calls == 1


def test_a_conflict_says_what_happened() -> None:
    conflict = VersionConflict("job-5", 1, 2)
    assert (conflict.stream, conflict.expected, conflict.actual) == ("job-5", 1, 2)
    assert conflict.message == "job-5 is at version 2, not 1: somebody else changed it first"
