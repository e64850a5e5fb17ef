"""The topology: which sources, transforms and sinks there are and what flows where, as a TOML file says.

Without one, the log (or Kafka, if the settings name one) flows to ClickHouse.

Each sink is a route of its own, from one source through the transforms before it, with a place of its own in the
source: one that is slow or away keeps no other waiting.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from consumers.forwarder.batch import Limits
from consumers.forwarder.checkpoint import CONSUMER
from consumers.forwarder.rows import Shaper
from consumers.forwarder.shaping import Redactable, Step, enrich, keep, redact, shaper
from domain.errors import AnnalsError
from infra.clickhouse.address import http_url, server

CLICKHOUSE = "clickhouse"
"""The name of the default sink."""

NAME = r"^[a-z][a-z0-9_-]{0,40}$"
MAX_FILE = 1024 * 1024
MIB = 1024 * 1024


class Wrong(AnnalsError):
    """The topology can't be used."""


class _Part(BaseModel):
    """As TOML has it: a number is neither a text nor a truth, and ends somewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _SourcePart(_Part):
    """`workers`: so many processes help while ClickHouse is far behind."""

    workers: Annotated[int, Field(ge=0, le=16)] = 2


class LogConfig(_SourcePart):
    """The event log, read from PostgreSQL."""

    type: Literal["log"]


class KafkaConfig(_SourcePart):
    """The topics that the relay fills, read as a consumer group of the sink's."""

    type: Literal["kafka"]


class Filter(_Part):
    """Only rows whose scope fits one of `scopes` and none of `but`."""

    type: Literal["filter"]
    input: str
    scopes: list[str] = ["*"]
    but: list[str] = []

    def step(self, key: bytes | None) -> Step:  # noqa: ARG002 - each kind has the same signature
        return keep(self.scopes, self.but)


class Redact(_Part):
    """Leaves columns and keys of the payload out, or puts a keyed hash in place of columns. `people`: of all that tells
    who somebody is.
    """

    type: Literal["redact"]
    input: str
    columns: list[Redactable] = []
    payload: list[str] = []
    people: bool = False
    how: Literal["remove", "hash"] = "remove"

    @property
    def hides_streams(self) -> bool:
        return self.people or "stream" in self.columns

    def step(self, key: bytes | None) -> Step:
        if self.how == "hash" and not key:
            raise Wrong("hashing needs a key: set ANNALS_REDACTION_KEY")
        return redact(self.columns, self.payload, key if self.how == "hash" else None, people=self.people)


class Enrich(_Part):
    """Adds constants to every payload: where this installation is, say."""

    type: Literal["enrich"]
    input: str
    payload: dict[str, str | Annotated[int, Field(ge=-(2**63), lt=2**63)] | float | bool]

    def step(self, key: bytes | None) -> Step:  # noqa: ARG002
        return enrich(self.payload)


class BatchConfig(_Part):
    """When a batch is full."""

    rows: Annotated[PositiveInt, Field(le=1_000_000)] = 60_000
    bytes: Annotated[PositiveInt, Field(le=256 * MIB)] = 24 * MIB
    seconds: Annotated[PositiveFloat, Field(le=3_600)] = 0.1

    def limits(self) -> Limits:
        return Limits(self.rows, self.bytes, self.seconds)


class FileBatchConfig(BatchConfig):
    """The same of files, of which there should be few."""

    rows: Annotated[PositiveInt, Field(le=1_000_000)] = 100_000
    bytes: Annotated[PositiveInt, Field(le=256 * MIB)] = 64 * MIB
    seconds: Annotated[PositiveFloat, Field(le=3_600)] = 60


class BufferConfig(_Part):
    """How much may be read ahead: in memory, and beyond that on disk, in bytes."""

    memory: Annotated[PositiveInt, Field(le=1024 * MIB)] = 16 * MIB
    disk: Annotated[int, Field(ge=0)] = 0


class _SinkPart(_Part):
    input: str
    batch: BatchConfig = BatchConfig()
    buffer: BufferConfig = BufferConfig()


class ClickHouseConfig(_SinkPart):
    """Tables to be queried. `url`: left out, the one of the settings."""

    type: Literal["clickhouse"]
    url: Annotated[str, AfterValidator(http_url)] | None = None


class FileConfig(_SinkPart):
    """An archive: a file for each batch, there whole or not at all."""

    type: Literal["file"]
    folder: Annotated[Path, Field(strict=False)]
    format: Literal["jsonl", "parquet"] = "jsonl"
    batch: FileBatchConfig = FileBatchConfig()


class StdoutConfig(_SinkPart):
    """JSON lines on the standard output."""

    type: Literal["stdout"]


SourceConfig = Annotated[LogConfig | KafkaConfig, Field(discriminator="type")]
TransformConfig = Annotated[Filter | Redact | Enrich, Field(discriminator="type")]
SinkConfig = Annotated[ClickHouseConfig | FileConfig | StdoutConfig, Field(discriminator="type")]


