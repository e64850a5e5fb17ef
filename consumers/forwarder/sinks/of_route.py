"""Which sink a route leads to."""

from __future__ import annotations

from consumers.forwarder.means import Means
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sinks.files import FileSink
from consumers.forwarder.sinks.sink import Sink
from consumers.forwarder.sinks.stdout import StdoutSink
from consumers.forwarder.topology import ClickHouseConfig, FileConfig, Route


def sink_of(route: Route, means: Means) -> Sink:
    """A connection to it, to be closed."""
    config = route.sink
    if isinstance(config, ClickHouseConfig):
        return ClickHouseSink(config.url or means.clickhouse_url, means.layout)
    return FileSink(config.folder, config.format) if isinstance(config, FileConfig) else StdoutSink()
