"""Requests: queued, taken up under a lease, finished or failed; and their ids (CVAT contract 4.2)."""

from __future__ import annotations

import pytest

from domain.errors import Conflict, NotFound, RequestInProgress, VersionConflict
from domain.events.data import UploadStarted
from domain.events.request import LeaseExpired, RequestFailed, RequestFinished, RequestQueued, RequestStarted
from domain.request import MAX_ATTEMPTS, Request, Requests, evolve, request_id

from . import given
from .given import ANN
from .memory_log import MemoryLog


@pytest.fixture
def requests(log: MemoryLog) -> Requests:
    """With one request, `r`, waiting."""
    log.given(given.queued("r"))
    return Requests(log)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"action": "create", "target": "task", "target_id": 7}, "action=create&target=task&target_id=7"),
        (
            {
                "subresource": "dataset",
                "format": "COCO 1.0",
                "user_id": 1,
                "target_id": 7,
                "target": "task",
                "action": "export",
            },
            "action=export&target=task&target_id=7&user_id=1&format=COCO_1~0&subresource=dataset",
        ),
        (
            {
                "action": "export",
                "target": "task",
                "target_id": 7,
                "user_id": 1,
                "lightweight": True,
                "subresource": "backup",
            },
            "action=export&target=task&target_id=7&user_id=1&lightweight=True&subresource=backup",
        ),
        (
            {"action": "import", "target": "task", "id": "0a-1b", "lightweight": False, "subresource": "backup"},
            "action=import&target=task&id=0a-1b&subresource=backup",
        ),
        ({"action": "export", "target": "events", "id": "", "user_id": 1}, "action=export&target=events&user_id=1"),
    ],
)
def test_ids_are_those_of_cvat(parts: dict[str, object], text: str) -> None:
    assert request_id(**parts) == text


def test_an_agent_takes_a_waiting_request_up(log: MemoryLog, requests: Requests) -> None:
    started = requests.start(ANN, "r", "agent-1")
    assert (started.status, started.agent, started.attempt) == ("started", "agent-1", 1)
    assert log.then == [RequestStarted("r", "agent-1", 1)]


def test_only_a_waiting_request_is_taken_up(log: MemoryLog, requests: Requests) -> None:
    started = requests.start(ANN, "r", "agent-1")
    with pytest.raises(Conflict):
        requests.start(ANN, "r", "agent-2")
    requests.finish(ANN, started, [], {})
    with pytest.raises(Conflict):
        requests.start(ANN, "r", "agent-2")


def test_of_two_agents_one_gets_it(log: MemoryLog, requests: Requests) -> None:
    log.meanwhile(lambda: requests.start(ANN, "r", "agent-1"))
    with pytest.raises(VersionConflict):
        requests.start(ANN, "r", "agent-2")
    assert log.then == [RequestStarted("r", "agent-1", 1)]


def test_the_work_and_its_end_are_recorded_in_one_go(log: MemoryLog, requests: Requests) -> None:
    started = requests.start(ANN, "r", "agent-1")
    requests.finish(ANN, started, [UploadStarted(7)], {"result_id": 7})
    assert log.then[1:] == [UploadStarted(7), RequestFinished("r", 7, {"result_id": 7})]
    assert log.events[-1].meta is log.events[-2].meta


def test_a_failure_says_why(log: MemoryLog, requests: Requests) -> None:
    requests.fail(ANN, requests.start(ANN, "r", "agent-1"), "a.jpg is damaged", "in open_image")
    assert log.then[1:] == [RequestFailed("r", 7, "a.jpg is damaged", "in open_image")]


def test_work_of_an_agent_that_lost_its_lease_counts_for_nothing(log: MemoryLog, requests: Requests) -> None:
    late = requests.start(ANN, "r", "agent-1")
    requests.expire(ANN, "r", "agent-1", None)
    with pytest.raises(Conflict):
        requests.finish(ANN, late, [UploadStarted(7)], {})
    with pytest.raises(Conflict):
        requests.fail(ANN, late, "")
    again = requests.start(ANN, "r", "agent-1")
    assert again.attempt == 2
    with pytest.raises(Conflict):
        requests.finish(ANN, late, [UploadStarted(7)], {})
    requests.finish(ANN, again, [], {})
    assert UploadStarted(7) not in log.then


def test_a_lease_lost_at_the_last_moment_is_lost(log: MemoryLog, requests: Requests) -> None:
    started = requests.start(ANN, "r", "agent-1")
    log.meanwhile(lambda: requests.expire(ANN, "r", "agent-1", None))
    with pytest.raises(Conflict):
        requests.finish(ANN, started, [UploadStarted(7)], {})
    assert log.then[1:] == [LeaseExpired("r", "agent-1", None)]


def test_a_request_that_ends_while_its_lease_expires_has_ended(log: MemoryLog, requests: Requests) -> None:
    started = requests.start(ANN, "r", "agent-1")
    log.meanwhile(lambda: requests.finish(ANN, started, [], {}))
    requests.expire(ANN, "r", "agent-1", None)
    assert [type(body) for body in log.then] == [RequestStarted, RequestFinished]


def test_only_the_lease_of_the_silent_agent_expires(log: MemoryLog, requests: Requests) -> None:
    requests.expire(ANN, "r", "agent-1", None)
    requests.start(ANN, "r", "agent-2")
    requests.expire(ANN, "r", "agent-1", None)
    assert log.then == [RequestStarted("r", "agent-2", 1)]


def test_a_request_that_keeps_killing_its_agents_fails(log: MemoryLog, requests: Requests) -> None:
    for _ in range(MAX_ATTEMPTS):
        requests.start(ANN, "r", "agent-1")
        requests.expire(ANN, "r", "agent-1", None)
    assert isinstance(log.then[-1], RequestFailed)
    assert isinstance(log.then[-2], LeaseExpired)
    assert f"{MAX_ATTEMPTS} agents" in log.then[-1].message
    assert sum(isinstance(body, RequestFailed) for body in log.then) == 1
    with pytest.raises(Conflict):
        requests.start(ANN, "r", "agent-1")


def test_a_request_is_free_unless_it_is_being_processed(log: MemoryLog, requests: Requests) -> None:
    assert requests.free("another") == 0
    with pytest.raises(RequestInProgress) as refusal:
        requests.free("r")
    assert refusal.value.request_id == "r"
    started = requests.start(ANN, "r", "agent-1")
    with pytest.raises(RequestInProgress):
        requests.free("r")
    requests.fail(ANN, started, "")
    assert requests.free("r") == 3


def test_a_repeated_request_starts_from_the_beginning(log: MemoryLog, requests: Requests) -> None:
    requests.fail(ANN, requests.start(ANN, "r", "agent-1"), "")
    log.given(given.queued("r"))
    assert requests.start(ANN, "r", "agent-1").attempt == 1


def test_an_unknown_request_is_not_found(requests: Requests) -> None:
    with pytest.raises(NotFound):
        requests.start(ANN, "x", "agent-1")
    with pytest.raises(NotFound):
        requests.expire(ANN, "x", "agent-1", None)
    with pytest.raises(NotFound):
        requests.fail(ANN, Request(given.queued("x"), "started"), "")


def test_events_before_the_request_exists_mean_nothing() -> None:
    assert evolve(None, RequestStarted("r", "agent-1", 1)) is None
    request = evolve(None, given.queued("r"))
    assert request is not None
    assert isinstance(request.queued, RequestQueued)
    assert request.in_progress
