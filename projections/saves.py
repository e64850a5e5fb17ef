"""Who saved annotations when (`domain.saves.Saves`), from the columns of the log: no payload is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, cast

from domain.saves import Reached, Save, Span
from projections.named_queries import queries

Query = Callable[..., list[dict[str, Any]]]


class LoggedSaves:
    """`query(statement, params) -> rows`. Thread-safe."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._sql = queries("saves")

    def at_version(self, stream: str, version: int) -> Reached | None:
        return self._reached(self._sql["at_version"], {"stream": stream, "version": version})

    def at_position(self, streams: Sequence[str], position: int) -> Reached | None:
        return self._reached(self._sql["at_position"], {"streams": list(streams), "position": position})

    def at_time(self, streams: Sequence[str], time: datetime | None) -> int:
        (row,) = self._query(self._sql["at_time"], {"streams": list(streams), "time": time})
        return cast(int, row["position"])

    def spans(self, streams: Sequence[str], position: int) -> dict[str, Span]:
        rows = self._query(self._sql["spans"], {"streams": list(streams), "position": position})
        return {row["stream"]: Span(row["after"], row["version"]) for row in rows}

    def page(self, streams: Sequence[str], limit: int | None, offset: int) -> tuple[int, list[Save]]:
        (counted,) = self._query(self._sql["count"], {"streams": list(streams)})
        rows = self._query(self._sql["page"], {"streams": list(streams), "limit": limit, "offset": offset})
        saves = [Save(**row | {"job_ids": tuple(row["job_ids"]), "types": tuple(row["types"])}) for row in rows]
        return counted["count"], saves

    def labels_moved(self, stream: str, position: int) -> list[int]:
        rows = self._query(self._sql["labels_moved"], {"stream": stream, "position": position})
        return [row["version"] for row in rows]

    def _reached(self, statement: bytes, params: dict[str, Any]) -> Reached | None:
        rows = self._query(statement, params)
        return Reached(rows[0]["position"], rows[0]["whole"]) if rows else None
