"""Who follows the log, as metrics and the dashboard tell it: who never started, too, but nobody who is not in use."""

from __future__ import annotations

import pytest

from api.dashboards.state import state
from api.readings import DatabaseReadings
from cli.bootstrap import System
from consumers.lock import FollowerLock
from domain.events.job import JobAssigned
from infra.eventlog.followers import Follower
from infra.postgres.database import Database

from .forwarder.steps import ME


@pytest.fixture
def log(system: System) -> Database:
    """Of 12 events, of which `gone` has 5 and could not pass on one."""
    system.app.record(ME, [JobAssigned(1, 7, None, 6, "bob", None) for _ in range(12)])
    with system.database.connect() as connection:
        connection.execute("INSERT INTO log.checkpoints (consumer, position) VALUES ('gone', 5), ('gone:sent', 6)")
        connection.execute("INSERT INTO log.dead_letters VALUES ('gone', '3', 3, 'insert', 'no')")
    return system.database


def told(log: Database, wanted: list[str] | None) -> dict[str, dict[str, float]]:
    """Of each metric with a follower: the value of each follower."""
    return {
        metric.name: {sample.labels["follower"]: sample.value for sample in metric.samples}
        for metric in DatabaseReadings(log, wanted).collect()
        if any("follower" in sample.labels for sample in metric.samples)
    }


def test_one_that_never_started_is_behind_with_everything(log: Database) -> None:
    found = told(log, ["forwarder"])
    assert found["annals_follower_lag_events"] == {"forwarder": 12}
    assert found["annals_follower_lag_seconds"]["forwarder"] > 0
    assert found["annals_dead_letters"] == {"forwarder": 0}


def test_one_that_is_not_in_use_is_no_lag_until_somebody_takes_it_in_hand(log: Database) -> None:
    followers = {one["follower"]: one for one in state(log, ["forwarder"])["followers"]}
    assert {name: one["state"] for name, one in followers.items()} == {
        "forwarder": "nobody is at work",
        "gone": "not in use",
    }
    with log.connect() as connection:
        assert FollowerLock(connection, "gone").take(shared=True)
        assert told(log, ["forwarder"])["annals_follower_lag_events"] == {"forwarder": 12, "gone": 7}
        assert told(log, ["forwarder"])["annals_dead_letters"] == {"forwarder": 0, "gone": 1}


def test_all_are_in_use_where_the_topology_is_not_known(log: Database) -> None:
    assert told(log, None)["annals_follower_lag_events"] == {"gone": 7}


@pytest.mark.parametrize(
    ("follower", "trouble"),
    [
        (Follower("f", 0, 9, 60.0, None, at_work=False, in_use=True, dead_letters=0), "has not started"),
        (Follower("f", 3, 9, 60.0, 45.0, at_work=True, in_use=True, dead_letters=0), "has not moved for 45 s"),
        (Follower("f", 3, 9, 60.0, 2.0, at_work=True, in_use=True, dead_letters=0), None),
        (Follower("f", 3, 9, 2.0, 900.0, at_work=False, in_use=True, dead_letters=0), None),
        (Follower("f", 12, 0, 0.0, 900.0, at_work=False, in_use=True, dead_letters=0), None),
        (Follower("f", 3, 9, 60.0, 900.0, at_work=False, in_use=False, dead_letters=0), None),
    ],
)
def test_trouble_is_to_stand_still_before_the_end_of_the_log(follower: Follower, trouble: str | None) -> None:
    assert follower.trouble == trouble
