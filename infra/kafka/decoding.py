"""How the value of a Kafka message becomes an event: nothing is needed for that but the event's type."""

from __future__ import annotations

from datetime import datetime

import orjson

from domain.event import Event, Metadata, make_body


class Omitted(ValueError):
    """The message stands for an event that is too large for Kafka."""


def decode(value: bytes) -> Event:
    """Raises Omitted for a message without a body, and what else is wrong with one: ValueError, LookupError, TypeError
    and the like.
    """
    fields = orjson.loads(value)
    if fields["body"] is None:
        raise Omitted(f"the event at position {fields['position']:,} is too large for Kafka: it is in the log")
    body = make_body(fields["type"], fields["schema_version"], fields["body"])
    meta = Metadata(
        datetime.fromisoformat(fields["time"]),
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
    return Event(fields["stream"], fields["version"], body, meta, fields["position"])
