"""`/metrics` and `/health` of a process without an API, and the folder in which processes count together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from domain.errors import Unavailable
from infra.metrics.agents import LEASE_EXPIRIES
from infra.metrics.serving import Health, serve_metrics
from infra.metrics.sharing import forget_gauges, prepare
from infra.settings import Settings

from ..ports import free_port

COUNTING = """
import os, signal, sys
from pathlib import Path
from infra.metrics.sharing import share
share(Path(sys.argv[1]), sys.argv[2])
from infra.metrics import forwarder, relay
relay.EVENTS.inc(int(sys.argv[3]))
forwarder.LAG_EVENTS.labels("clickhouse").set(int(sys.argv[3]))
os.kill(os.getpid(), signal.SIGKILL)
"""
TELLING = """
import sys
from pathlib import Path
from infra.metrics.sharing import share
share(Path(sys.argv[1]), "teller")
from infra.metrics.registry import exposition
sys.stdout.buffer.write(exposition())
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, metrics_port=free_port())


def samples(text: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_a_process_tells_what_it_has_counted(settings: Settings) -> None:
    LEASE_EXPIRIES.labels("import").inc(2)
    with serve_metrics(settings, Health) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics")
        found = samples(answer.text)
        assert answer.headers["content-type"].startswith("text/plain")
        assert found["annals_lease_expiries_total", "import"] >= 2
        assert found["annals_disk_free_bytes", "data"] > 0
        assert found["process_resident_memory_bytes",] > 1_000_000
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 404
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")


def test_its_health_has_reasons(settings: Settings) -> None:
    troubles: list[str] = []
    with serve_metrics(settings, lambda: Health(tuple(troubles))) as port:
        url = f"http://127.0.0.1:{port}/health"
        well = httpx.get(url)
        assert (well.status_code, well.json()) == (200, {"healthy": True, "reasons": []})
        troubles.append("ClickHouse does not answer")
        ill = httpx.get(url)
        assert (ill.status_code, ill.json()) == (503, {"healthy": False, "reasons": troubles})


def test_who_can_not_tell_how_it_is_is_not_well(settings: Settings) -> None:
    def broken() -> Health:
        raise RuntimeError("no idea")

    with serve_metrics(settings, broken) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/health")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["It can't be told: no idea"])


def test_a_token_is_asked_for_where_one_is_set(settings: Settings) -> None:
    settings.metrics_token = "scrape"
    with serve_metrics(settings, Health) as port:
        url = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{url}/metrics").status_code == 401
        assert (
            httpx.get(f"{url}/metrics", headers={"Authorization": "Bearer scrapé".encode("latin-1")}).status_code == 401
        )
        assert httpx.get(f"{url}/metrics", headers={"Authorization": "Bearer scrape"}).status_code == 200
        assert httpx.get(f"{url}/health").status_code == 200


def test_a_port_that_is_taken_is_named(settings: Settings) -> None:
    with (
        serve_metrics(settings, Health),
        pytest.raises(Unavailable, match=f"port {settings.metrics_port}.*ANNALS_METRICS_PORT"),
        serve_metrics(settings, Health),
    ):
        pass


def test_without_a_port_nothing_listens(tmp_path: Path) -> None:
    with serve_metrics(Settings(data=tmp_path), Health) as port:
        assert port == 0


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_who_takes_the_place_of_a_killed_process_counts_on_and_its_gauges_go(tmp_path: Path) -> None:
    lag = ("annals_forwarder_lag_events", "clickhouse")
    for name, number in (("forward", 3), ("relay", 10), ("forward", 4)):
        assert run(COUNTING, tmp_path, name, number).returncode == -9
    found = samples(run(TELLING, tmp_path).stdout)
    assert found["annals_relay_events_total",] == 3 + 10 + 4
    assert found[lag] == 10  # the largest of two that are, as far as is known, still there
    forget_gauges(tmp_path, "relay")
    assert samples(run(TELLING, tmp_path).stdout)[lag] == 4
    forget_gauges(tmp_path, "forward")
    found = samples(run(TELLING, tmp_path).stdout)
    assert lag not in found
    assert found["annals_relay_events_total",] == 17
    assert len(list(tmp_path.glob("counter_*.db"))) == 2  # of the places, however often they were taken
    prepare(tmp_path)
    assert "annals_relay_events_total" not in {name for name, *_ in samples(run(TELLING, tmp_path).stdout)}
