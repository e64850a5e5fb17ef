"""Every request comes to its end, in words that its owner understands, and its work is recorded with its cause."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from consumers import agent as agents
from consumers.agent import Agent, in_words
from consumers.handlers import HANDLERS
from consumers.handlers.handler import Outcome
from domain.data import creation_id
from domain.errors import Invalid, MediaError, Unavailable
from domain.events.data import DataUploaded
from domain.events.request import LeaseExpired, RequestFailed, RequestFinished, RequestStarted
from domain.request import MAX_ATTEMPTS, Request
from infra.blobs import FileBlobs
from infra.metrics.agents import LEASE_EXPIRIES
from infra.settings import Settings

from ...waiting import wait_until
from .work import ANN, Work, running


def test_work_is_recorded_in_one_go_with_its_cause(work: Work, settings: Settings) -> None:
    request_id = work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
    stream = f"request-{request_id}"
    queued, started, finished = work.events(stream)
    assert [type(event.body) for event in (started, finished)] == [RequestStarted, RequestFinished]
    assert {event.meta.source for event in (started, finished)} == {"worker"}
    assert {event.meta.actor for event in (started, finished)} == {"ann"}
    assert {event.meta.correlation_id for event in (started, finished)} == {"the-http-request"}
    assert {event.meta.causation_id for event in (started, finished)} == {queued.id}
    done = work.rows("SELECT type FROM log.events WHERE position > %s ORDER BY position", started.position)
    assert [row["type"] for row in done] == [
        "DataUploaded", "FramesAdded", "JobsSplit", "JobCreated", "JobCreated", "JobCreated", "RequestFinished",
    ]  # fmt: skip
    assert finished.position == started.position + len(done)
    jobs = work.rows("SELECT start_frame, stop_frame FROM jobs ORDER BY id")
    assert [(row["start_frame"], row["stop_frame"]) for row in jobs] == [(0, 1), (2, 3), (4, 4)]


def test_a_waiting_request_is_taken_up_at_once(work: Work, settings: Settings) -> None:
    """The log wakes an agent that would look again only after half a lease, which is an hour here."""
    with running(work.system, settings.model_copy(update={"lease_seconds": 7_200.0})):
        wait_until(lambda: work.rows("SELECT 1 FROM log.agents"))
        for _ in range(3):  # once at least it had found nothing to do before
            request_id = work.queue()
            wait_until(lambda request_id=request_id: work.ended(request_id))  # type: ignore[misc]


def test_an_agent_comes_and_goes(work: Work, settings: Settings) -> None:
    with running(work.system, settings) as agent:
        served = "SELECT 1 FROM log.agents WHERE agent = %s AND queues = '{import,export}'"
        wait_until(lambda: work.rows(served, agent.name))
        [first] = work.rows("SELECT beat_at FROM log.agents")
        wait_until(lambda: work.rows("SELECT 1 FROM log.agents WHERE beat_at > %s", first["beat_at"]))
    assert work.rows("SELECT 1 FROM log.agents") == []


def test_a_stopping_agent_finishes_what_it_can(work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    began, in_time = threading.Event(), []
    create = HANDLERS["create:task"]

    def slow(tools: Any, request: Request) -> Outcome:
        began.set()
        in_time.append(agent._stopping.wait(60))
        return create(tools, request)

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": slow})
    monkeypatch.setattr(agents, "STOP_SECONDS", 60.0)
    with running(work.system, settings) as agent:
        request_id = work.queue()
        assert began.wait(60)
    assert (in_time, work.status(request_id)) == ([True], "finished")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MediaError("b.jpg is empty"), "b.jpg is empty"),
        (Invalid({"frames": ["too many"]}), "frames: too many"),
        (ZeroDivisionError("secret"), "The server failed to do this; the failure has been logged."),
    ],
)
def test_failures_are_told_and_the_agent_goes_on(
    work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    create, failing = HANDLERS["create:task"], [error]

    def handler(tools: Any, request: Request) -> Outcome:
        if failing:
            raise failing.pop()
        return create(tools, request)

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": handler})
    first, second = work.queue(), work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(first, second))
    assert (work.status(first), work.message(first), work.status(second)) == ("failed", message, "finished")
    failed = work.events(f"request-{first}")[-1].body
    assert isinstance(failed, RequestFailed)
    assert "in handler" in failed.stack
    assert "secret" not in failed.stack


def test_work_that_a_service_holds_up_is_tried_again(
    work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, failing = HANDLERS["create:task"], [Unavailable("full disk")] * 2

    def handler(tools: Any, request: Request) -> Outcome:
        if failing:
            raise failing.pop()
        return create(tools, request)

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": handler})
    monkeypatch.setattr(agents, "RETRY_SECONDS", 0.05)
    request_id = work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
    assert work.status(request_id) == "finished"


def test_work_on_a_task_that_is_changed_meanwhile_is_done_again(
    work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, done = HANDLERS["create:task"], []

    def handler(tools: Any, request: Request) -> Outcome:
        outcome = create(tools, request)
        done.append(outcome)
        if len(done) == 1:
            tools.app.tasks.update(ANN, request.queued.task_id, {"name": "renamed"})
        return outcome

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": handler})
    request_id = work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
    assert (work.status(request_id), len(done)) == ("finished", 2)
    assert len(work.rows("SELECT 1 FROM jobs")) == 3


def test_a_task_that_is_deleted_meanwhile_gets_no_jobs(
    work: Work, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = HANDLERS["create:task"]

    def handler(tools: Any, request: Request) -> Outcome:
        outcome = create(tools, request)
        tools.app.tasks.delete(ANN, request.queued.task_id)
        return outcome

    monkeypatch.setattr(agents, "HANDLERS", {"create:task": handler})
    request_id = work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
    assert (work.status(request_id), work.message(request_id)) == ("failed", "Task 1 was deleted")
    assert work.rows("SELECT 1 FROM jobs UNION ALL SELECT 1 FROM frames") == []


def test_a_request_that_kills_its_agents_fails_in_the_end(work: Work, settings: Settings) -> None:
    request_id = work.queue()
    for attempt in range(MAX_ATTEMPTS):
        request = work.app.requests.start(ANN, request_id, f"gone-{attempt}")
        assert request.attempt == attempt + 1
        work.app.requests.expire(ANN, request_id, f"gone-{attempt}", None)
    assert work.status(request_id) == "failed"
    assert isinstance(work.events(f"request-{request_id}")[-2].body, LeaseExpired)


def test_what_is_taken_from_a_silent_agent_is_counted_once(work: Work, settings: Settings) -> None:
    counted = LEASE_EXPIRIES.labels("import")._value
    before, request_id = counted.get(), work.queue()
    work.app.requests.start(ANN, request_id, "gone")
    patient = settings.model_copy(update={"lease_seconds": 60.0})  # the two with each other
    with running(work.system, patient), running(work.system, patient):
        wait_until(lambda: work.ended(request_id))
    assert counted.get() == before + 1
    assert sum(isinstance(event.body, LeaseExpired) for event in work.events(f"request-{request_id}")) == 1


def test_an_agent_whose_heartbeat_is_not_heard_is_in_trouble(work: Work, settings: Settings) -> None:
    agent = Agent(settings, work.system.database, work.app, FileBlobs(settings.blobs), ("export",))
    assert agent.trouble == "The heartbeat for export does not reach the database"
    stop = threading.Event()
    thread = threading.Thread(target=agent.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: agent.trouble is None)
    finally:
        stop.set()
        thread.join()


def test_an_agent_survives_a_restart_of_its_connections(work: Work, settings: Settings) -> None:
    with running(work.system, settings):
        wait_until(lambda: work.rows("SELECT 1 FROM log.agents"))
        work.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        request_id = eventually(work.queue)
        wait_until(lambda: eventually(lambda: work.ended(request_id)))
    assert work.status(request_id) == "finished"


def eventually(action: Callable[[], Any]) -> Any:
    """What the action returns once the broken connections have been replaced."""
    returned: list[Any] = []

    def tried() -> bool:
        with suppress(Unavailable):
            returned.append(action())
        return bool(returned)

    wait_until(tried)
    return returned[0]


def test_a_second_run_finds_its_own_work_done(work: Work, settings: Settings) -> None:
    """A request that is queued again after its task got data changes nothing."""
    request_id = work.queue()
    with running(work.system, settings):
        wait_until(lambda: work.ended(request_id))
        [queued] = [event.body for event in work.events(f"request-{request_id}")[:1]]
        work.app.record(ANN, [queued])
        wait_until(lambda: work.bodies(request_id)[-1] == "RequestFailed")
    assert "already" in work.message(request_id)
    uploads = [event for event in work.events(f"data-{queued.task_id}") if isinstance(event.body, DataUploaded)]
    assert (len(uploads), creation_id(queued.task_id)) == (1, request_id)


def test_errors_meant_for_forms_are_told_in_words() -> None:
    error = Invalid({"a": ["x", "y"], "b": {"0": ["z"]}})
    assert in_words(error) == "a: x\na: y\nb: 0: z"
    assert in_words(Invalid(["plain"])) == "plain"
    assert in_words(MediaError("a.jpg is empty")) == "a.jpg is empty"
