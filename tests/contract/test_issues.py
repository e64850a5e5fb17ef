"""Issues and comments, through CVAT's own client and as its web UI sends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.api_client.exceptions import ForbiddenException, NotFoundException
from cvat_sdk.core.proxies.jobs import Job

from .conftest import Server
from .pictures import write

ANN, BOB = ("ann", "battery staple"), ("bob", "battery staple")
POSITION = [10.5, 20.25, 30.0, 40.0]


@pytest.fixture
def job(client: Client, tmp_path: Path) -> Job:
    task = client.tasks.create({"name": "street", "labels": [{"name": "car"}]})
    task.upload_data(write(tmp_path, ["a.jpg", "b.jpg"]))
    return task.get_jobs()[0]


def opened(client: Client, job: Job, **fields: Any) -> Any:
    wanted = {"frame": 1, "position": POSITION, "job": job.id, "message": "Is this a car?"}
    return client.issues.create(models.IssueWriteRequest(**wanted | fields))


def test_an_issue_is_opened_discussed_and_resolved(client: Client, job: Job, http: httpx.Client) -> None:
    issue = opened(client, job)
    assert (issue.frame, issue.position, issue.job, issue.resolved) == (1, POSITION, job.id, False)
    assert (issue.owner.username, issue.assignee, issue.comments.count) == ("admin", None, 1)
    assert [found.id for found in job.get_issues()] == [issue.id]
    assert client.jobs.retrieve(job.id).issues.count == 1
    (first,) = issue.get_comments()
    assert (first.message, first.owner.username, first.issue) == ("Is this a car?", "admin", issue.id)
    reply = client.comments.create(models.CommentWriteRequest(issue=issue.id, message="A van."))
    assert [comment.id for comment in issue.get_comments()] == [reply.id, first.id]
    reply.update(models.PatchedCommentWriteRequest(message="A van, I think."))
    assert http.get(f"/api/comments/{reply.id}").json()["message"] == "A van, I think."
    issue.update(models.PatchedIssueWriteRequest(resolved=True, position=[1.0, 2.0]))
    assert (issue.resolved, issue.position, issue.comments.count) == (True, [1.0, 2.0], 2)
    reply.remove()
    issue.fetch()
    assert issue.comments.count == 1
    issue.remove()
    assert job.get_issues() == []
    assert client.jobs.retrieve(job.id).issues.count == 0
    assert http.get(f"/api/comments/{first.id}").status_code == 404


def test_lists_are_filtered_as_the_web_ui_asks(client: Client, job: Job, http: httpx.Client, server: Server) -> None:
    ann = server.add_user(ANN)
    first = opened(client, job)
    second = opened(client, job, frame=0, assignee=ann, resolved=True)

    def ids(path: str) -> list[int]:
        return [item["id"] for item in http.get(path).json()["results"]]

    assert ids(f"/api/issues?job_id={job.id}&org=") == [second.id, first.id]
    assert ids(f"/api/issues?task_id={job.task_id}&resolved=false") == [first.id]
    assert ids("/api/issues?frame_id=0") == [second.id]
    assert ids("/api/issues?assignee=ann") == [second.id]
    assert ids("/api/issues?search=ann") == [second.id]
    assert ids('/api/issues?filter={"==":[{"var":"resolved"},true]}') == [second.id]
    assert len(ids(f"/api/comments?job_id={job.id}&org=")) == 2
    assert len(ids(f"/api/comments?issue_id={first.id}")) == 1
    assert ids("/api/issues?job_id=999") == []


def test_issues_come_and_go_with_their_task(client: Client, job: Job, http: httpx.Client, server: Server) -> None:
    issue = opened(client, job)
    client.tasks.retrieve(job.task_id).remove()
    with pytest.raises(NotFoundException):
        client.issues.retrieve(issue.id)
    assert http.get("/api/comments").json()["count"] == 0
    http.post("/api/log/restore", json={"stream": f"task-{job.task_id}"})
    assert client.issues.retrieve(issue.id).position == POSITION


def test_whoever_works_in_the_job_takes_part(client: Client, job: Job, server: Server) -> None:
    ann, _ = server.add_user(ANN), server.add_user(BOB)
    issue = opened(client, job)
    job.update(models.PatchedJobWriteRequest(assignee=ann))
    anns, bobs = server.sdk(ANN), server.sdk(BOB)
    theirs = anns.issues.retrieve(issue.id)
    comment = anns.comments.create(models.CommentWriteRequest(issue=issue.id, message="I'll see."))
    theirs.update(models.PatchedIssueWriteRequest(resolved=True))
    assert opened(anns, job).owner.username == "ann"
    (first,) = [found for found in theirs.get_comments() if found.id != comment.id]
    with pytest.raises(ForbiddenException):
        first.update(models.PatchedCommentWriteRequest(message="mine"))
    with pytest.raises(ForbiddenException):
        bobs.issues.retrieve(issue.id)
    with pytest.raises(ForbiddenException):
        opened(bobs, job)
    assert (bobs.issues.list(), bobs.comments.list()) == ([], [])


def test_refused_issues_leave_nothing(job: Job, http: httpx.Client) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"job": 999}, "job"),
        ({"frame": -1}, "frame"),
        ({"frame": None}, "frame"),
        ({"message": ""}, "message"),
        ({"message": " \n"}, "message"),
        ({"message": "a\0b"}, "message"),
        ({"position": "here"}, "position"),
        ({"position": [1, "x"]}, "position"),
        ({"assignee": 999}, "assignee"),
    ]
    for wrong, field in cases:
        body = {"frame": 1, "position": POSITION, "job": job.id, "message": "?"} | wrong
        answer = http.post("/api/issues", json=body)
        assert (answer.status_code, list(answer.json())) == (400, [field]), wrong
    assert http.get("/api/issues").json()["count"] == 0


def test_what_is_unknown_is_refused(client: Client, job: Job, http: httpx.Client) -> None:
    issue = opened(client, job)
    assert http.patch(f"/api/issues/{issue.id}", json={"job": 5}).status_code == 403
    assert http.post("/api/comments", json={"issue": 999, "message": "x"}).json().keys() == {"issue"}
    for path in ("/api/issues/999", "/api/comments/999"):
        assert [http.request(method, path, json={}).status_code for method in ("GET", "PATCH", "DELETE")] == [404] * 3
