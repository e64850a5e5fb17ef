"""Domain events as analytics rows: CVAT's scopes and conventions, nothing secret, at least one row for each."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

import domain.events  # noqa: F401  (registers every event type)
from consumers.forwarder.rows import COLUMNS, table_rows
from consumers.forwarder.transform.row import MAX_ROWS, Row, has_transform, rows_of
from domain.event import Body, Event, Metadata, body_types, make_body
from domain.events.access_token import (
    AccessTokenChanged,
    AccessTokenCreated,
    AccessTokenRevoked,
    AccessTokenUsed,
    NamedToken,
)
from domain.events.data import DataUploaded, FilesReceived, FramesAdded, JobsSplit, UploadStarted
from domain.events.job import JobAssigned, JobCreated, JobStateChanged
from domain.events.label import LabelChanged, LabelDeleted, LabelsAdded, NamedLabel
from domain.events.project import ProjectChanged, ProjectCreated, ProjectDeleted
from domain.events.request import LeaseExpired, RequestFailed, RequestFinished, RequestQueued, RequestStarted
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted, TaskRestored
from domain.events.user import (
    UserDeactivated,
    UserDeleted,
    UserLoggedIn,
    UserLoggedOut,
    UserPasswordChanged,
    UserProfileChanged,
    UserReactivated,
    UserRegistered,
    UserRoleChanged,
)

NOON = datetime(2026, 3, 31, 12, 0, 0, 123_456, UTC)
CAT, EAR = NamedLabel(id=4, name="cat"), NamedLabel(id=5, name="ear")
REQUEST = "action=create&target=task&target_id=7"


def event(body: Body, position: int = 1, time: datetime = NOON) -> Event:
    meta = Metadata(time, "api", 5, "ann", 3, "lab", "request-1", None, "cvat-sdk/2.80", None, 12, "ann@x")
    return Event(body.stream, 2, body, meta, position)


def rows(body: Body) -> list[dict[str, Any]]:
    """The table rows of an event, by column; the payload decoded."""
    named = [dict(zip(COLUMNS, row, strict=True)) for row in table_rows(event(body))]
    return [row | {"payload": orjson.loads(row["payload"])} for row in named]


def brief(body: Body) -> list[tuple[Any, ...]]:
    return [(r["scope"], r["obj_name"], r["obj_id"], r["obj_val"], r["count"]) for r in rows(body)]


def sample(kind: Any, name: str) -> Any:
    """A value for a field, by its annotation."""
    kind = str(kind)
    if "datetime" in kind:
        return NOON.isoformat()
    if name == "request_id":
        return REQUEST
    for prefix, value in {
        "int": 7,
        "str": f"secret {name}",
        "bool": True,
        "list[int]": [8, 9],
        "dict": {},
        "list": [],
        "ReceivedFile": {"name": "secret", "sha256": "ab", "size": 5},
    }.items():
        if kind.startswith(prefix):
            return value
    return {}


def sample_body(cls: type[Body]) -> Body:
    values = {f.name: sample(f.type, f.name) for f in fields(cls)}  # type: ignore[arg-type]
    if "label" in values:
        values["label"] = {"id": 4, "name": "cat", "color": "#fff", "type": "any", "attributes": []}
    return make_body(cls.type_name, cls.schema_version, values)


@pytest.mark.parametrize("cls", body_types().values(), ids=lambda cls: cls.type_name)
def test_every_event_type_has_a_transform_and_gives_a_row_without_secrets(cls: type[Body]) -> None:
    assert has_transform(cls), f"{cls.type_name} has no transform in consumers/forwarder/transform"
    body = sample_body(cls)
    made = table_rows(event(body))
    assert made
    assert [dict(zip(COLUMNS, row, strict=True))["row"] for row in made] == list(range(len(made)))
    for name in cls.secret_fields:
        assert getattr(body, name) == f"secret {name}"
        assert f"secret {name}" not in repr(made)


def test_an_unknown_body_is_an_error_and_not_left_out() -> None:
    class Unknown(Body):
        type_name = "Unknown"

    with pytest.raises(LookupError, match="Unknown has no transform"):
        rows_of(Unknown())


def test_a_task_with_more_jobs_than_rows_loses_none_of_them() -> None:
    """An event has 65,535 rows at most: the rest is counted, with the ids in the payload."""
    jobs = list(range(1, 200_001))
    found = rows_of(TaskDeleted(7, None, "many", jobs, []))
    assert len(found) <= MAX_ROWS
    single = [row.obj_id for row in found if row.scope == "delete:job" and row.amount is None]
    together = [row for row in found if row.amount is not None]
    listed = [job_id for row in together for job_id in dict(row.payload)["ids"]]  # type: ignore[arg-type]
    assert single + listed == jobs
    assert [row.amount for row in together] == [65_535, 65_535, 200_000 - len(single) - 2 * 65_535]


def test_a_row_says_who_where_when_and_from_which_event() -> None:
    body = JobCreated(11, 7, 2, 21, "annotation", 0, 9, None, "annotation", "new", None)
    (row,) = rows(body)
    assert row == {
        "scope": "create:job",
        "obj_name": None,
        "obj_id": 11,
        "obj_val": None,
        "source": "server",
        "timestamp": 1774958400123,
        "count": None,
        "duration": 0,
        "project_id": 2,
        "task_id": 7,
        "job_id": 11,
        "user_id": 5,
        "user_name": "ann",
        "user_email": "ann@x",
        "org_id": 3,
        "org_slug": "lab",
        "payload": {
            "assignee": None,
            "status": "annotation",
            "frame_count": 10,
            "task_id": 7,
            "project_id": 2,
            "stage": "annotation",
            "state": "new",
            "start_frame": 0,
            "stop_frame": 9,
            "type": "annotation",
            "parent_job_id": None,
            "assignee_id": None,
            "request": {"id": "request-1", "user_agent": "cvat-sdk/2.80", "source": "api"},
        },
        "access_token_id": 12,
        "remote_addr": None,
        "position": 1,
        "row": 0,
        "rows": 1,
        "stream": "job-11",
        "version": 2,
        "event_type": "JobCreated",
        "schema_version": 2,
        "correlation_id": "request-1",
    }


def test_tasks() -> None:
    created = TaskCreated(7, 2, "cats", 5, None, "", "train", 10, None, 0, None, None, None)
    assert brief(created) == [("create:task", "cats", 7, None, None)]
    assert rows(created)[0]["payload"]["segment_size"] == 10
    assert brief(TaskDeleted(7, 2, "cats", [11, 12], [])) == [
        ("delete:task", "cats", 7, None, None),
        ("delete:job", None, 11, None, None),
        ("delete:job", None, 12, None, None),
    ]
    assert brief(TaskRestored(7, None, "cats", [11], 99, [CAT, EAR])) == [
        ("restore:task", "cats", 7, None, None),
        ("restore:label", "cat", 4, None, None),
        ("restore:label", "ear", 5, None, None),
        ("restore:job", None, 11, None, None),
    ]
    assert [r["job_id"] for r in rows(TaskDeleted(7, 2, "cats", [11, 12], []))] == [None, 11, 12]


def test_a_task_update_has_one_row_per_field() -> None:
    storage = {"location": "local"}
    body = TaskChanged(
        7,
        2,
        {
            "name": {"from": "cats", "to": "dogs"},
            "assignee_id": {"from": None, "to": 6, "name": "bob"},
            "owner_id": {"from": 5, "to": None},
            "source_storage": {"from": None, "to": storage},
        },
    )
    assert brief(body) == [
        ("update:task", "name", None, "dogs", None),
        ("update:task", "assignee", 6, "bob", None),
        ("update:task", "owner", None, None, None),
        ("update:task", "source_storage", None, '{"location":"local"}', None),
    ]
    assert [row["payload"]["old_value"] for row in rows(body)] == ["cats", None, 5, None]
    assert [(row["row"], row["rows"]) for row in rows(body)] == [(0, 4), (1, 4), (2, 4), (3, 4)]


@pytest.mark.parametrize(
    ("stage", "state", "expected"),
    [
        ("validation", "new", [("update:job", "stage", None, "validation", None)]),
        ("annotation", "completed", [("update:job", "state", None, "completed", None)]),
        (
            "acceptance",
            "completed",
            [("update:job", "stage", None, "acceptance", None), ("update:job", "state", None, "completed", None)],
        ),
    ],
)
def test_a_job_update_has_a_row_for_each_of_stage_and_state_that_changed(
    stage: str, state: str, expected: list[Any]
) -> None:
    body = JobStateChanged(11, 7, None, stage, state, "annotation", "new")
    assert brief(body) == expected
    assert all((row["payload"]["stage"], row["payload"]["state"]) == (stage, state) for row in rows(body))


def test_an_event_that_changes_nothing_still_gives_a_row() -> None:
    body = JobStateChanged(11, 7, None, "annotation", "new", "annotation", "new")
    assert brief(body) == [("record:event", "JobStateChanged", None, None, None)]


def test_an_assignment_names_the_person() -> None:
    (row,) = rows(JobAssigned(11, 7, None, 6, "bob", 5))
    assert (row["scope"], row["obj_name"], row["obj_id"], row["obj_val"]) == ("update:job", "assignee", 6, "bob")
    assert row["payload"]["old_value"] == 5


def test_labels_and_their_sublabels_have_a_row_each() -> None:
    part: Any = {"id": 5, "name": "ear", "color": "#00f", "type": "points", "attributes": []}
    cat: Any = {"id": 4, "name": "cat", "color": "#f00", "type": "skeleton", "attributes": [], "sublabels": [part]}
    body = LabelsAdded(2, None, [cat, {"id": 6, "name": "dog", "color": "#0f0", "type": "any", "attributes": []}])
    assert brief(body) == [
        ("create:label", "cat", 4, None, None),
        ("create:label", "ear", 5, None, None),
        ("create:label", "dog", 6, None, None),
    ]
    assert [row["payload"]["parent_id"] for row in rows(body)] == [None, 4, None]
    renamed = LabelChanged(2, None, cat, {"color": {"from": "#f00", "to": "#fff"}})
    assert brief(renamed) == [("update:label", "color", None, "#fff", None)]
    assert rows(renamed)[0]["payload"]["label"] == {"id": 4, "name": "cat"}
    gone = [("delete:label", "cat", 4, None, None), ("delete:label", "ear", 5, None, None)]
    assert brief(LabelDeleted(2, None, 4, "cat", [EAR])) == gone
    assert brief(TaskDeleted(7, None, "cats", [], [CAT, EAR]))[1:] == gone
    assert brief(ProjectDeleted(2, "zoo", [], [CAT, EAR]))[1:] == gone
    assert [row["project_id"] for row in rows(ProjectDeleted(2, "zoo", [], [CAT, EAR]))] == [2, 2, 2]


def test_projects() -> None:
    assert brief(ProjectCreated(2, "zoo", 5, None, "", None, None, None)) == [("create:project", "zoo", 2, None, None)]
    changes = {"bug_tracker": {"from": "", "to": "https://bugs"}}
    assert brief(ProjectChanged(2, changes)) == [("update:project", "bug_tracker", None, "https://bugs", None)]
    assert brief(ProjectDeleted(2, "zoo", [7], [])) == [("delete:project", "zoo", 2, None, None)]


def test_users() -> None:
    registered = UserRegistered(6, "bob", "b@x", "Bob", "B", False, "argon2")
    assert brief(registered) == [("create:user", "bob", 6, None, None)]
    assert rows(registered)[0]["payload"]["email"] == "b@x"
    assert brief(UserPasswordChanged(6, "argon2")) == [("update:user", "password", None, None, None)]
    assert rows(UserPasswordChanged(6, "argon2"))[0]["payload"]["user_id"] == 6
    login = UserLoggedIn(6, 1, "cookie", "token", NOON)
    assert brief(login) == [("login:user", None, 6, None, None)]
    assert rows(login)[0]["payload"]["login_id"] == 1
    assert brief(UserLoggedOut(6, 1)) == [("logout:user", None, 6, None, None)]
    assert brief(UserRoleChanged(6, "worker", "user")) == [("update:user", "groups", None, "worker", None)]
    promoted = UserRoleChanged(6, "admin", "user", {"is_staff": {"from": False, "to": True}})
    assert brief(promoted) == [
        ("update:user", "groups", None, "admin", None),
        ("update:user", "is_staff", None, "true", None),
    ]
    assert [(row["payload"]["user_id"], row["payload"]["old_value"]) for row in rows(promoted)] == [
        (6, "user"),
        (6, False),
    ]
    assert brief(UserDeactivated(6)) == [("update:user", "is_active", None, "false", None)]
    assert brief(UserReactivated(6)) == [("update:user", "is_active", None, "true", None)]
    assert brief(UserDeleted(6, "bob", [NamedToken(id=4, name="import")])) == [
        ("delete:user", "bob", 6, None, None),
        ("delete:accesstoken", None, 4, None, None),
    ]
    (edited,) = rows(UserProfileChanged(6, {"email": {"from": "b@x", "to": "bob@x"}}))
    assert (edited["scope"], edited["obj_name"], edited["obj_val"]) == ("update:user", "email", "bob@x")
    assert (edited["payload"]["old_value"], edited["payload"]["user_id"]) == ("b@x", 6)


def test_access_tokens() -> None:
    (created,) = rows(AccessTokenCreated(4, 6, "import", True, None, "sha256"))
    assert (created["scope"], created["obj_id"], created["payload"]["read_only"]) == ("create:accesstoken", 4, True)
    assert "sha256" not in str(created)
    changed = AccessTokenChanged(4, 6, {"name": {"from": "import", "to": "night import"}})
    assert brief(changed) == [("update:accesstoken", "name", None, "night import", None)]
    assert rows(changed)[0]["payload"]["token_id"] == 4
    assert brief(AccessTokenUsed(4, 6)) == [("use:accesstoken", None, 4, None, None)]
    assert brief(AccessTokenRevoked(4, 6, "import")) == [("delete:accesstoken", None, 4, None, None)]


def test_data() -> None:
    frame: Any = {"name": "a.jpg", "sha256": "0", "size": 100, "width": 4, "height": 3}
    files: Any = [{"name": "a.jpg", "sha256": "0", "size": 100}, {"name": "b.jpg", "sha256": "1", "size": 50}]
    assert brief(UploadStarted(7)) == [("start:upload", None, 7, None, None)]
    assert brief(FilesReceived(7, files)) == [("upload:files", None, None, None, 2)]
    assert rows(FilesReceived(7, files))[0]["payload"]["size"] == 150
    uploaded = DataUploaded(
        7, 2, 70_000, 70, 36, 0, 69_999, "", "lexicographical", "image", "annotation", "2d", "imageset", "imageset", {}
    )
    assert brief(uploaded) == [("upload:data", None, 7, None, None)]
    assert rows(uploaded)[0]["payload"]["size"] == 70_000
    settled = replace(uploaded, changes={"mode": {"from": "", "to": "annotation"}, "overlap": {"from": None, "to": 5}})
    assert brief(settled)[1:] == [
        ("update:task", "mode", None, "annotation", None),
        ("update:task", "overlap", None, "5", None),
    ]
    assert {row["project_id"] for row in rows(settled)} == {2}
    assert brief(FramesAdded(7, 0, [frame, frame])) == [("create:frames", None, None, None, 2)]
    assert brief(JobsSplit(7, 10, 0, 3)) == [("split:jobs", None, None, None, 3)]


def test_requests_know_their_task_and_a_failure_is_an_exception_too() -> None:
    params = {"image_quality": 70, "server_files": ["a", "b"], "use_cache": True}
    queued = RequestQueued(REQUEST, "import", "create", "task", "", 5, "ann", None, 7, None, params)
    assert brief(queued) == [("queue:request", REQUEST, None, None, None)]
    assert rows(queued)[0]["payload"]["params"] == {"image_quality": 70, "use_cache": True}
    started, expired = RequestStarted(REQUEST, "host-1", 1), LeaseExpired(REQUEST, "host-1", NOON)
    finished = RequestFinished(REQUEST, 7, {})
    failed = RequestFailed(REQUEST, 7, "a.jpg is no image", "in open_image")
    assert [brief(body)[0][0] for body in (started, expired, finished)] == [
        "start:request",
        "expire:request",
        "finish:request",
    ]
    assert brief(failed) == [("fail:request", REQUEST, None, None, None), ("send:exception", REQUEST, None, None, 1)]
    assert [row["payload"]["message"] for row in rows(failed)] == ["a.jpg is no image"] * 2
    assert rows(failed)[1]["payload"]["stack"] == "in open_image"
    assert {row["task_id"] for body in (queued, started, expired, finished, failed) for row in rows(body)} == {7}


def test_exports_and_imports_have_the_scopes_of_cvat() -> None:
    params = {"format": "COCO 1.0", "save_images": False, "filename": None}
    for action, subresource in (("export", "annotations"), ("export", "dataset"), ("import", "annotations")):
        request = f"action={action}&target=task&target_id=7&subresource={subresource}"
        body = RequestQueued(request, action, action, "task", subresource, 5, "ann", None, 7, None, params)
        assert brief(body)[1:] == [(f"{action}:dataset", None, None, None, None)]
        payload = rows(body)[1]["payload"]
        del payload["request"]
        saved = {"save_images": False} if action == "export" else {}
        assert payload == {"format": "COCO 1.0", **saved, "cloud_storage": {"id": None}}
    backup = RequestQueued("r", "export", "export", "task", "backup", 5, "ann", None, 7, None, {})
    assert [row[0] for row in brief(backup)] == ["queue:request"]


@pytest.mark.parametrize(
    "request_id", ["", "x", "target=task", "target=task&target_id=x", f"target=task&target_id={2**80}"]
)
def test_a_request_about_nothing_that_is_known_has_no_place(request_id: str) -> None:
    (row,) = rows_of(RequestStarted(request_id, "host-1", 1))
    assert row == Row("start:request", request_id, payload={"agent": "host-1", "attempt": 1})
