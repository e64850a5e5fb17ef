"""Events to bytes and back: orjson, and zstd where it pays. The seams are `eventsourcing`'s Transcoder, Compressor and
Mapper.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, cast

import orjson
import zstandard
from eventsourcing.persistence import Compressor, Mapper, Notification, StoredEvent, Transcoder

from domain.errors import Invalid
from domain.event import Body, Event, Metadata, body_type, make_body

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
COMPRESS_FROM = 1_024
HIDDEN = "(hidden)"
MAX_PAYLOAD = 512 * 1024 * 1024
"""Bytes. A payload that claims to unpack to more is damaged."""


class OrjsonTranscoder(Transcoder):
    """JSON in UTF-8. Dates become ISO 8601 with microseconds."""

    def encode(self, obj: Any) -> bytes:
        """Raises Invalid for what JSON cannot hold: half of a surrogate pair, an integer of more than 64 bits."""
        try:
            return orjson.dumps(obj)
        except orjson.JSONEncodeError as error:
            raise Invalid([f"This cannot be stored: {error}"]) from None

    def decode(self, data: bytes) -> Any:
        return orjson.loads(data)


def unpacked_size(state: bytes) -> int:
    """Bytes, as a stored payload itself tells it. Nothing is said of a damaged one."""
    if not state.startswith(ZSTD_MAGIC):
        return len(state)
    try:
        return zstandard.frame_content_size(state)
    except zstandard.ZstdError:
        return len(state)


def unpacked(state: bytes, size: int) -> Iterator[bytes]:
    """A stored payload in pieces of about so many bytes. Raises zstandard.ZstdError for one that is damaged."""
    if state.startswith(ZSTD_MAGIC):
        return zstandard.ZstdDecompressor().read_to_iter(state, write_size=size)
    return (state[at : at + size] for at in range(0, len(state), size))


class ZstdContexts(threading.local):
    """zstandard's contexts must not be shared by threads, and making one costs more than a small payload."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=3)
        self.decompressor = zstandard.ZstdDecompressor()


class ZstdCompressor(Compressor):
    """Compresses payloads of 1 KiB and more; the first bytes tell which ones are."""

    def __init__(self) -> None:
        self._contexts = ZstdContexts()

    def compress(self, data: bytes) -> bytes:
        return data if len(data) < COMPRESS_FROM else self._contexts.compressor.compress(data)

    def decompress(self, data: bytes) -> bytes:
        """Raises ValueError for a payload that is damaged."""
        if not data.startswith(ZSTD_MAGIC):
            return data
        if not 0 <= zstandard.frame_content_size(data) <= MAX_PAYLOAD:
            raise ValueError(f"the payload claims to unpack to more than {MAX_PAYLOAD} bytes")
        return self._contexts.decompressor.decompress(data)


@dataclass(frozen=True)
class PendingEvent(StoredEvent):
    """A serialized event on its way into the log. `event` is what inline projections fold."""

    event: Event


@dataclass(frozen=True)
class LoggedEvent(Notification):
    """A row of the log."""

    schema_version: int
    meta: Metadata


class EventMapper(Mapper[str]):
    """Stores a body under its explicit type name; the envelope goes into columns of its own."""

    def to_stored_event(self, domain_event: Any) -> PendingEvent:
        event: Event = domain_event
        state = self.transcoder.encode(body_fields(event.body))
        if self.compressor:
            state = self.compressor.compress(state)
        return PendingEvent(event.originator_id, event.originator_version, event.body.type_name, state, event)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        assert isinstance(stored_event, LoggedEvent)
        body = self.body(stored_event.topic, stored_event.schema_version, stored_event.state)
        return Event(
            stored_event.originator_id,  # type: ignore[arg-type]  # text ids throughout
            stored_event.originator_version,
            body,
            stored_event.meta,
            stored_event.id,
        )

    def body(self, topic: str, schema_version: int, state: bytes) -> Body:
        """Raises what is wrong with it: ValueError, LookupError, TypeError and the like."""
        if self.compressor:
            state = self.compressor.decompress(state)
        return make_body(topic, schema_version, self.transcoder.decode(state))


def body_fields(body: Body) -> dict[str, Any]:
    return {name: getattr(body, name) for name in _field_names(body.type_name)}


def public_fields(body: Body) -> dict[str, Any]:
    """The same for readers outside: secrets are hidden."""
    return body_fields(body) | dict.fromkeys(body.secret_fields, HIDDEN)


@cache
def _field_names(type_name: str) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cast(Any, body_type(type_name))))
