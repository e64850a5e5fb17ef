"""Events as bulk reading fetches them, and how they become events: no database is needed for that."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from domain.event import Event, Metadata
from infra.eventlog.mapper import (
    MAX_PAYLOAD,
    EventMapper,
    OrjsonTranscoder,
    ZstdCompressor,
    unpacked,
    unpacked_size,
)
from infra.eventlog.skimming import DRAWN, PIECE, SKIM_FROM, skimmed


class Stored(NamedTuple):
    """A row of the log as LogReader fetches it: cheaper than a LoggedEvent, of which bulk reading would make millions.
    Behind `version` are the fields of Metadata, in its order, all but `time`.
    """

    position: int
    time: datetime
    type: str
    schema_version: int
    state: bytes
    stream: str
    version: int
    source: str
    actor_id: int | None
    actor: str | None
    organization_id: int | None
    organization: str | None
    correlation_id: str | None
    causation_id: str | None
    user_agent: str | None
    idempotency_key: str | None
    access_token_id: int | None
    actor_email: str | None


ENVELOPE: Final = 7
"""Where `source` stands."""

_mapper = EventMapper(OrjsonTranscoder(), ZstdCompressor())


def decode(stored: Stored, *, skim: bool = False) -> Event:
    """To `skim` is to leave coordinates out of large annotations (skimming.py). Raises what is wrong with a payload or
    its type: ValueError, LookupError, TypeError and the like.
    """
    state = stored.state
    if skim and stored.type in DRAWN and SKIM_FROM <= unpacked_size(state) <= MAX_PAYLOAD:
        state = skimmed(unpacked(state, PIECE))
    body = _mapper.body(stored.type, stored.schema_version, state)
    meta = Metadata._make((stored.time, *stored[ENVELOPE:]))
    return Event(stored.stream, stored.version, body, meta, stored.position)
