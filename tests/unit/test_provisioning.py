"""What Grafana and Prometheus are given fits together, and fits where Compose puts it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from observability.output import DASHBOARDS, DOCKER
from observability.sources import CLICKHOUSE, PROMETHEUS

PROVISIONING = DOCKER / "grafana" / "provisioning"


def load(*path: str) -> Any:
    return yaml.safe_load(DOCKER.joinpath(*path).read_text())


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = load("compose.yaml")["services"]
    return found


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Where → what, of the folders beside compose.yaml."""
    pairs = (volume.split(":") for volume in service["volumes"])
    return {pair[1]: pair[0] for pair in pairs if pair[0].startswith("./")}


def test_dashboards_ask_the_data_sources_that_there_are() -> None:
    sources = load("grafana", "provisioning", "datasources", "annals.yaml")["datasources"]
    there = {(source["type"], source["uid"]) for source in sources}
    assert there == {(source.type_val, source.uid) for source in (CLICKHOUSE, PROMETHEUS)}
    for path in DASHBOARDS.glob("*.json"):
        panels = json.loads(path.read_text())["panels"]
        asked = [
            query["datasource"]
            for panel in panels
            for query in (panel, *panel.get("targets", ()))
            if "targets" in panel
        ]
        assert {(source["type"], source["uid"]) for source in asked} <= there


def test_grafana_finds_its_files(services: dict[str, Any]) -> None:
    mounted = mounts(services["grafana"])
    assert mounted["/etc/grafana/provisioning"] == "./grafana/provisioning"
    (provider,) = load("grafana", "provisioning", "dashboards", "annals.yaml")["providers"]
    assert mounted[provider["options"]["path"]] == "./grafana/dashboards"
    text = (PROVISIONING / "datasources" / "annals.yaml").read_text()
    for secret in services["grafana"]["secrets"]:
        if secret.startswith("clickhouse"):
            assert f"$__file{{/run/secrets/{secret}}}" in text


def test_prometheus_finds_its_files_and_targets(services: dict[str, Any]) -> None:
    config = load("prometheus", "prometheus.yml")
    assert mounts(services["prometheus"])["/etc/prometheus"] == "./prometheus"
    assert config["rule_files"] == ["/etc/prometheus/rules.yml"]
    scraped = {job["job_name"]: job for job in config["scrape_configs"]}
    api, workers = (scraped[name]["dns_sd_configs"][0] for name in ("annals-api", "annals-workers"))
    own = {name for name, service in services.items() if str(service.get("image", "")).startswith("${ANNALS_IMAGE")}
    assert {*api["names"], *workers["names"]} == own - {"migrate"}
    assert str(workers["port"]) == services["relay"]["environment"]["ANNALS_METRICS_PORT"]
    secrets = {job["authorization"]["credentials_file"] for name, job in scraped.items() if name.startswith("annals-")}
    assert secrets == {f"/run/secrets/{services['prometheus']['secrets'][0]}"}


def test_the_guide_shows_each_dashboard() -> None:
    guide = DOCKER.parent / "docs" / "how-to" / "watch-with-grafana.md"
    pictures = [guide.parent / name for name in re.findall(r"!\[.+?\]\((.+?)\)", guide.read_text())]
    assert sorted(picture.stem.removeprefix("dashboard-") for picture in pictures) == sorted(
        path.stem for path in DASHBOARDS.glob("*.json")
    )
    assert all(picture.stat().st_size < 150_000 for picture in pictures)
