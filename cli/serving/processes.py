"""Which processes a server consists of."""

from __future__ import annotations

from functools import partial

from cli.serving.child import Child
from cli.serving.listening import Listening
from cli.serving.supervisor import Supervisor
from infra.metrics.sharing import forget_gauges
from infra.settings import Settings

API_STOP_SECONDS = 12.0
"""Ten for requests that are being answered, and a little to leave."""
AGENT_STOP_SECONDS = 10.0
RELAY_STOP_SECONDS = 15.0
FORWARDER_STOP_SECONDS = 15.0
CLICKHOUSE_STOP_SECONDS = 20.0


def supervisor(settings: Settings, place: Listening) -> Supervisor:
    """In the order of stopping: who takes work in, who works, who passes on what was done, who stores that."""
    environment = _environment(settings, place)
    groups = [
        [_api_process(number, place, environment) for number in range(1, settings.workers + 1)],
        [Child("agent", ["agent"], environment, AGENT_STOP_SECONDS, urgent=False)],
        [Child("relay", ["relay"], environment, RELAY_STOP_SECONDS, urgent=False)] if settings.kafka_url else [],
        [Child("forward", ["forward"], environment, FORWARDER_STOP_SECONDS, urgent=False)],
    ]
    if place.clickhouse_port is not None:
        groups.append([clickhouse_process(settings, place)])
    for child in (child for group in groups for child in group):
        child.on_end = partial(forget_gauges, settings.metrics)
    return Supervisor(groups)


def clickhouse_process(settings: Settings, place: Listening) -> Child:
    """The embedded ClickHouse, on its port of `place`."""
    return Child("clickhouse", ["clickhouse"], _environment(settings, place), CLICKHOUSE_STOP_SECONDS)


def _api_process(number: int, place: Listening, environment: dict[str, str]) -> Child:
    descriptor, name = place.socket.fileno(), f"api-{number}"
    if place.shared:
        return Child(name, ["api", "--name", name], environment, API_STOP_SECONDS)
    arguments = ["api", "--name", name, "--socket", str(descriptor)]
    return Child(name, arguments, environment, API_STOP_SECONDS, (descriptor,))


def _environment(settings: Settings, place: Listening) -> dict[str, str]:
    """The settings that the command line may have given, and the ports that were found. The others are inherited."""
    environment = {
        "ANNALS_DATA": str(settings.data),
        "ANNALS_HOST": place.host,
        "ANNALS_PORT": str(place.port),
        "ANNALS_WORKERS": str(settings.workers),
        "ANNALS_METRICS_PORT": "0",  # the API tells of all of them
    }
    if settings.ui is not None:
        environment["ANNALS_UI"] = str(settings.ui.absolute())
    if place.clickhouse_port is not None:
        environment["ANNALS_CLICKHOUSE_PORT"] = str(place.clickhouse_port)
    return environment
