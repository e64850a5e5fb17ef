"""What came into being is told in the words of the API's documents, as far as the event knows them."""

from __future__ import annotations

from typing import Any

from domain.event import Body
from domain.events.access_token import AccessTokenCreated
from domain.events.issue import CommentAdded, IssueOpened
from domain.events.job import JobCreated
from domain.events.label import LabelsAdded
from domain.events.project import ProjectCreated
from domain.events.task import TaskCreated
from domain.events.user import UserRegistered

from .test_forwarder_transform import NOON, rows

LOCAL = {"location": "local"}


def told(body: Body) -> dict[str, Any]:
    payload: dict[str, Any] = rows(body)[0]["payload"]
    del payload["request"]
    return payload


def test_projects() -> None:
    assert told(ProjectCreated(2, "zoo", 5, None, "https://bugs", 3, None, LOCAL)) == {
        "owner": {"id": 5},
        "assignee": None,
        "organization": 3,
        "bug_tracker": "https://bugs",
        "organization_id": 3,
        "target_storage": LOCAL,
        "source_storage": None,
    }


def test_tasks() -> None:
    assert told(TaskCreated(7, 2, "cats", 5, 6, "", "train", 10, None, 2, None, LOCAL, None)) == {
        "mode": "",
        "dimension": "",
        "status": "annotation",
        "owner": {"id": 5},
        "assignee": {"id": 6},
        "organization": None,
        "consensus_enabled": True,
        "initial_replicas": 2,
        "project_id": 2,
        "bug_tracker": "",
        "overlap": None,
        "segment_size": 10,
        "subset": "train",
        "organization_id": None,
        "target_storage": None,
        "source_storage": LOCAL,
    }


def test_jobs() -> None:
    payload = told(JobCreated(11, 7, 2, 21, "annotation", 2, 9, 6, "acceptance", "completed", None))
    assert (payload["assignee"], payload["assignee_id"]) == ({"id": 6}, 6)
    assert (payload["status"], payload["frame_count"]) == ("completed", 8)
    assert told(JobCreated(11, 7, 2, 21, "ground_truth", 2, 9, 6, "annotation", "new", None))["frame_count"] is None


def test_labels() -> None:
    part: Any = {"id": 5, "name": "ear", "color": "#00f", "type": "points", "attributes": []}
    cat: Any = {"id": 4, "name": "cat", "color": "#f00", "type": "skeleton", "attributes": [], "sublabels": [part],
                "svg": "<circle/>"}  # fmt: skip
    whole, point = (row["payload"] for row in rows(LabelsAdded(2, None, [cat])))
    assert (whole["svg"], whole["has_parent"], whole["parent_id"], whole["project_id"]) == ("<circle/>", False, None, 2)
    assert (point["svg"], point["has_parent"], point["parent_id"], point["project_id"]) == ("", True, 4, 2)
    assert "task_id" not in whole
    assert told(LabelsAdded(None, 7, [part])) == {
        "color": "#00f",
        "attributes": [],
        "type": "points",
        "svg": "",
        "has_parent": False,
        "parent_id": None,
        "task_id": 7,
    }


def test_issues_and_comments() -> None:
    assert told(IssueOpened(3, 11, 7, None, 2, [1.0, 2.0], 5, None)) == {
        "frame": 2,
        "position": [1.0, 2.0],
        "job": 11,
        "owner": {"id": 5},
        "assignee": None,
        "resolved": False,
    }
    assert told(CommentAdded(4, 3, 11, 7, None, 5, "A cat?")) == {"issue": 3, "owner": {"id": 5}}


def test_users_and_their_tokens() -> None:
    assert told(UserRegistered(6, "bob", "b@x", "Bob", "B", False, "argon2")) == {
        "first_name": "Bob",
        "last_name": "B",
        "email": "b@x",
        "groups": ["user"],
        "is_staff": False,
        "is_superuser": False,
        "is_active": True,
        "has_analytics_access": False,
    }
    assert told(AccessTokenCreated(4, 6, "import", True, NOON, "hash")) == {
        "name": "import",
        "expiry_date": "2026-03-31T12:00:00.123456+00:00",
        "read_only": True,
        "owner": {"id": 6},
    }
