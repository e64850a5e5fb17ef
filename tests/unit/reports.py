"""Whatever a client may send to `POST /api/events`, and what the log holds of what is taken."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from api.schemas.telemetry import ClientEventsWrite
from domain.errors import Invalid
from domain.event import Event
from domain.telemetry import CLIENT_SCOPES, Telemetry

from .domain.given import ANN
from .domain.memory_log import MemoryLog

NOON = "2026-11-20T12:00:00Z"
EDGES = [0, 1, 2**16 - 1, 2**16, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -1, -(2**63)]
NUMBERS = st.none() | st.integers(0, 100) | st.sampled_from(EDGES) | st.integers(-(2**65), 2**65)
ODD = st.sampled_from([1.5, 2.0, True, "7", "", "x", "\0", [], {}])
TEXTS = st.none() | st.sampled_from(["\0", "\ud800", "\U0001f600", "'\"\\`\t\r\n\u2028"]) | st.text(max_size=20)
YEARS = st.sampled_from(["1900", "1969", "1970", "2026", "2106", "2199", "2200", "2201", "2300", "9999", "0001"])
TIMES = st.builds(
    "{}-{:02}-{}{}".format,
    st.just("2026") | YEARS,
    st.integers(1, 12),
    st.sampled_from(["01T00:00:00", "15T12:30:00.999999999", "28T23:59:59.9995", "30T24:00:00", "28"]),
    st.sampled_from(["Z", "", "+23:59", "-11:30"]),
) | st.sampled_from([0, -1, 1e300, 1700000000, "now"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=True) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "status_code", "working_time", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)
PAYLOADS = st.none() | VALUES.map(json.dumps) | st.sampled_from(["", "{", '"\\ud800"', "[" * 900 + "]" * 900, "1e999"])
NUMBERED = ("obj_id", "count", "duration", "project_id", "task_id", "job_id")
EVENTS = st.fixed_dictionaries(
    {"scope": st.sampled_from(sorted(CLIENT_SCOPES)) | st.just("change:frame"), "timestamp": TIMES},
    optional={
        **dict.fromkeys(NUMBERED, NUMBERS | ODD),
        **dict.fromkeys(("obj_name", "obj_val"), TEXTS | ODD),
        "payload": PAYLOADS,
    },
)


def sensible(event: dict[str, Any]) -> dict[str, Any]:
    """Without what it would be refused for."""
    kept = {"scope": event["scope"], "timestamp": NOON}
    for name, value in event.items():
        if recorded({"timestamp": NOON, "events": [kept | {name: value}]}) is not None:
            kept[name] = value
    return kept


SENSIBLE_EVENTS = EVENTS.map(sensible)
REPORTS = st.fixed_dictionaries(
    {"timestamp": st.sampled_from([NOON, "2026-10-01", "1900-01-01", "2200-12-31T23:59:59.999Z"])},
    optional={"events": st.lists(SENSIBLE_EVENTS, max_size=8), "previous_event": st.none() | SENSIBLE_EVENTS},
)


def recorded(body: Any) -> list[Event] | None:
    """What a body leaves in the log; None if it is refused."""
    log = MemoryLog()
    try:
        report = ClientEventsWrite.model_validate_json(json.dumps(body)).report()
        Telemetry(log).report(ANN, report, "192.0.2.7")
    except (ValidationError, Invalid):
        return None
    return log.events
