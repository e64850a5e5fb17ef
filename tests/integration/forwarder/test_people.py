"""A campaign's log without people: whoever gets its rows can count them, and can't tell who they are."""

from __future__ import annotations

import re

import orjson
import pytest

from cli.bootstrap import System
from consumers.forwarder.rows import COLUMNS, Shaper
from consumers.forwarder.topology import Topology
from infra.eventlog.reader import LogReader

from ...campaign import Summary, simulate

FIRST = 770_000_001
"""Of the numbers of people, which are no other numbers then."""

Rows = list[dict[str, object]]


def shaper(how: str) -> Shaper:
    redacted = {"type": "redact", "input": "log", "people": True, "how": how}
    sink = {"type": "stdout", "input": "nobody"}
    topology = {"sources": {"log": {"type": "log"}}, "transforms": {"nobody": redacted}, "sinks": {"out": sink}}
    return Topology.model_validate(topology).route("out").shaper(b"secret")


@pytest.fixture
def summary(system: System) -> Summary:
    system.database.query("SELECT setval('log.user_ids', %s, false)", (FIRST,))
    return simulate(system, people=6, days=2, events=2_500)


def shaped(system: System, how: str) -> Rows:
    rows, shape = [], shaper(how)
    with system.database.connection() as connection:
        for event in LogReader().stream(connection, 0, 2**62):
            rows += [dict(zip(COLUMNS, row, strict=True)) for row in shape(event)]
    return rows


@pytest.mark.parametrize("how", ["hash", "remove"])
def test_nobody_is_named_or_numbered(system: System, summary: Summary, how: str) -> None:
    names = "|".join(summary.people.values())
    numbers = "|".join(map(str, summary.people))
    somebody = re.compile(rf"\b({names})\b|\b({numbers})\b|@example", re.IGNORECASE)
    rows = shaped(system, how)
    assert len(rows) > summary.events
    found = [text for row in rows if somebody.search(text := orjson.dumps(row, default=str).decode())]
    assert found == []


def test_what_each_did_can_still_be_counted(system: System, summary: Summary) -> None:
    rows = shaped(system, "hash")
    codes = {row["obj_id"]: row["obj_name"] for row in rows if row["scope"] == "create:user"}
    assert len(codes) == len(summary.people)
    hours: dict[object, int] = {}
    for row in rows:
        if row["scope"] == "send:working_time":
            assert codes[row["user_id"]] == row["user_name"]
            hours[row["user_name"]] = hours.get(row["user_name"], 0) + int(str(row["duration"]))
    assert sorted(hours.values()) == sorted(summary.working_ms.values())
