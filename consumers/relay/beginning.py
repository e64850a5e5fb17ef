"""Where a relay goes on, found out before it sends anything."""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from dataclasses import replace

import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from consumers import timeline
from consumers.bookmark import Bookmark
from consumers.relay.identity import FilledTopics
from consumers.relay.mark import Mark
from consumers.timeline import Timeline
from infra.eventlog.reader import LogReader
from infra.kafka.notes import Found

log = structlog.get_logger(__name__)


def begin(connection: Connection[DictRow], bookmark: Bookmark, topics: AbstractSet[str], found: Found) -> Timeline:
    """Moves the bookmark to where Kafka says the log is there; to the start of the log if the topics are not those that
    were filled so far (they were deleted, or this is another Kafka), or if what is in them is of a log that was
    restored since. `topics`: their identities. Returns the timeline that is to be relayed.
    """
    with connection.transaction():
        filled, known = FilledTopics(connection, bookmark.follower), timeline.current(connection)
        before = filled.recall()
        if topics != before:
            filled.note(topics)
        mark = Mark.read(found.note) if found.note else None
        if mark is not None and topics == frozenset(mark.topics):
            return _by_mark(connection, bookmark, known, mark, found)
        if before and topics != before:
            log.warning("the topics are new: everything is relayed again", until=bookmark.position())
            bookmark.move(0)
            known = replace(known, starts=_still_there(known, topics & before))
            timeline.note(connection, known)
        return known


def _by_mark(
    connection: Connection[DictRow], bookmark: Bookmark, known: Timeline, mark: Mark, found: Found
) -> Timeline:
    if mark.timeline < known.number:
        return known  # it was noticed, but nothing has been relayed since
    if mark.timeline == known.number and mark.is_in(connection):
        bookmark.move(mark.position)
        return known
    until = min(bookmark.position(), LogReader().head(connection))
    began = Timeline(
        number=max(time.time_ns(), mark.timeline + 1),
        since=min(until, mark.since) if mark.timeline else until,
        starts={f"{topic}/{number}": end for (topic, number), end in found.ends.items()},
    )
    log.warning("the log was restored: everything is relayed again", relayed=mark.position, since=began.since)
    timeline.note(connection, began)
    bookmark.move(0)
    return began


def _still_there(known: Timeline, topics: AbstractSet[str]) -> dict[str, int]:
    """Where the timeline starts in these."""
    names = {identity.rpartition(":")[0] for identity in topics}
    return {place: offset for place, offset in known.starts.items() if place.rpartition("/")[0] in names}
