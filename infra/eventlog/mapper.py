"""Events to bytes and back: orjson, and zstd where it pays. The seams are `eventsourcing`'s Transcoder, Compressor and
Mapper.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, cast

import orjson
import zstandard
from eventsourcing.persistence import Compressor, Mapper, Notification, StoredEvent, Transcoder

from domain.event import Body, Event, Metadata, body_type, make_body

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
COMPRESS_FROM = 1_024
MAX_PAYLOAD = 512 * 1024 * 1024
"""Bytes. A payload that claims to unpack to more is damaged."""


class OrjsonTranscoder(Transcoder):
    """JSON in UTF-8. Dates become ISO 8601 with microseconds."""

    def encode(self, obj: Any) -> bytes:
        return orjson.dumps(obj)

    def decode(self, data: bytes) -> Any:
        return orjson.loads(data)


class ZstdCompressor(Compressor):
    """Compresses payloads of 1 KiB and more; the first bytes tell which ones are."""

    def __init__(self) -> None:
        self._local = threading.local()

    def compress(self, data: bytes) -> bytes:
        if len(data) < COMPRESS_FROM:
            return data
        # zstandard's contexts must not be shared by threads, and making one costs more than a small payload.
        if not hasattr(self._local, "compressor"):
            self._local.compressor = zstandard.ZstdCompressor(level=3)
        packed: bytes = self._local.compressor.compress(data)
        return packed

    def decompress(self, data: bytes) -> bytes:
        if not data.startswith(ZSTD_MAGIC):
            return data
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=MAX_PAYLOAD)


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
        state = self.compressor.decompress(stored_event.state) if self.compressor else stored_event.state
        body = make_body(stored_event.topic, stored_event.schema_version, self.transcoder.decode(state))
        return Event(
            stored_event.originator_id,  # type: ignore[arg-type]  # text ids throughout
            stored_event.originator_version,
            body,
            stored_event.meta,
            stored_event.id,
        )


def body_fields(body: Body) -> dict[str, Any]:
    return {name: getattr(body, name) for name in _field_names(body.type_name)}


@cache
def _field_names(type_name: str) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cast(Any, body_type(type_name))))
