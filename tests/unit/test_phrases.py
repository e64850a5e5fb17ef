"""Every event can be told in words, and the words are those of people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import domain.events  # noqa: F401  (registers every event type)
from cli.phrases import PHRASES, sentence
from domain.event import Body, Event, Metadata, body_types
from domain.events.access_token import AccessTokenChanged, AccessTokenCreated
from domain.events.annotations import AnnotationsChanged, AnnotationsCleared, AnnotationsReplaced, AnnotationsRestored
from domain.events.data import FilesReceived, FramesAdded
from domain.events.job import JobAssigned, JobCreated
from domain.events.label import LabelDeleted, LabelsAdded
from domain.events.project import ProjectChanged
from domain.events.request import LeaseExpired, RequestFailed, RequestQueued, RequestStarted
from domain.events.task import TaskCreated, TaskDeleted
from domain.events.telemetry import ClientEventsReported, ServerEventsReported
from domain.events.user import UserLoggedIn, UserRegistered, UserRoleChanged
from domain.events.validation import ValidationSetUp

REQUEST = "action=create&target=task&target_id=7"


def told(body: Body, source: str = "api", actor: str | None = "ada") -> str:
    return sentence(Event(body.stream, 1, body, Metadata(datetime.now(UTC), source, actor=actor)))


def task(project_id: int | None) -> TaskCreated:
    return TaskCreated(7, project_id, "photos", 1, None, "", "", 0, None, 0, None, None, None)


def drawn(**counts: int) -> dict[str, list[dict[str, object]]]:
    return {kind: [{}] * count for kind, count in counts.items()}


def test_every_event_type_has_words() -> None:
    assert set(PHRASES) == set(body_types().values())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (task(None), "ada created task 7 “photos”"),
        (task(3), "ada created task 7 “photos” in project 3"),
        (TaskDeleted(7, None, "photos", [], []), "ada deleted task 7 “photos”"),
        (TaskDeleted(7, None, "photos", [1, 2], []), "ada deleted task 7 “photos” with 2 jobs"),
        (
            ProjectChanged(3, {"name": {"from": "a", "to": "b"}, "assignee_id": {"from": None, "to": 5}}),
            "ada changed the name from “a” to “b” and the assignee from nothing to 5 of project 3",
        ),
        (
            ProjectChanged(3, {"source_storage": {"from": None, "to": {"location": "local"}}}),
            "ada changed the source storage of project 3",
        ),
        (LabelsAdded(3, None, [{"name": "cat"}]), "ada gave project 3 the label “cat”"),  # type: ignore[typeddict-item]
        (LabelDeleted(None, 7, 1, "cat", []), "ada deleted label “cat” of task 7, with all that was drawn under it"),
        (
            FilesReceived(7, [{"name": "a.jpg", "sha256": "", "size": 1_500_000}]),
            "ada sent 1 file (1.5 MB) for task 7: a.jpg",
        ),
        (FramesAdded(7, 4, [{}]), "ada put frame 4 into task 7"),  # type: ignore[typeddict-item]
        (
            JobCreated(2, 7, None, 2, "annotation", 5, 5, None, "annotation", "new", None),
            "ada created job 2 of task 7: frame 5",
        ),
        (
            JobCreated(4, 7, None, 2, "replica", 5, 6, None, "annotation", "new", 2),
            "ada created job 4 of task 7: frames 5 to 6, a replica of job 2",
        ),
        (
            JobCreated(9, 7, None, 3, "ground_truth", 0, 6, None, "annotation", "new", None),
            "ada created ground truth job 9 of task 7",
        ),
        (ValidationSetUp(7, None, 9, "gt", [0, 5], None), "ada set 2 frames of task 7 aside as ground truth"),
        (UserRoleChanged(6, "worker", "user"), "ada changed the role of user 6 from “user” to “worker”"),
        (AccessTokenCreated(4, 6, "import", True, None, ""), "ada made read-only access token 4 “import”"),
        (
            AccessTokenChanged(4, 6, {"expiry_date": {"from": None, "to": "2030-01-01T00:00:00+00:00"}}),
            "ada changed the expiry date from nothing to “2030-01-01T00:00:00+00:00” of access token 4",
        ),
        (JobAssigned(2, 7, None, 5, "bob", None), "ada handed job 2 to bob"),
        (JobAssigned(2, 7, None, None, None, 5), "ada took job 2 back"),
        (
            AnnotationsChanged(2, 7, None, drawn(shapes=3, tags=1), {}, {}),
            "ada drew 1 tag and 3 shapes in job 2",
        ),
        (
            AnnotationsChanged(2, 7, None, drawn(tracks=1), drawn(shapes=1), {"shapes": {"polygon": [1], "mask": [2]}}),
            "ada drew 1 track, redrew 1 shape and removed 2 shapes in job 2",
        ),
        (AnnotationsReplaced(2, 7, None, drawn(shapes=1), {}), "ada drew 1 shape in job 2"),
        (
            AnnotationsReplaced(2, 7, None, drawn(shapes=1200), {"tags": {"": 2}}),
            "ada replaced the 2 tags in job 2 by 1,200 shapes",
        ),
        (
            AnnotationsCleared(2, 7, None, {"shapes": {"polygon": 2, "mask": 1}}),
            "ada removed everything in job 2: 3 shapes",
        ),
        (
            AnnotationsRestored(2, 7, None, 4, drawn(shapes=3), {}, {"tags": {"": [1]}}),
            "ada restored version 4 of the annotations in job 2: drew 3 shapes and removed 1 tag",
        ),
        (
            RequestQueued(REQUEST, "import", "create", "task", "", 1, "ada", None, 7, None, {}),
            "ada asked to prepare the data of task 7",
        ),
        (
            RequestQueued(
                "action=export&target=job&id=2&subresource=annotations",
                "export", "export", "job", "annotations", 1, "ada", None, 7, 2, {},
            ),
            "ada asked to export annotations of job 2",
        ),
        (
            ClientEventsReported(1, "2026-11-20", [{}, {}], [{"milliseconds": 5_250}], None),  # type: ignore[typeddict-item]
            "ada reported 2 events of a user interface and 5 s of work",
        ),
        (ClientEventsReported(1, "2026-11-20", [], [], None), "ada reported 0 events of a user interface"),
        (
            ServerEventsReported(
                "host-7",
                "2026-11-20",
                [{"scope": "send:exception", "count": 3}, {"scope": "read:cache_item", "count": 1}],  # type: ignore[typeddict-item]
            ),
            "ada told of 4 things in host-7, 3 errors among them",
        ),
        (
            RequestQueued(
                "action=export&target=events&id=0f3c&user_id=1",
                "export", "export", "events", "", 1, "ada", None, None, None, {},
            ),
            "ada asked to export events",
        ),
        (RequestFailed(REQUEST, 7, "a.jpg is damaged"), "ada could not prepare the data of task 7: a.jpg is damaged"),
    ],
)  # fmt: skip
def test_what_happened_is_told(body: Body, words: str) -> None:
    assert told(body) == words


@pytest.mark.parametrize(
    ("body", "source", "actor", "words"),
    [
        (RequestStarted(REQUEST, "agent-1", 1), "worker", "ada", "agent began to prepare the data of task 7"),
        (RequestStarted(REQUEST, "a", 2), "worker", "ada", "agent began to prepare the data of task 7 (attempt 2)"),
        (
            LeaseExpired(REQUEST, "agent-1", None),
            "worker",
            None,
            "agent took back from a silent agent the request to prepare the data of task 7",
        ),
        (UserRegistered(1, "admin", "", "", "", True, ""), "server", None, "Annals registered administrator admin"),
        (UserRegistered(2, "bob", "", "", "", False, ""), "cli", None, "operator registered user bob"),
        (UserLoggedIn(2, 1, "", "", datetime.now(UTC)), "api", "bob", "bob logged in"),
    ],
)
def test_who_did_it_is_told(body: Body, source: str, actor: str | None, words: str) -> None:
    assert told(body, source, actor) == words
