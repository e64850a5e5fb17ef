"""Where an error came from is told; what may stand in the words of a driver is not."""

from __future__ import annotations

import pytest

from infra.stacks import MAX_ERRORS, MAX_STACK, stack_of

SECRET = "postgresql://annals:hunter2@db/annals"


def connect(url: str) -> None:
    raise ConnectionError(f"no answer from {url}")


def work() -> None:
    try:
        connect(SECRET)
    except ConnectionError as error:
        error.add_note(SECRET)
        raise RuntimeError(f"can't go on without {SECRET}") from error


def stack() -> str:
    try:
        work()
    except RuntimeError as error:
        return stack_of(error)
    raise AssertionError


def test_it_names_places_and_kinds_of_errors_and_what_they_came_from() -> None:
    lines = stack().splitlines()
    assert lines[-1] == "RuntimeError"
    assert lines.index("ConnectionError") < lines.index("RuntimeError")
    assert "connect(SECRET)" in [line.strip() for line in lines]
    assert any(line.endswith("in connect") for line in lines)


def test_it_repeats_nothing_that_errors_say() -> None:
    assert "hunter2" not in stack()


def test_of_a_group_each_error_is_told() -> None:
    told = stack_of(ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)]))
    assert "ValueError" in told
    assert "KeyError" in told
    assert "hunter2" not in told


def ping(depth: int, cause: Exception) -> None:
    pong(depth - 1, cause)


def pong(depth: int, cause: Exception) -> None:
    if depth <= 0:
        raise LookupError from cause
    ping(depth - 1, cause)


def test_a_long_one_keeps_its_end() -> None:
    error: Exception = ValueError()
    for _ in range(2 * MAX_ERRORS):
        try:
            ping(1, error)
        except LookupError as later:
            error = later
    assert stack_of(error).count("LookupError\n") == MAX_ERRORS
    with pytest.raises(LookupError) as deep:
        ping(200, error)
    told = stack_of(deep.value)
    assert len(told) == MAX_STACK
    assert told.endswith("LookupError\n")
