"""How the value of a Kafka message becomes an event: nothing is needed for that but the event's type."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from domain.event import Event, Metadata, make_body
from infra.eventlog.skimming import DRAWN, PIECE, SKIM_FROM, skimmed

HIGHEST = 2**63 - 1
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What no relay writes would otherwise be met further on, where nobody looks out for it."""


BODY = b',"body":'
"""What stands before it. In a text within JSON the quotation marks would stand behind backslashes."""


class Omitted(ValueError):
    """The message stands for an event that is too large for Kafka."""


def decode(value: bytes | memoryview) -> Event:
    """Large annotations come without coordinates (skimming.py). Raises Omitted for a message without a body, and what
    else is wrong with one: ValueError, LookupError, TypeError and the like.
    """
    fields = _fields(value)
    if fields["body"] is None:
        raise Omitted(f"the event at position {fields['position']:,} is too large for Kafka: it is in the log")
    position, recorded = fields["position"], datetime.fromisoformat(fields["time"])
    if type(position) is not int or not 0 < position <= HIGHEST:
        raise ValueError(f"{position!r} is no position")
    if not EARLIEST <= recorded < LATEST:
        raise ValueError(f"nothing was recorded at {recorded.isoformat()}")
    body = make_body(fields["type"], fields["schema_version"], fields["body"])
    meta = Metadata(
        recorded,
        fields["source"],
        fields["actor_id"],
        fields["actor"],
        fields["organization_id"],
        fields["organization"],
        fields["correlation_id"],
        fields["causation_id"],
        fields["user_agent"],
        fields["idempotency_key"],
        fields.get("access_token_id"),  # neither is in what an older relay wrote
        fields.get("actor_email"),
    )
    return Event(fields["stream"], fields["version"], body, meta, position)


def _fields(value: bytes | memoryview) -> Any:
    """The body is the last of them, as the relay writes them."""
    start = bytes(value[:PIECE]).find(BODY) if len(value) >= SKIM_FROM else -1
    if start < 0:
        return orjson.loads(value)
    fields = orjson.loads(bytes(value[:start]) + b"}")
    text = memoryview(value)[start + len(BODY) : -1]
    if fields["type"] in DRAWN:
        text = memoryview(skimmed(bytes(text[at : at + PIECE]) for at in range(0, len(text), PIECE)))
    return {**fields, "body": orjson.loads(text)}
