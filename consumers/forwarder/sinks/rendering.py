"""Rows for people and other programs: one JSON object a row, named as in the tables."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from consumers.forwarder.rows import COLUMNS, EPOCH, MILLISECOND, TableRow

NAMES = list(COLUMNS)
TIMESTAMP = NAMES.index("timestamp")


def json_lines(rows: Sequence[TableRow]) -> bytes:
    """Each with a line break; `timestamp` in ISO 8601 with milliseconds, UTC."""
    return b"".join(orjson.dumps(_named(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _named(row: TableRow) -> dict[str, object]:
    named = dict(zip(NAMES, row, strict=True))
    named["timestamp"] = (EPOCH + row[TIMESTAMP] * MILLISECOND).isoformat(timespec="milliseconds")
    return named
