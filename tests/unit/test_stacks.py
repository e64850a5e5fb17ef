"""Where an error came from is told; what may stand in the words of a driver is not."""

from __future__ import annotations

from infra.stacks import MAX_STACK, stack_of

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


def test_a_long_one_keeps_its_end() -> None:
    def fall(depth: int) -> None:
        if depth:
            fall(depth - 1) if depth % 2 else fall(depth - 1)  # other lines, so that Python doesn't put them together
        else:
            raise ValueError

    error = ValueError()
    for number in range(300):
        error.__cause__, error = error, ValueError(number)  # type: ignore[misc]
        try:
            raise error
        except ValueError:
            pass
    told = stack_of(error)
    assert len(told) <= MAX_STACK
    assert told.endswith("ValueError\n")
