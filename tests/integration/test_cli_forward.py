"""`annals forward …`: what is said of a topology, how the sinks stand, and what an operator can do about them."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import CONSUMER
from consumers.forwarder.dead_letters import DeadLetter
from infra.clickhouse.client import connect
from infra.clickhouse.process import EndpointProcess

from ..waiting import wait_until
from .conftest import REPOSITORY, Annals, MainJob

Look = Callable[[int], subprocess.Popen[bytes]]

ARCHIVE = """
[sources.log]
type = "log"
[transforms.anonymous]
type = "redact"
input = "log"
columns = ["user_name"]
how = "{how}"
[sinks.archive]
type = "file"
input = "anonymous"
folder = "/nowhere"
"""
TWO_CLICKHOUSES = """
[sources.log]
type = "log"
[sinks.analytics]
type = "clickhouse"
input = "log"
[sinks.elsewhere]
type = "clickhouse"
input = "log"
url = "{url}"
"""


def test_a_topology_is_told_without_being_followed(annals: Annals, tmp_path: Path) -> None:
    by_default = annals("forward", "validate")
    assert (by_default.returncode, by_default.stderr) == (0, "")
    assert by_default.stdout.startswith("clickhouse: log → clickhouse, in batches of 60,000 rows")
    file = tmp_path / "archive.toml"
    file.write_text(ARCHIVE.format(how="remove"))
    archive = annals("forward", "validate", ANNALS_TOPOLOGY=str(file))
    assert archive.stdout.startswith("archive: log → redact → file, in batches of 100,000 rows")
    assert archive.stdout.rstrip().endswith("place kept as forwarder-archive")
    assert not Path("/nowhere").exists()


def test_what_is_wrong_with_a_topology_is_said(annals: Annals, tmp_path: Path) -> None:
    file = tmp_path / "archive.toml"
    file.write_text(ARCHIVE.format(how="hash"))
    keyless = annals("forward", "validate", "--topology", str(file))
    assert (keyless.returncode, keyless.stdout) == (1, "")
    assert keyless.stderr == "annals: hashing needs a key: set ANNALS_REDACTION_KEY\n"
    assert annals("forward", "validate", "--topology", str(file), ANNALS_REDACTION_KEY="hush").returncode == 0
    file.write_text(ARCHIVE.format(how="hide").replace('"log"', '"kafka"'))
    wrong = annals("forward", "validate", "--topology", str(file))
    assert "transforms.anonymous.redact.how: Input should be 'remove' or 'hash'" in wrong.stderr
    file.write_text(ARCHIVE.format(how="remove").replace('"log"', '"kafka"', 1))
    nowhere = annals("forward", "validate", "--topology", str(file))
    assert (nowhere.returncode, "ANNALS_KAFKA_URL" in nowhere.stderr) == (1, True)
    started = annals("forward", "--topology", str(file))
    assert started.returncode == 1


def test_a_sink_that_names_the_settings_server_beside_one_that_names_none(annals: Annals, tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    sink = '[sinks.{}]\ntype = "clickhouse"\ninput = "log"\n'
    url = 'url = "http://forwarder:hush@LOCALHOST:9009/cvat"\n'
    file.write_text('[sources.log]\ntype = "log"\n' + sink.format("one") + sink.format("two") + url)
    server = {"ANNALS_CLICKHOUSE_URL": "http://someone@127.0.0.1:9009"}
    same = annals("forward", "validate", "--topology", str(file), **server)
    assert (same.returncode, same.stdout) == (1, "")
    assert "two sinks write into the same ClickHouse: one that names no url" in same.stderr
    assert "hush" not in same.stderr
    server["ANNALS_CLICKHOUSE_URL"] = "http://someone@127.0.0.1:9010"
    assert annals("forward", "validate", "--topology", str(file), **server).returncode == 0


def test_a_server_does_not_start_with_a_topology_that_can_not_be_followed(annals: Annals, tmp_path: Path) -> None:
    file = tmp_path / "archive.toml"
    unused = '[transforms.unused]\ntype = "filter"\ninput = "logg"\n'
    file.write_text(ARCHIVE.format(how="hash").replace('input = "anonymous"', 'input = "nobody"') + unused)
    wrong = annals("serve", ANNALS_TOPOLOGY=str(file))
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "logg is no source and no transform, but an input of the transform unused" in wrong.stderr
    assert "nobody is no source and no transform, but an input of the sink archive" in wrong.stderr
    file.write_text(ARCHIVE.format(how="hash").replace('"log"', '"kafka"', 1))
    wrong = annals("serve", ANNALS_TOPOLOGY=str(file))
    assert "ANNALS_KAFKA_URL" in wrong.stderr
    assert "ANNALS_REDACTION_KEY" in wrong.stderr


def test_a_sink_that_stands_still_is_said_and_one_that_is_gone_can_be_forgotten(
    annals: Annals, main_job: MainJob
) -> None:
    with main_job.system.database.connect() as connection:
        connection.execute(
            "INSERT INTO log.checkpoints (consumer, position, updated_at) VALUES"
            " ('forwarder', 4, now() - interval '1 hour'), ('forwarder-old', 3, now()),"
            " ('forwarder-old:sent', 3, now())"
        )
        dead_letters.note(connection, "forwarder-old", [DeadLetter.at(3, "insert", "refused")])
    status = annals("forward", "status", "--json")
    clickhouse, old = (json.loads(line) for line in status.stdout.splitlines())
    assert (clickhouse["sink"], clickhouse["state"], clickhouse["position"]) == ("clickhouse", "nobody is at work", 4)
    assert (old["sink"], old["state"], old["behind"], old["trouble"]) == ("old", "not in use", None, None)
    assert annals("doctor", "--json").stdout.count('"value":"not in use"') == 1
    used = annals("forward", "forget", "clickhouse")
    assert (used.returncode, used.stderr) == (1, "annals: clickhouse is a sink of the topology\n")
    gone = annals("forward", "forget", "old")
    assert (gone.returncode, gone.stdout) == (0, "old, which was at position 3, is forgotten.\n")
    assert "old" not in annals("forward", "status").stdout
    assert annals("forward", "forget", "old").stderr == "annals: nothing is known of a sink old\n"
    assert annals("forward", "forget", "clickhouse", "--force").returncode == 0


LOOK = '[sources.log]\ntype = "log"\n[sinks.look]\ntype = "stdout"\ninput = "log"\n'
FORWARD = "from consumers.forwarder import pipeline; pipeline.DRAIN = 0.1; from cli.main import main; main()"


@pytest.fixture
def look(main_job: MainJob, database_url: str, data_folder: Path, tmp_path: Path) -> Iterator[Look]:
    """Starts forwarding to a standard output."""
    file = tmp_path / "look.toml"
    file.write_text(LOOK)
    settings = {"ANNALS_DATABASE_URL": database_url, "ANNALS_DATA": str(data_folder), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", FORWARD, "forward", "--topology", str(file)]
    with ExitStack() as stack:

        def start(stdout: int) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(command, env=os.environ | settings, stdout=stdout, stderr=subprocess.PIPE)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def test_a_forwarder_ends_when_nobody_reads_its_standard_output_any_more(look: Look) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = look(writer)
    os.close(writer)
    _, complaints = ended.communicate(timeout=300)
    assert ended.returncode == 0
    assert b"BrokenPipe" not in complaints


def test_a_forwarder_can_be_stopped_while_its_standard_output_is_not_read(look: Look) -> None:
    reader, writer = os.pipe()
    full = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = look(writer)
    wait_until(lambda: struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, bytes(4)))[0] == full)
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=300)
    assert (process.returncode, b"stopped before everything was sent" in complaints) == (0, True)
    os.close(writer)
    os.close(reader)


def test_dead_letters_are_listed_sent_again_and_gone(annals: Annals, main_job: MainJob) -> None:
    database = main_job.system.database
    with database.connect() as connection:
        letters = [DeadLetter.at(3, "insert", "refused"), DeadLetter("annals.events/1@7", None, "read", "not JSON")]
        dead_letters.note(connection, CONSUMER, letters)
    (status,) = [json.loads(line) for line in annals("forward", "status", "--json").stdout.splitlines()]
    head = database.query("SELECT max(position) AS head FROM log.events")[0]["head"]
    assert (status["sink"], status["position"], status["behind"], status["dead_letters"]) == ("clickhouse", 0, head, 2)
    listed = annals("forward", "dead-letters", "list").stdout
    assert "annals.events/1@7" in listed
    assert "refused" in listed
    wrong = annals("forward", "dead-letters", "drop", "3")
    assert (wrong.returncode, "3 is an event of the log: retry it" in wrong.stderr) == (2, True)
    assert annals("forward", "dead-letters", "drop", "annals.events/1@7").stdout == "1 forgotten.\n"
    again = annals("forward", "dead-letters", "retry", "3")
    assert (again.returncode, again.stdout) == (0, "1 delivered, 0 refused again.\n")
    assert annals("forward", "dead-letters", "list").stdout == "There are none.\n"


def test_a_rebuild_without_a_server_fills_the_tables(annals: Annals, main_job: MainJob) -> None:
    head = main_job.system.database.query("SELECT max(position) AS head FROM log.events")[0]["head"]
    rebuilt = annals("forward", "rebuild")
    assert rebuilt.stdout == f"Rebuilt from {head:,} events; 0 of them could not be passed on.\n", rebuilt.stderr
    verified = annals("verify", "--clickhouse")
    assert verified.returncode == 0, verified.stdout
    repaired = annals("forward", "repair")
    assert repaired.stdout == f"Compared up to position {head:,}; 0 events were sent anew.\n"


def test_cells_that_were_changed_are_named_and_sent_anew(annals: Annals, main_job: MainJob, tmp_path: Path) -> None:
    with EndpointProcess(tmp_path / "clickhouse", "hush") as endpoint:
        url = f"http://forwarder:hush@127.0.0.1:{endpoint.port}"
        server = {"ANNALS_CLICKHOUSE_URL": url}
        assert annals("forward", "rebuild", **server).returncode == 0
        with closing(connect(url)) as client:
            client.command(
                "ALTER TABLE cvat.events UPDATE payload = '{}' WHERE position IN (2, 4, 5)",
                settings={"mutations_sync": 2},
            )
        assert annals("verify", "--clickhouse", **server).returncode == 0
        different = annals("verify", "--clickhouse", "--rows", **server)
        assert different.returncode == 1
        assert different.stdout.endswith(
            "First difference: rows in ClickHouse: 3 events told otherwise than by the log, first that of position 2"
            " (column payload): see annals forward repair 2 4-5\n"
        )
        repaired = annals("forward", "repair", "2", "4-5", **server)
        assert "; 3 events were sent anew." in repaired.stdout, repaired.stderr
        equal = annals("verify", "--clickhouse", "--rows", "--json", **server)
        assert [one["subject"] for one in json.loads(equal.stdout)["findings"]] == [
            "ClickHouse",
            "rows in ClickHouse",
            "tables beside events",
        ]
        assert equal.returncode == 0
        with closing(connect(url)) as client:
            client.command("ALTER TABLE cvat.job_changes UPDATE stage = 'new' WHERE 1", settings={"mutations_sync": 2})
        assert annals("verify", "--clickhouse", **server).returncode == 0
        forged = annals("verify", "--clickhouse", "--rows", **server)
        assert forged.returncode == 1
        assert "tables beside events: job_changes tells position" in forged.stdout
        assert "; 0 events were sent anew." in annals("forward", "repair", **server).stdout
        assert annals("verify", "--clickhouse", "--rows", **server).returncode == 0
        for wrong in ("0", "5-4", "x", "-"):
            assert annals("forward", "repair", "--", wrong, **server).returncode == 2


@pytest.mark.usefixtures("main_job")
def test_each_clickhouse_of_a_topology_is_verified_whatever_its_name(annals: Annals, tmp_path: Path) -> None:
    with EndpointProcess(tmp_path / "clickhouse", "hush") as endpoint:
        url = f"http://forwarder:hush@127.0.0.1:{endpoint.port}"
        (tmp_path / "topology.toml").write_text(TWO_CLICKHOUSES.format(url=url))
        along = {"ANNALS_TOPOLOGY": str(tmp_path / "topology.toml")}
        never = annals("verify", "--clickhouse", **along)
        assert never.returncode == 3
        assert "Not compared: ClickHouse, analytics: nothing was forwarded yet" in never.stdout
        for sink in ("analytics", "elsewhere"):
            assert annals("forward", "rebuild", "--sink", sink, **along).returncode == 0
        assert annals("verify", "--clickhouse", "--rows", **along).returncode == 0
        with closing(connect(url)) as client:
            client.command("ALTER TABLE cvat.events DELETE WHERE position = 2", settings={"mutations_sync": 2})
        lacking = annals("verify", "--clickhouse", **along)
        assert lacking.returncode == 1
        assert "First difference: ClickHouse, elsewhere: position 2 is missing in ClickHouse" in lacking.stdout


def test_only_sinks_that_there_are(annals: Annals) -> None:
    unknown = annals("forward", "repair", "--sink", "archive")
    assert (unknown.returncode, unknown.stderr) == (1, "annals: there is no sink archive, only clickhouse\n")
