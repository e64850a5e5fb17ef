"""The compose files fit what they start, each other, and the rules of a careful deployment.

No Docker engine is needed. compose-spec.json is the schema of the Compose specification (compose-go 2.9.1, Apache 2.0).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import orjson
import pytest

from infra.settings import Settings

from .commands import DOCKER, SECRET_SETTINGS, UsageError, check_command, check_settings, load

MAIN = load("compose.yaml")
SERVICES: dict[str, dict[str, Any]] = MAIN["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("${ANNALS_IMAGE")}
OTHERS = {name: service for name, service in SERVICES.items() if name not in OURS}
S3 = load("compose.s3.yaml")
EVERY = {**SERVICES, **{name: service for name, service in S3["services"].items() if name not in SERVICES}}
ONE_SHOT = {"migrate", "bucket"}


@pytest.mark.parametrize("file", ["compose.yaml", "compose.s3.yaml", "compose.tls.yaml"])
def test_the_schema_is_kept(file: str) -> None:
    schema = orjson.loads((Path(__file__).parent / "compose-spec.json").read_bytes())
    jsonschema_rs.validator_for(schema).validate(load(file))


@pytest.mark.parametrize("name", OURS)
def test_annals_knows_the_command_and_the_settings(name: str) -> None:
    check_command(OURS[name]["command"])
    check_settings(OURS[name].get("environment", {}))
    check_settings(S3["services"].get(name, {}).get("environment", {}))


def test_an_unknown_command_would_be_noticed() -> None:
    for words in (["agent", "--queues", "import"], ["relays"], ["log"]):
        with pytest.raises(UsageError):
            check_command(words)


def test_every_kind_of_process_is_there() -> None:
    assert {"migrate", "api", "agent-import", "agent-export", "relay", "forwarder"} == set(OURS)
    assert SERVICES["api"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_do_little(name: str) -> None:
    service = OURS[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    owner = {"annals_database_owner_url", "annals_admin_password"} & set(service["secrets"])
    assert not owner or name == "migrate", "only the migration may change tables"
    assert set(service["secrets"]) <= SECRET_SETTINGS


@pytest.mark.parametrize("name", EVERY)
def test_each_service_is_bounded_watched_and_kept_going(name: str) -> None:
    service = EVERY[name]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service["logging"]["options"]["max-size"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")
    assert "healthcheck" in service or name in OURS or name in ONE_SHOT


@pytest.mark.parametrize("name", EVERY)
def test_images_are_pinned(name: str) -> None:
    tag = EVERY[name]["image"].removesuffix("}").rpartition(":")[2]
    assert re.search(r"\d+\.\d+|RELEASE\.\d{4}", tag), f"{tag} is not one version"


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_reachable_from_elsewhere(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith(("127.0.0.1:", "${ANNALS_BIND:-127.0.0.1}:"))
    assert MAIN["networks"]["backend"]["internal"] is True
    assert "backend" in SERVICES[name]["networks"]


def test_who_waits_waits_for_somebody_who_says_when() -> None:
    for name, service in EVERY.items():
        for other, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert how["condition"] == wanted, f"{name} waits for {other}"


def test_ports_are_those_of_the_settings() -> None:
    default = Settings.model_fields["port"].default
    assert f"EXPOSE {default}\n" in (DOCKER / "Dockerfile").read_text()
    assert f"ANNALS_API_PORT:{default}" in (DOCKER / "caddy" / "Caddyfile").read_text()
    assert "ANNALS_METRICS_PORT" not in SERVICES["api"]["environment"], "its health is asked of the API"


def test_prometheus_asks_every_process_where_it_answers() -> None:
    jobs = {job["job_name"]: job for job in load("prometheus/prometheus.yml")["scrape_configs"]}
    [api], [workers] = (jobs[name]["dns_sd_configs"] for name in ("annals-api", "annals-workers"))
    assert (api["names"], api["port"]) == (["api"], Settings.model_fields["port"].default)
    assert set(workers["names"]) == set(OURS) - {"api", "migrate"}
    assert {OURS[name]["environment"]["ANNALS_METRICS_PORT"] for name in workers["names"]} == {str(workers["port"])}
    for job in (jobs["annals-api"], jobs["annals-workers"]):
        assert secret_of(job["authorization"]["credentials_file"]) in SERVICES["prometheus"]["secrets"]


def test_grafana_finds_its_sources_and_dashboards(secrets: Path) -> None:
    clickhouse, prometheus = load("grafana/provisioning/datasources/annals.yaml")["datasources"]
    assert clickhouse["jsonData"]["host"] in SERVICES
    assert urlsplit(prometheus["url"]).hostname in SERVICES
    assert f"<{clickhouse['jsonData']['username']}>" in (secrets / "clickhouse_users.xml").read_text()
    password = clickhouse["secureJsonData"]["password"].removeprefix("$__file{").removesuffix("}")
    assert secret_of(password) in SERVICES["grafana"]["secrets"]
    [provider] = load("grafana/provisioning/dashboards/annals.yaml")["providers"]
    mounted = {target: source for source, target, *_ in (text.split(":") for text in SERVICES["grafana"]["volumes"])}
    assert list((DOCKER / mounted[provider["options"]["path"]]).glob("*.json"))


def secret_of(path: str) -> str:
    assert path.startswith("/run/secrets/")
    return path.removeprefix("/run/secrets/")


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the script has filled, somewhere else."""
    place = tmp_path_factory.mktemp("docker")
    (place / "secrets").mkdir()
    shutil.copy(DOCKER / "make-secrets.sh", place)
    make_secrets(place)
    return place / "secrets"


def make_secrets(place: Path) -> str:
    done = subprocess.run([place / "make-secrets.sh"], capture_output=True, text=True, check=True)
    return done.stdout


def test_every_secret_is_made_and_used(secrets: Path) -> None:
    declared = {**MAIN["secrets"], **S3["secrets"]}
    assert {Path(secret["file"]).name for secret in declared.values()} <= {path.name for path in secrets.iterdir()}
    used = {one if isinstance(one, str) else one["source"] for s in EVERY.values() for one in s.get("secrets", [])}
    used |= {one for service in S3["services"].values() for one in service["secrets"]}
    assert used == set(declared)


def test_secrets_lead_to_services(secrets: Path) -> None:
    for name in ("annals_database_url", "annals_database_owner_url", "annals_clickhouse_url"):
        url = urlsplit((secrets / name).read_text().strip())
        assert url.hostname in SERVICES
        assert len(url.password or "") == 48
    passwords = [path.read_text() for path in secrets.iterdir() if path.name.endswith("password")]
    assert len(set(passwords)) == len(passwords) > 5


def test_secrets_stay_when_they_are_made_again(secrets: Path) -> None:
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    assert make_secrets(secrets.parent) == ""
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    assert os.stat(secrets).st_mode & 0o777 == 0o700


def test_no_secret_is_committed() -> None:
    assert (DOCKER / "secrets" / ".gitignore").read_text().splitlines() == ["*", "!.gitignore"]
