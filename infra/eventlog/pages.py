"""The log in pages, for readers outside."""

from __future__ import annotations

from typing import NamedTuple

from infra.eventlog.published import COLUMNS, EventFilter, Published, publish
from infra.postgres.database import Database

PAGE_BYTES = 4 * 1024 * 1024
"""Of stored payloads in one page; a single event may be larger."""

SPAN = 50_000
"""Positions that are looked through for one page of a stream of events, so that it says where it is now and then."""

PAGE = f"""
SELECT * FROM (
    SELECT p.*, sum(octet_length(p.state)) OVER (ORDER BY p.position) AS bytes,
        row_number() OVER (ORDER BY p.position) AS number, count(*) OVER () AS found
    FROM (
        SELECT {COLUMNS} FROM log.events e
        WHERE e.position > %(after)s AND e.position <= %(until)s AND {{}}
        ORDER BY e.position
        LIMIT %(limit)s
    ) p
) page
WHERE bytes <= %(page_bytes)s OR number = 1
ORDER BY position
"""
VISIBLE = "SELECT e.position FROM log.events e WHERE e.position = ANY(%(positions)s) AND {}"


class Page(NamedTuple):
    """`reached`: everything up to this position was looked at. `head`: the last position there was."""

    events: list[Published]
    reached: int
    head: int


class LogPages:
    """`visible`: a condition on `log.events e` with %(viewer)s, for readers who may not see everything."""

    def __init__(self, database: Database, visible: str) -> None:
        self._database, self._visible = database, visible

    def head(self) -> int:
        row = self._database.query_one("SELECT coalesce(max(position), 0) AS head FROM log.events")
        return int(row["head"]) if row else 0

    def page(self, wanted: EventFilter, viewer: int | None, after: int, limit: int, span: int | None = None) -> Page:
        """The next events behind a position. `viewer` None: one who may see everything. `span`: so many positions are
        looked at; None: as many as it takes.
        """
        head = self.head()
        until = head if span is None else min(head, after + span)
        terms, params = wanted.conditions()
        if viewer is not None:
            terms.append(f"({self._visible})")
        params |= {"after": after, "until": until, "limit": limit, "page_bytes": PAGE_BYTES, "viewer": viewer}
        rows = self._database.query(PAGE.format(" AND ".join(["true", *terms])).encode(), params)
        cut = len(rows) == limit or (rows and len(rows) < rows[0]["found"])
        reached = rows[-1]["position"] if cut else until
        return Page(publish(rows), max(reached, after), head)

    def visible(self, events: list[Published], viewer: int) -> list[Published]:
        """Those of some events that somebody may see."""
        if not events:
            return []
        params = {"positions": [event.position for event in events], "viewer": viewer}
        rows = self._database.query(VISIBLE.format(self._visible).encode(), params)
        shown = {row["position"] for row in rows}
        return [event for event in events if event.position in shown]
