"""What becomes of issues and comments in the analytics."""

from __future__ import annotations

from consumers.forwarder.transform.row import Row, rows_of
from domain.events.issue import CommentDeleted, DeletedComment, IssueDeleted

PLACE = {"issue_id": 3, "job_id": 11, "task_id": 7, "project_id": None}


def test_a_comment_that_goes_says_what_it_said() -> None:
    assert rows_of(CommentDeleted(comment_id=4, **PLACE, message="A cat?")) == [Row("delete:comment", "A cat?", 4)]


def test_so_do_those_that_go_with_their_issue() -> None:
    comments = [DeletedComment(id=4, message="A cat?"), DeletedComment(id=5, message=None)]
    assert rows_of(IssueDeleted(**PLACE, comments=comments)) == [
        Row("delete:issue", obj_id=3),
        Row("delete:comment", "A cat?", 4),
        Row("delete:comment", None, 5),
    ]
