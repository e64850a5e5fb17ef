"""`annals doctor`: it says what is wrong and what to do, and is quiet when nothing is."""

from __future__ import annotations

import json
from typing import Any

from projections.registry import REGISTRY

from .conftest import REQUEST, Annals, MainJob


def symptoms(printed: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = [json.loads(line) for line in printed.splitlines()]
    return {(one["topic"], one["name"]): one for one in found}


def change(done: MainJob, statement: str) -> None:
    with done.system.database.connect() as connection:
        connection.execute(statement.encode())


def test_a_healthy_database_has_no_trouble(annals: Annals, main_job: MainJob) -> None:
    healthy = annals("doctor", "--json")
    found = symptoms(healthy.stdout)
    assert healthy.returncode == 0
    assert [one for one in found.values() if one["trouble"]] == []
    values = {key: found[key]["value"] for key in found}
    assert values["server", "state"] == "not running"
    assert values["database", "fsync"] == values["database", "synchronous_commit"] == "on"
    assert values["log", "head"].startswith("15 (")
    assert values["disk", "blobs"] == "4 (24 B)"
    assert values["projections", "jobs"].startswith(f"version {REGISTRY['jobs'].version}, built ")
    assert values["queues", "import"] == "0 waiting, 0 running, 0 failed; 0 agents"


def test_in_plain_words(annals: Annals, main_job: MainJob) -> None:
    healthy = annals("doctor")
    assert (healthy.returncode, healthy.stderr) == (0, "")
    assert healthy.stdout.endswith("Everything is as it should be.\n")


def test_a_projection_that_is_not_built_is_named_with_the_remedy(annals: Annals, main_job: MainJob) -> None:
    change(main_job, "UPDATE log.projections SET version = 0 WHERE name = 'jobs'")
    change(main_job, "DELETE FROM log.projections WHERE name = 'users'")
    ill = annals("doctor")
    assert ill.returncode == 1
    assert f"projection users is wanted in version {REGISTRY['users'].version}: `annals replay users`" in ill.stdout
    assert f"projection jobs is wanted in version {REGISTRY['jobs'].version}: `annals replay jobs`" in ill.stdout
    annals("replay", "users", "jobs")
    assert annals("doctor").returncode == 0


def test_other_versions_of_a_projection_beside_the_wanted_one_are_no_trouble(annals: Annals, main_job: MainJob) -> None:
    version = REGISTRY["jobs"].version
    others = f"('jobs', {version - 1}, 0), ('jobs', {version + 1}, 0)"
    change(main_job, f"INSERT INTO log.projections (name, version, position) VALUES {others}")
    found = symptoms(annals("doctor", "--json").stdout)["projections", "jobs"]
    assert found["trouble"] is None
    assert found["value"].startswith(f"version {version}, built ")


def test_waiting_work_that_nobody_serves_is_trouble_until_an_agent_comes(annals: Annals, main_job: MainJob) -> None:
    change(main_job, f"UPDATE requests SET status = 'queued' WHERE id = '{REQUEST.format(1)}'")
    alone = annals("doctor")
    assert alone.returncode == 1
    assert "nobody serves queue import: start `annals agent`" in alone.stdout
    agent = "'here', '{import}', now() + interval '1 hour'"  # whose beat is not too old when it is looked for
    change(main_job, f"INSERT INTO log.agents (agent, queues, beat_at) VALUES ({agent})")
    served = annals("doctor", "--json")
    assert served.returncode == 0
    assert symptoms(served.stdout)["queues", "import"]["value"] == "1 waiting, 0 running, 0 failed; 1 agents"
    change(main_job, "UPDATE log.agents SET beat_at = now() - interval '1 minute'")
    assert annals("doctor").returncode == 1


def test_followers_are_shown_with_their_lag(annals: Annals, main_job: MainJob) -> None:
    change(main_job, "INSERT INTO log.checkpoints (consumer, position) VALUES ('forwarder', 5), ('forwarder:sent', 6)")
    found = symptoms(annals("doctor", "--json").stdout)
    assert {key: one["value"] for key, one in found.items() if key[0] == "followers"} == {
        ("followers", "forwarder"): "position 5, 10 behind"
    }
