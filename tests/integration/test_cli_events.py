"""`annals events`: what has happened, in words and in full."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from .conftest import REPOSITORY, Annals, MainJob

STORY = """\
Annals registered administrator admin
admin logged in
admin created task 1 “photos”
admin gave task 1 the labels “cat” and “dog”
admin sent 4 files (0.0 MB) for task 1: photo0.jpg, photo1.jpg, photo2.jpg and 1 more
admin asked to prepare the data of task 1
agent began to prepare the data of task 1
agent prepared the data of task 1: 4 frames
agent put frames 0 to 3 into task 1
agent split task 1 into 2 jobs
agent created job 1 of task 1: frames 0 to 1
agent created job 2 of task 1: frames 2 to 3
agent finished the request to prepare the data of task 1
admin drew 1 tag and 2 shapes in job 1
admin moved job 1 from “annotation, new” to “acceptance, completed”
"""


def words(printed: str) -> str:
    """Without position and time."""
    return "".join(line.split(maxsplit=2)[2] + "\n" for line in printed.splitlines())


def test_the_tail_tells_the_main_job_in_words(annals: Annals, main_job: MainJob) -> None:
    told = annals("events", "tail")
    assert (told.returncode, words(told.stdout)) == (0, STORY)
    positions = [int(line.split()[0]) for line in told.stdout.splitlines()]
    assert positions == list(range(1, len(positions) + 1))


def test_the_tail_can_be_short_and_choosy(annals: Annals, main_job: MainJob) -> None:
    lines = STORY.splitlines(keepends=True)
    assert words(annals("events", "tail", "--limit", "2").stdout) == "".join(lines[-2:])
    assert annals("events", "tail", "--limit", "0").stdout == ""
    created = annals("events", "tail", "--type", "JobCreated", "--limit", "1")
    assert words(created.stdout) == "agent created job 2 of task 1: frames 2 to 3\n"
    stream = annals("events", "tail", "--stream", "task-1")
    assert words(stream.stdout) == "".join(lines[2:4])


def test_the_tail_as_json_has_words_and_envelope(annals: Annals, main_job: MainJob) -> None:
    event = json.loads(annals("events", "tail", "--limit", "1", "--json").stdout)
    assert event.pop("time").endswith("+00:00")
    assert event == {
        "what": STORY.splitlines()[-1],
        "position": 15,
        "event": "job-1@2",
        "type": "JobStateChanged",
        "schema_version": 1,
        "source": "api",
        "actor": "admin",
        "actor_id": 1,
        "correlation_id": "first-request",
        "user_agent": "a test",
    }


def test_an_unknown_type_is_a_wrong_command_line(annals: Annals) -> None:
    refused = annals("events", "tail", "--type", "JobDone")
    assert refused.returncode == 2
    assert "JobStateChanged" in refused.stderr


def test_follow_goes_on_with_what_happens_next(database_url: str, data_folder: Path, main_job: MainJob) -> None:
    environment = {**os.environ, "ANNALS_DATABASE_URL": database_url, "ANNALS_DATA": str(data_folder)}
    following = subprocess.Popen(
        [sys.executable, "-P", "-m", "cli.main", "events", "tail", "--follow", "--limit", "1", "--type", "TaskChanged"],
        env=environment | {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    told = []
    main_job.system.app.tasks.update(main_job.admin, 1, {"name": "first"})
    for name in ("second", "third"):
        told.append(following.stdout.readline())
        main_job.system.app.jobs.update(main_job.admin, 2, state="in progress")
        main_job.system.app.tasks.update(main_job.admin, 1, {"name": name})
    told.append(following.stdout.readline())
    following.send_signal(signal.SIGINT)
    assert following.wait(60) == 0
    assert words("".join(told)) == (
        "admin changed the name from “photos” to “first” of task 1\n"
        "admin changed the name from “first” to “second” of task 1\n"
        "admin changed the name from “second” to “third” of task 1\n"
    )


def test_an_event_is_shown_by_position_and_by_name(annals: Annals, main_job: MainJob) -> None:
    shown = annals("events", "show", "10")
    assert shown.returncode == 0
    assert "data-1@4" in shown.stdout
    assert "agent split task 1 into 2 jobs" in shown.stdout
    assert json.loads(shown.stdout.partition("\n\n")[2]) == {
        "task_id": 1,
        "segment_size": 2,
        "overlap": 0,
        "job_count": 2,
    }
    assert annals("events", "show", "data-1@4").stdout == shown.stdout
    request = annals("events", "show", "request-action=create&target=task&target_id=1@1", "--json")
    assert json.loads(request.stdout)["payload"]["queue"] == "import"


def test_secrets_are_hidden_even_in_full(annals: Annals, main_job: MainJob) -> None:
    registered = annals("events", "show", "user-1@1", "--full", "--json").stdout
    logged_in = annals("events", "show", "user-1@2", "--full").stdout
    assert json.loads(registered)["payload"]["password_hash"] == "(hidden)"
    assert "a password hash" not in registered
    assert logged_in.count("(hidden)") == 2


def test_long_lists_are_cut_unless_shown_in_full(annals: Annals, main_job: MainJob) -> None:
    def frames(*options: str) -> list[object]:
        shown = annals("events", "show", "data-1@3", "--json", *options)
        found: list[object] = json.loads(shown.stdout)["payload"]["frames"]
        return found

    assert len(frames("--full")) == 4
    assert frames() == [*frames("--full")[:3], "… 1 more"]


def test_an_event_that_is_not_there_is_said(annals: Annals, main_job: MainJob) -> None:
    for name, message in (
        ("999", "There is no event 999"),
        ("task-1@9", "There is no event task-1@9"),
        ("yesterday", "yesterday is neither a position (17) nor a stream and a version (task-1@2)"),
    ):
        missing = annals("events", "show", name)
        assert (missing.returncode, missing.stderr) == (1, f"annals: {message}\n")


def test_who_acts_without_a_user(annals: Annals, main_job: MainJob) -> None:
    annals("user", "create", "ada", "--password-stdin", stdin="correct horse")
    assert words(annals("events", "tail", "--limit", "1").stdout) == "operator registered user ada\n"
