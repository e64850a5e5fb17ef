"""Cell by cell: what somebody has changed in ClickHouse is found, wherever it is, and put right."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import CONSUMER
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.means import expected
from consumers.forwarder.mending.by_hand import mend
from consumers.forwarder.proof.contents import LIMITS, Discrepancy, discrepancies
from consumers.forwarder.rows import Shaper, table_rows
from consumers.forwarder.topology import Wrong
from infra.postgres.database import Database

from .steps import LAYOUT, SMALL, assert_exactly_once, compared, delete, forward, head, means, record

EVENTS = 300


@pytest.fixture
def forwarded(system: System, log: Database, url: str) -> str:
    """The URL of a ClickHouse that has everything."""
    record(system, EVENTS)
    forward(log, url)
    return url


def found(log: Database, clickhouse: Client, shaper: Shaper = table_rows) -> list[Discrepancy]:
    with log.connect() as connection:
        wanted = expected(connection, clickhouse, SMALL, LAYOUT)
        return list(discrepancies(connection, clickhouse, "cvat", shaper, wanted, head(log)))


def tamper(clickhouse: Client, column: str, value: str, where: str) -> None:
    clickhouse.command(
        f"ALTER TABLE cvat.events UPDATE {column} = {value} WHERE {where}", settings={"mutations_sync": 2}
    )


def test_what_was_not_touched_is_equal(
    system: System, log: Database, clickhouse: Client, forwarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[int, int]] = []
    monkeypatch.setattr("consumers.forwarder.proof.contents.LIMITS", LIMITS.__class__(rows=100))
    with log.connect() as connection:
        wanted = expected(connection, clickhouse, SMALL, LAYOUT)
        differing = discrepancies(
            connection, clickhouse, "cvat", table_rows, wanted, EVENTS, lambda *step: steps.append(step)
        )
        assert list(differing) == []
    assert len(steps) > 3
    assert steps[-1] == (EVENTS, EVENTS)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("payload", "replace(payload, 'a test', 'no test')"),
        ("obj_val", "NULL"),
        ("user_name", "concat(user_name, ' ')"),
        ("org_id", "0"),
        ("duration", "duration + 1"),
        ("correlation_id", "''"),
    ],
)
def test_a_cell_that_was_changed_is_found(
    log: Database, clickhouse: Client, forwarded: str, column: str, value: str
) -> None:
    tamper(clickhouse, column, value, "position = 42 AND row = 0")
    assert compared(log, clickhouse).equal, "or the sums would find it anyway"
    assert found(log, clickhouse) == [Discrepancy(42, column)]


def test_several_of_them_and_rows_that_are_missing_or_nobodys(
    log: Database, clickhouse: Client, forwarded: str
) -> None:
    tamper(clickhouse, "payload", "'{}'", "position IN (7, 299)")
    tamper(clickhouse, "user_email", "'mallory@example.org'", "position = 8")
    delete(clickhouse, "position = 9 AND row = 1")
    clickhouse.command("INSERT INTO cvat.events SELECT * REPLACE (5 AS row) FROM cvat.events WHERE position = 10")
    assert found(log, clickhouse) == [
        Discrepancy(7, "payload"),
        Discrepancy(8, "user_email"),
        Discrepancy(9, None),
        Discrepancy(10, None),
        Discrepancy(299, "payload"),
    ]


def test_a_dead_letter_is_not_expected(log: Database, clickhouse: Client, forwarded: str) -> None:
    delete(clickhouse, "position = 20")
    assert found(log, clickhouse) == [Discrepancy(20, None)]
    with log.connect() as connection:
        dead_letters.note(connection, CONSUMER, [DeadLetter.at(20, "insert", "refused")])
    assert found(log, clickhouse) == []


def test_what_a_topology_changes_is_expected(log: Database, clickhouse: Client, forwarded: str) -> None:
    def louder(event: object) -> list[tuple[object, ...]]:
        return [(str(row[0]).upper(), *row[1:]) for row in table_rows(event)]  # type: ignore[arg-type]

    tamper(clickhouse, "scope", "upper(scope)", "1")
    assert found(log, clickhouse, louder) == []
    assert found(log, clickhouse)[0] == Discrepancy(1, "scope")


def test_named_positions_are_sent_anew(log: Database, clickhouse: Client, forwarded: str) -> None:
    tamper(clickhouse, "payload", "'{}'", "position IN (7, 8, 299)")
    assert mend(SMALL, means(log, forwarded)).events == 0, "sums do not tell"
    assert mend(SMALL, means(log, forwarded), [(7, 8)]).events == 2
    assert found(log, clickhouse) == [Discrepancy(299, "payload")]
    assert mend(SMALL, means(log, forwarded), [(290, EVENTS)]).events == 11
    assert_exactly_once(log, clickhouse)
    with pytest.raises(Wrong, match="position 301 is behind 300"):
        mend(SMALL, means(log, forwarded), [(300, 301)])
