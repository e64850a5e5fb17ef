"""An event as a Kafka message, and back.

The value is the event as a line of the portable log, but without secrets. The key is the stream, so that a stream's
events stay in order. Headers tell what a reader needs to choose by without decoding the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from domain.event import Event, Metadata, body_type, make_body
from infra.eventlog.mapper import HIDDEN
from infra.eventlog.portable.lines import event_line

LARGEST_VALUE = 64 * 1024 * 1024
"""Bytes. A broker takes a hundred million in one request, unless it is told otherwise."""

Header = tuple[str, bytes]


class Message(NamedTuple):
    """`headers`: position, type, version of the stream, and the correlation id, if there is one, as text. Or `omitted`,
    when the event is too large: how many bytes its body has, which then is null.
    """

    key: bytes
    value: bytes
    headers: list[Header]


class Omitted(ValueError):
    """The message stands for an event that is too large for Kafka."""


def encode(fields: Mapping[str, Any], payload: bytes) -> Message:
    """`fields`: the columns of the log without `state`; `payload`: the body as JSON. Raises LookupError for a body that
    a newer program wrote: which of its fields are secret is not known here.
    """
    headers = [
        ("position", b"%d" % fields["position"]),
        ("type", fields["type"].encode()),
        ("version", b"%d" % fields["version"]),
    ]
    if fields["correlation_id"] is not None:
        headers.append(("correlation_id", fields["correlation_id"].encode()))
    payload = _public(fields["type"], fields["schema_version"], payload)
    value = event_line(fields, payload)
    if len(value) > LARGEST_VALUE:
        headers.append(("omitted", b"%d" % len(payload)))
        value = event_line(fields, b"null")
    return Message(fields["stream"].encode(), value, headers)


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
        fields.get("access_token_id"),  # not in what an older relay wrote
    )
    return Event(fields["stream"], fields["version"], body, meta, fields["position"])


def _public(type_name: str, schema_version: int, payload: bytes) -> bytes:
    cls = body_type(type_name)
    if schema_version > cls.schema_version:
        raise LookupError(f"{type_name} version {schema_version}: written by a newer version of Annals?")
    if not cls.secret_fields:
        return payload
    body = orjson.loads(payload)
    return orjson.dumps(body | {name: HIDDEN for name in cls.secret_fields if name in body})
