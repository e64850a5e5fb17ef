"""The factory of the persistence module: hands the application its recorder and mapper."""

from __future__ import annotations

from typing import Any

from eventsourcing.persistence import (
    AggregateRecorder,
    InfrastructureFactory,
    Mapper,
    ProcessRecorder,
    TrackingRecorder,
    Transcoder,
)
from eventsourcing.utils import Environment

from infra.eventlog.appender import CatchUp, InlineProjections
from infra.eventlog.mapper import EventMapper, OrjsonTranscoder, ZstdCompressor
from infra.eventlog.recorder import EventLogRecorder
from infra.postgres.database import Database


class EventLogFactory(InfrastructureFactory[TrackingRecorder]):
    """Made by the composition root with what it needs, rather than from environment variables."""

    def __init__(self, database: Database, projections: InlineProjections, catch_up: CatchUp) -> None:
        super().__init__(Environment("Annals", {}))
        self._recorder = EventLogRecorder(database, projections, catch_up)

    def application_recorder(self) -> EventLogRecorder:
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        return self._recorder

    def transcoder(self) -> Transcoder:
        return OrjsonTranscoder()

    def mapper(self, transcoder: Transcoder | None = None, mapper_class: Any = None) -> Mapper[Any]:
        return EventMapper(transcoder or OrjsonTranscoder(), ZstdCompressor())

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> Any:
        raise LookupError("followers keep their checkpoints in log.checkpoints")

    def process_recorder(self) -> ProcessRecorder:
        raise LookupError("nothing here is recorded while processing another log")

    def close(self) -> None:
        self._recorder.close()
