"""`annals clickhouse-user`: who reads the embedded ClickHouse with a password, and when nobody needs one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.clickhouse_address import anybody_reads, reader_url
from infra.clickhouse.readers_file import Readers
from infra.passwords import Argon2Passwords
from infra.settings import Settings

from .conftest import Annals

PASSWORD = "correct horse battery"


def test_readers_come_and_go(annals: Annals, data_folder: Path) -> None:
    made = annals("clickhouse-user", "add", "grafana", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (made.returncode, made.stdout, made.stderr) == (0, "grafana may read the embedded ClickHouse\n", "")
    kept = Readers(data_folder / "clickhouse-readers.json").password_hash("grafana")
    assert kept is not None
    assert Argon2Passwords().verify(kept, PASSWORD)
    again = annals("clickhouse-user", "add", "grafana", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (again.returncode, again.stderr) == (1, "annals: There is a user grafana already\n")
    listed = annals("clickhouse-user", "list", "--json").stdout.splitlines()
    assert [json.loads(line) for line in listed] == [{"name": "grafana"}]
    assert annals("clickhouse-user", "remove", "grafana").returncode == 0
    gone = annals("clickhouse-user", "remove", "grafana")
    assert (gone.returncode, gone.stderr) == (1, "annals: There is no reader grafana\n")


@pytest.mark.parametrize(
    ("host", "said", "anybody"),
    [
        ("127.0.0.1", None, True),
        ("127.5.0.1", None, True),
        ("::1", None, True),
        ("localhost", None, True),
        ("0.0.0.0", None, False),
        ("::", None, False),
        ("10.0.0.7", None, False),
        ("annals.example.org", None, False),
        ("0.0.0.0", True, True),
        ("127.0.0.1", False, False),
    ],
)
def test_who_reads_without_a_password(tmp_path: Path, host: str, said: bool | None, anybody: bool) -> None:
    settings = Settings(data=tmp_path, host=host, clickhouse_anonymous=said)
    assert anybody_reads(settings) is anybody
    assert ("@" in reader_url(settings)) is not anybody, "the dashboard always gets in"
