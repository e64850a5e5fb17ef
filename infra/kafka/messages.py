"""An event as a Kafka message; for the way back see `decoding`.

The value is the event as a line of the portable log, but without secrets. The key is the stream, so that a stream's
events stay in order. Headers tell what a reader needs to choose by without decoding the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from domain.event import body_type
from infra.eventlog.mapper import HIDDEN
from infra.eventlog.portable.lines import event_line

LARGEST_VALUE = 64 * 1024 * 1024
"""Bytes. A broker takes a hundred million in one request, unless it is told otherwise."""

Header = tuple[str, bytes]


class Message(NamedTuple):
    """`headers`: position, type, version of the stream, the correlation id, if there is one, and the number of the
    log's timeline, if it was ever restored, as text. And `omitted`, when the event is too large: how many bytes its
    body has, which then is null.
    """

    key: bytes
    value: bytes
    headers: list[Header]


def encode(fields: Mapping[str, Any], payload: bytes, timeline: int = 0, *, omit: bool = False) -> Message:
    """`fields`: the columns of the log without `state`; `payload`: the body as JSON, which is left out when it is too
    large, and to `omit` it. Raises LookupError for a body that a newer program wrote: which of its fields are secret is
    not known here.
    """
    headers = [
        ("position", b"%d" % fields["position"]),
        ("type", fields["type"].encode()),
        ("version", b"%d" % fields["version"]),
    ]
    if fields["correlation_id"] is not None:
        headers.append(("correlation_id", fields["correlation_id"].encode()))
    if timeline:
        headers.append(("timeline", b"%d" % timeline))
    payload = _public(fields["type"], fields["schema_version"], payload)
    value = event_line(fields, payload)
    if omit or len(value) > LARGEST_VALUE:
        headers.append(("omitted", b"%d" % len(payload)))
        value = event_line(fields, b"null")
    return Message(fields["stream"].encode(), value, headers)


def _public(type_name: str, schema_version: int, payload: bytes) -> bytes:
    cls = body_type(type_name)
    if schema_version > cls.schema_version:
        raise LookupError(f"{type_name} version {schema_version}: written by a newer version of Annals?")
    if not cls.secret_fields:
        return payload
    body = orjson.loads(payload)
    return orjson.dumps(body | {name: HIDDEN for name in cls.secret_fields if name in body})