class Route(BaseModel):
    """One sink and everything before it. `consumer`: the name under which its place in the source is kept."""

    model_config = ConfigDict(frozen=True)

    name: str
    source: SourceConfig
    transforms: list[TransformConfig]
    sink: SinkConfig

    @property
    def consumer(self) -> str:
        return consumer_of(self.name)

    @property
    def mender(self) -> str:
        """The name under which one at a time compares the sink with the log and puts it right."""
        return f"{self.consumer}:reconciler"

    @property
    def workers(self) -> int:
        """How many processes make blocks for ClickHouse; other sinks have no use for them."""
        return self.source.workers if isinstance(self.sink, ClickHouseConfig) else 0

    @property
    def keeps_streams(self) -> bool:
        """Whether the sink's rows name the streams of their events as the log does."""
        return not any(isinstance(one, Redact) and one.hides_streams for one in self.transforms)

    def shaper(self, key: bytes | None) -> Shaper:
        """Raises Wrong for a hash without a key."""
        return shaper([transform.step(key) for transform in self.transforms])

    def shaper_maker(self, key: bytes | None) -> Callable[[], Shaper]:
        """What makes it in another process. Without transforms that need not import the topology."""
        return partial(self.shaper, key) if self.transforms else partial(shaper, ())


def consumer_of(sink: str) -> str:
    """The name under which a sink's place is kept, also of one that is in no topology any more."""
    return CONSUMER if sink == CLICKHOUSE else f"{CONSUMER}-{sink}"


def sink_name(consumer: str) -> str:
    """The other way round."""
    return CLICKHOUSE if consumer == CONSUMER else consumer.removeprefix(f"{CONSUMER}-")


class Topology(_Part):
    """As in the file."""

    sources: dict[Annotated[str, Field(pattern=NAME)], SourceConfig]
    transforms: dict[Annotated[str, Field(pattern=NAME)], TransformConfig] = {}
    sinks: dict[Annotated[str, Field(pattern=NAME)], SinkConfig]

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Topology:
        if complaints := [*self._wrong_names(), *self._wrong_inputs(), *self._wrong_targets()]:
            raise ValueError("; ".join(complaints))
        return self

    def _wrong_names(self) -> Iterator[str]:
        if not self.sinks:
            yield "there is no sink"
        for name in sorted(self.sources.keys() & self.transforms.keys()):
            yield f"{name} is both a source and a transform"

    def _wrong_inputs(self) -> Iterator[str]:
        """Of transforms that lead nowhere, too."""
        inputs = {f"transform {name}": transform.input for name, transform in self.transforms.items()}
        inputs |= {f"sink {name}": sink.input for name, sink in self.sinks.items()}
        for name, where in inputs.items():
            if where not in self.sources.keys() | self.transforms.keys():
                yield f"{where} is no source and no transform, but an input of the {name}"
            elif self._way(where) is None:
                yield f"the inputs of the {name} lead round in a circle"

    def _wrong_targets(self) -> Iterator[str]:
        servers = [sink.url and server(sink.url) for sink in self._clickhouses()]
        folders = [sink.folder.resolve() for sink in self.sinks.values() if isinstance(sink, FileConfig)]
        for targets, name in ((servers, "the same ClickHouse"), (folders, "the same folder")):
            if not _each_once(targets):
                yield f"two sinks write into {name}"

    def check_servers(self, of_settings: str) -> None:
        """`of_settings`: the URL of the ClickHouse that the settings name. Raises Wrong when a sink that names none and
        one that does would feed the same tables.
        """
        if not _each_once([server(sink.url or of_settings) for sink in self._clickhouses()]):
            same = "the same ClickHouse: one that names no url writes into that of the settings"
            raise Wrong(f"two sinks write into {same}")

    def _clickhouses(self) -> list[ClickHouseConfig]:
        return [sink for sink in self.sinks.values() if isinstance(sink, ClickHouseConfig)]

    def route(self, name: str) -> Route:
        """The way to this sink."""
        sink = self.sinks[name]
        way = self._way(sink.input)
        assert way is not None  # as was checked
        where, transforms = way
        return Route(name=name, source=self.sources[where], transforms=transforms, sink=sink)

    def _way(self, where: str) -> tuple[str, list[TransformConfig]] | None:
        """Where it begins, and the transforms on it, in order. None when it leads round in a circle."""
        transforms = list[TransformConfig]()
        while where in self.transforms:
            if len(transforms) == len(self.transforms):
                return None
            transforms.insert(0, self.transforms[where])
            where = self.transforms[where].input
        return where, transforms

    def routes(self) -> list[Route]:
        return [self.route(name) for name in self.sinks]


def _each_once(targets: Sequence[object]) -> bool:
    return len(set(targets)) == len(targets)


def default(kafka: bool) -> Topology:
    """The whole of it, to one ClickHouse."""
    source = "kafka" if kafka else "log"
    return Topology.model_validate(
        {"sources": {source: {"type": source}}, "sinks": {CLICKHOUSE: {"type": CLICKHOUSE, "input": source}}}
    )


def read(file: Path) -> Topology:
    """Raises Wrong, naming the file and every place in it that is not right."""
    try:
        if file.stat().st_size > MAX_FILE:
            raise Wrong(f"{file} is larger than a topology can be")
        return Topology.model_validate(tomllib.loads(file.read_text()))
    except OSError as error:
        raise Wrong(f"{file} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Wrong(f"{file} is not TOML: {error}") from error
    except ValidationError as error:
        raise Wrong(f"{file}: " + "; ".join(map(_complaint, error.errors()))) from error


def _complaint(error: Any) -> str:
    place = ".".join(re.sub(r"^function-.*", "", str(part)) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
