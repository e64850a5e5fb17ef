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
    (row,) = log.query("SELECT count(*) AS n FROM log.events WHERE type = 'JobStateChanged'")
    capsys.readouterr()
    for patience in (3_000, 10_000, 60_000):  # it ends when nothing comes: a busy broker may need longer to begin
        run_example(kafka_configuration, patience)
        printed = capsys.readouterr().out.splitlines()
        if len(printed) >= row["n"]:
            break
    assert printed.count("ann completed job 99 at position 21") == 1
    assert len(printed) == row["n"]


def run_example(kafka: KafkaConfiguration, patience: int) -> None:
    """`patience`: in milliseconds; with each, another group begins anew."""
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    for told, here in {
        "localhost:9092": ",".join(kafka.servers),
        "annals.events": kafka.events_topic,
        "consumer_timeout_ms=3_000": f"consumer_timeout_ms={patience}",
        "who-finishes-jobs": f"who-finishes-jobs-{kafka.topic_prefix}{patience}",
    }.items():
        assert told in example
        example = example.replace(told, here)
    exec(compile(example, str(GUIDE), "exec"), {})
