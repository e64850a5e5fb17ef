"""Which processes a server consists of."""

from __future__ import annotations

from cli.child import Child
from cli.listening import Listening
from cli.supervisor import Supervisor
from infra.settings import Settings

API_STOP_SECONDS = 12.0
"""Ten for requests that are being answered, and a little to leave."""
AGENT_STOP_SECONDS = 10.0
FORWARDER_STOP_SECONDS = 30.0
CLICKHOUSE_STOP_SECONDS = 20.0


def supervisor(settings: Settings, listening: Listening) -> Supervisor:
    """In the order of stopping: who takes work in, who works, who passes on what was done, who stores that."""
    environment = _environment(settings, listening)
    api = [_api_process(number, listening, environment) for number in range(1, settings.workers + 1)]
    agent = Child("agent", ["agent"], environment, AGENT_STOP_SECONDS)
    forwarder = Child("forward", ["forward"], environment, FORWARDER_STOP_SECONDS)
    groups = [api, [agent], [forwarder]]
    if listening.clickhouse_port is not None:
        groups.append([Child("clickhouse", ["clickhouse"], environment, CLICKHOUSE_STOP_SECONDS)])
    return Supervisor(groups)


def _api_process(number: int, listening: Listening, environment: dict[str, str]) -> Child:
    descriptor = listening.socket.fileno()
    name = f"api-{number}"
    return Child(name, ["api", "--name", name, "--socket", str(descriptor)], environment, API_STOP_SECONDS, (descriptor,))


def _environment(settings: Settings, listening: Listening) -> dict[str, str]:
    """The settings that the command line may have given, and the ports that were found. The others are inherited."""
    environment = {
        "ANNALS_DATA": str(settings.data),
        "ANNALS_HOST": settings.host,
        "ANNALS_PORT": str(listening.port),
        "ANNALS_WORKERS": str(settings.workers),
    }
    if listening.clickhouse_port is not None:
        environment["ANNALS_CLICKHOUSE_PORT"] = str(listening.clickhouse_port)
    return environment
