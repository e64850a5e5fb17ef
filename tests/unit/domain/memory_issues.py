"""What decisions ask about issues, folded from the whole log each time."""

from __future__ import annotations

from collections.abc import Sequence

from domain.event import Event
from domain.events.issue import DeletedComment, GoneIssue, IssueBody
from domain.issue import Issue, evolve


class NaiveIssues:
    """That part of `domain.ports.Lookup`."""

    _events: Sequence[Event]

    def issues_in(self, job_ids: Sequence[int]) -> list[GoneIssue]:
        folded: dict[int, Issue | None] = {}
        for body in (event.body for event in self._events):
            if isinstance(body, IssueBody):
                folded[body.issue_id] = evolve(folded.get(body.issue_id), body)
        return [
            GoneIssue(
                id=issue_id,
                job_id=issue.job_id,
                comments=[DeletedComment(id=number, message=text) for number, text in sorted(issue.comments.items())],
            )
            for issue_id, issue in sorted(folded.items())
            if issue is not None and issue.job_id in job_ids
        ]
