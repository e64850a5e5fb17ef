"""ClickHouse refuses, breaks off, dawdles, or refuses one event for ever: none is lost, none double, lag recovers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from urllib.parse import urlsplit

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import CONSUMER
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.mending.resending import resend
from domain.events.project import ProjectCreated
from infra.postgres.database import Database

from ...waiting import wait_until
from .moody import Answer, Moody, content, having, inserts, inserts_after, moody
from .steps import (
    ME,
    SMALL,
    assert_exactly_once,
    compared,
    count,
    forward,
    forwarded,
    forwarding,
    is_failing,
    means,
    record,
)

POISON = "a name that ClickHouse can't stand"


@pytest.fixture
def proxy(url: str) -> Iterator[Moody]:
    with moody(urlsplit(url).port or 0) as proxy:
        yield proxy


def letters(log: Database) -> list[DeadLetter]:
    with log.connect() as connection:
        return dead_letters.listed(connection, CONSUMER)


def record_poison(system: System, number: int) -> int:
    """Returns its position."""
    (event,) = system.app.record(ME, [ProjectCreated(number, POISON, None, None, "", None, None, None)])
    return event.position


PASSING = [
    Answer(200, text="<html>Please log in</html>"),
    Answer(200, text="Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)"),
    Answer(400),
    Answer(403, 497, "Not enough privileges"),
    Answer(404, 60, "Unknown table"),
    Answer(429),
    Answer(500, 243, "Cannot reserve 1.00 MiB, not enough space"),
    Answer(500, 252, "Too many parts"),
    Answer(502),
    Answer(503, 202, "Too many simultaneous queries"),
    Answer(400, 48, "Some error that nobody knows"),
]


def test_what_the_server_refuses_for_a_while_is_no_fault_of_the_events(
    system: System, log: Database, url: str, clickhouse: Client, proxy: Moody
) -> None:
    """One answer after the other, each for a while."""
    with forwarding(log, proxy.url(url)) as forwarder:
        for answer in PASSING:
            held, failed = count(clickhouse), forwarder.status.snapshot().failures
            proxy.mood = inserts(answer)
            record(system, 50)
            wait_until(lambda failed=failed: is_failing(forwarder, failed + 3))  # type: ignore[misc]
            assert count(clickhouse) == held, answer
            proxy.mood = content
            wait_until(lambda: forwarded(log))
            wait_until(lambda: forwarder.status.snapshot().last_error is None)
    assert letters(log) == []
    assert_exactly_once(log, clickhouse)


def test_answers_that_get_lost_double_nothing(
    system: System, log: Database, url: str, clickhouse: Client, proxy: Moody
) -> None:
    record(system, 350)
    proxy.arrives_but_unanswered = True
    with forwarding(log, proxy.url(url)) as forwarder:
        wait_until(lambda: forwarder.status.snapshot().failures >= 3)
        proxy.arrives_but_unanswered = False
        wait_until(lambda: forwarded(log))
    assert_exactly_once(log, clickhouse)


def test_a_slow_clickhouse_is_waited_for(
    system: System, log: Database, url: str, clickhouse: Client, proxy: Moody
) -> None:
    record(system, 300)
    proxy.mood = inserts_after(0.2)
    with forwarding(log, proxy.url(url)) as forwarder:
        wait_until(lambda: forwarded(log))
        assert forwarder.status.snapshot().failures == 0
    assert_exactly_once(log, clickhouse)


@pytest.mark.parametrize(
    "answer",
    [Answer(400, 27, "Cannot parse input"), Answer(500, 395, "An error of no list"), Answer(400)],
    ids=["a code about data", "another code", "none"],
)
def test_an_event_that_clickhouse_refuses_is_set_aside_and_sent_when_that_is_mended(
    system: System, log: Database, url: str, clickhouse: Client, proxy: Moody, answer: Answer
) -> None:
    record(system, 70)
    first = record_poison(system, 1)
    record(system, 70)
    second = record_poison(system, 2)
    record(system, 20)
    proxy.mood = having(POISON.encode(), answer)
    forward(log, proxy.url(url))
    assert [(letter.position, letter.stage) for letter in letters(log)] == [(first, "insert"), (second, "insert")]
    assert all(answer.text in letter.error for letter in letters(log))
    found = compared(log, clickhouse)
    assert (found.missing, found.dead, found.doubled, found.first_wrong) == (0, 2, 0, None)
    assert str(found.difference).startswith(f"position {first} and 1 more could not be passed on: see annals forward")
    held = count(clickhouse)
    forward(log, proxy.url(url))  # a start does not take the holes for a loss
    assert count(clickhouse) == held

    again = resend(SMALL, means(log, proxy.url(url)), letters(log))
    assert (again.delivered, [letter.position for letter in again.dead]) == (0, [first, second])
    proxy.mood = content
    again = resend(SMALL, means(log, proxy.url(url)), letters(log))
    assert (again.delivered, again.dead, letters(log)) == (2, [], [])
    assert_exactly_once(log, clickhouse)


@pytest.mark.parametrize(
    ("answer", "turns"),
    [
        (Answer(500, 286, "No quorum"), (True, False)),
        (Answer(500, 1000, "I/O error"), (True, False)),
        (Answer(403), (True, True, False)),
    ],
    ids=["of the server", "of anything", "of a proxy"],
)
def test_what_is_refused_now_and_then_makes_no_dead_letters(
    system: System, log: Database, url: str, proxy: Moody, answer: Answer, turns: tuple[bool, ...]
) -> None:
    answers = cycle(turns)
    proxy.mood = lambda request: answer if b"INSERT INTO" in request and next(answers) else None
    with forwarding(log, proxy.url(url)) as forwarder:
        for _ in range(3):
            record(system, 5)
            wait_until(lambda: forwarded(log))
        assert (proxy.refused > 2, forwarder.status.snapshot().dead) == (True, 0)
    assert letters(log) == []


def test_the_last_event_and_the_only_one_may_be_refused(
    system: System, log: Database, url: str, clickhouse: Client, proxy: Moody
) -> None:
    proxy.mood = having(POISON.encode(), Answer(400, 395))
    with forwarding(log, proxy.url(url)) as forwarder:
        record_poison(system, 1)
        wait_until(lambda: forwarder.status.snapshot().dead == 1)
        assert forwarded(log)
    with forwarding(log, proxy.url(url)) as forwarder:  # goes on behind it
        record(system, 5)
        wait_until(lambda: forwarder.status.snapshot().events == 5)
        assert forwarded(log)
    resend(SMALL, means(log, url), letters(log))
    assert_exactly_once(log, clickhouse)


def test_an_event_that_cannot_be_decoded_is_set_aside(
    system: System, log: Database, url: str, clickhouse: Client
) -> None:
    record(system, 20)
    with log.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE log.events SET type = 'OfAnotherWorld' WHERE position = 7")
    record(system, 20)
    forward(log, url)
    (letter,) = letters(log)
    assert (letter.position, letter.stage) == (7, "read")
    assert "OfAnotherWorld" in letter.error
    assert (compared(log, clickhouse).missing, compared(log, clickhouse).first_wrong) == (0, None)
