"""The example of docs/how-to/stream-the-log-to-kafka.md runs, and sees what is there, once."""

from __future__ import annotations

import re

import pytest

from cli.bootstrap import System
from domain.events.job import JobStateChanged
from infra.kafka.configuration import KafkaConfiguration
from infra.postgres.database import Database

from .steps import ME, REPOSITORY, record, relay_all

GUIDE = REPOSITORY / "docs" / "how-to" / "stream-the-log-to-kafka.md"


def test_the_example_sees_each_event_once(
    system: System, log: Database, kafka_configuration: KafkaConfiguration, capsys: pytest.CaptureFixture[str]
) -> None:
    record(system, 20)
    system.app.record(ME, [JobStateChanged(99, 7, None, "validation", "completed", "annotation", "new")])
    relay_all(log, kafka_configuration)
    with log.connection() as connection:
        connection.execute("UPDATE log.checkpoints SET position = 0 WHERE consumer = 'relay'")
    relay_all(log, kafka_configuration)  # repeats everything
    capsys.readouterr()
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    example = example.replace("localhost:9092", ",".join(kafka_configuration.servers))
    exec(compile(example.replace("annals.events", kafka_configuration.events_topic), str(GUIDE), "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed.count("ann completed job 99 at position 21") == 1
    with log.connection() as connection:
        row = connection.execute("SELECT count(*) AS n FROM log.events WHERE type = 'JobStateChanged'").fetchone()
    assert row is not None
    assert len(printed) == row["n"]
