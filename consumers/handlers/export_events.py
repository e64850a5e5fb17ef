"""Analytics events as CSV, as CVAT exports them: straight from ClickHouse into the file. Where an
event doesn't know its user's e-mail address, it is that of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from io import IOBase
from typing import Any, cast

import orjson
from clickhouse_connect.driver.external import ExternalData

from consumers.handlers.file_names import wanted_name
from consumers.handlers.handler import Outcome, Tools
from domain.errors import Unavailable
from domain.event_exports import WantedEvents
from domain.request import Request
from infra.clickhouse.client import ClickHouseRefused, connect, typed_errors
from projections.named_queries import queries

CONTENT_TYPE = "text/csv"
COLUMNS = (
    "scope, obj_name, obj_id, obj_val, source, timestamp, count, duration, project_id, task_id, job_id, user_id,"
    " user_name, coalesce(user_email, nullIf(email, '')) AS user_email, org_id, org_slug, payload, access_token_id"
)
"""Those of CVAT but for `remote_addr`, in its order."""

SELECT = """
SELECT {columns} FROM cvat.events FINAL LEFT ANY JOIN addresses USING (user_id)
WHERE {conditions} ORDER BY timestamp, position, row
"""
WITHOUT = "send:exception"
"""A scope that says more of the server than of anybody's work."""

SETTINGS: dict[str, Any] = {
    "readonly": 2,
    "max_execution_time": 600,
    "wait_end_of_query": 1,  # an error in the middle must not look like the end of the file
    "format_csv_null_representation": "",  # as Python, which writes CVAT's files, has it
}

PIECE = 1024 * 1024
"""Bytes."""
NO_TABLES = frozenset({60, 81})
"""ClickHouse's numbers for an unknown table and an unknown database."""


def export_events(tools: Tools, request: Request) -> Outcome:
    """Raises Unavailable."""
    queued = request.queued
    if tools.clickhouse is None:
        raise Unavailable("This agent knows no ClickHouse, where events are")
    wanted = WantedEvents.of(queued.params)
    addresses = tools.database.query(queries("users")["addresses"], {"user_id": wanted.user_id})
    with tools.exchange.writer() as writer:
        for piece in _csv(tools.clickhouse, wanted, addresses):
            writer.write(piece)
        blob = tools.exchange.commit([writer])[0]
    name = wanted_name(queued.params.get("filename"), ".csv") or f"logs_{tools.app.clock():%Y_%m_%d_%H_%M_%S}.csv"
    result = {"sha256": blob.sha256, "size": blob.size, "filename": name, "content_type": CONTENT_TYPE}
    return Outcome([], result)


def _csv(url: str, wanted: WantedEvents, addresses: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """With a line of names in front. `addresses`: with `user_id` and `email`."""
    beside = ExternalData(
        file_name="addresses",
        data=b"".join(orjson.dumps(address, option=orjson.OPT_APPEND_NEWLINE) for address in addresses),
        fmt="JSONEachRow",
        structure="user_id UInt64, email String",
    )
    conditions, parameters = _conditions(wanted)
    statement = SELECT.format(columns=COLUMNS, conditions=" AND ".join(conditions))
    try:
        with typed_errors(), closing(connect(url)) as client:
            answer = cast(
                IOBase, client.raw_stream(statement, parameters, SETTINGS, "CSVWithNames", external_data=beside)
            )
            while piece := answer.read(PIECE):
                yield piece
    except ClickHouseRefused as error:
        if error.code in NO_TABLES:
            raise Unavailable("ClickHouse has no events yet: try again when some were forwarded") from error
        raise


def _conditions(wanted: WantedEvents) -> tuple[list[str], dict[str, Any]]:
    conditions = ["scope != {without:String}", "timestamp <= {until:DateTime64(3, 'UTC')}"]
    parameters: dict[str, Any] = {"without": WITHOUT, "until": _moment(wanted.until)}
    if wanted.since is not None:
        conditions.append("timestamp >= {since:DateTime64(3, 'UTC')}")
        parameters["since"] = _moment(wanted.since)
    for name in ("org_id", "project_id", "task_id", "job_id", "user_id"):
        if (value := getattr(wanted, name)) is not None:
            conditions.append(f"{name} = {{{name}:UInt64}}")
            parameters[name] = value
    return conditions, parameters


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S.%f}"[:-3]
