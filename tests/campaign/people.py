"""Annotators, who draw, and reviewers, who look at it. Each is a generator of the times at which they do something."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from domain.annotation.document import Document, assign_ids, count_new
from domain.annotation.validation import normalize
from domain.annotations import changed
from domain.event import Context
from domain.events.annotations import Removed
from domain.events.issue import CommentAdded, IssueOpened, IssueResolved
from domain.events.job import JobAssigned, JobStateChanged
from domain.events.user import UserLoggedIn
from domain.telemetry import Place
from domain.user import digest

from .board import Board, Card
from .browser import Browser
from .drawing import document, redrawn
from .hours import Hours
from .tape import Tape

Times = Iterator[datetime]
SAVES = (4, 8)
"""So often an annotator saves before a job is done."""
REJECTED = 0.06
"""Of the jobs that a reviewer sees. The fourth is rejected whatever the dice say."""
REMEMBERED = 12
"""Shapes of a job that may still be redrawn or removed."""


class Person(ABC):
    """`pace`: seconds of work between two saves, on the average."""

    def __init__(self, tape: Tape, board: Board, context: Context, hours: Hours, random: Random, pace: float) -> None:
        self._tape, self._board, self.context, self._hours, self._random = tape, board, context, hours, random
        self._pace = pace
        assert context.actor.user_id is not None
        self.user_id: int = context.actor.user_id
        self.browser = Browser(tape, context, random, self.user_id)
        self._day: object = None
        self.over = False

    @abstractmethod
    def live(self) -> Times:
        """All days of the campaign."""

    def work(self, seconds: float) -> Times:
        """Works so long; sets `over` when the campaign ends before."""
        end = self._hours.after(self._tape.now, seconds)
        if end is None:
            self.over = True
            return
        if end.date() != self._day:
            self._day = end.date()
            yield end - timedelta(seconds=seconds)
            self._log_in()
        yield end

    def a_while(self) -> float:
        """Seconds."""
        return self._pace * self._random.lognormvariate(-0.06, 0.35)

    def take(self, card: Card, stage: str) -> None:
        job = card.place
        if card.assignee_id != self.user_id:
            ids = job.job_id, job.task_id, job.project_id
            name = self.context.actor.username
            self._tape.record(self.context, [JobAssigned(*ids, self.user_id, name, card.assignee_id)])
            card.assignee_id = self.user_id
        self.move(card, stage, "in progress")
        self.browser.load(place_of(card))

    def move(self, card: Card, stage: str, state: str) -> None:
        ids = card.place.job_id, card.place.task_id, card.place.project_id
        self._tape.record(self.context, [JobStateChanged(*ids, stage, state, card.stage, card.state)])
        card.stage, card.state = stage, state

    def _log_in(self) -> None:
        login_id = self._tape.ids.one("login")
        cookie, token = digest(f"cookie {login_id}"), digest(f"token {login_id}")
        expires = self._tape.now + timedelta(days=14)
        self._tape.record(self.context, [UserLoggedIn(self.user_id, login_id, cookie, token, expires)])
        self.browser.open()


class Annotator(Person):
    """Takes the next job, draws in it, says that it is done."""

    def live(self) -> Times:
        while not self.over:
            card = self._board.next_for(self.user_id)
            if card is None:
                yield from self.work(120)
            else:
                yield from self._annotate(card)

    def _annotate(self, card: Card) -> Times:
        yield from self.work(self._random.uniform(2, 12))
        if self.over:
            return
        again, card.annotator_id = card.annotator_id is not None, self.user_id
        self.take(card, "annotation")
        for _ in range(2 if again else self._random.randint(*SAVES)):
            seconds = self.a_while()
            yield from self.work(seconds)
            if self.over:
                return
            self.browser.work(place_of(card), seconds)
            self._save(card)
        if again:
            self._resolve(card)
        self.move(card, "annotation", "completed")
        self._board.to_review.append(card)

    def _save(self, card: Card) -> None:
        raw = document(self._random, card.labels, card.frames, self._random.randint(2, 6))
        created = normalize(raw, card.place.labels, "create")
        assign_ids(created, self._tape.ids.annotations(count_new(created)))
        updated: Document = {}
        removed: Removed = {}
        if card.drawn and self._random.random() < 0.25:
            index = self._random.randrange(len(card.drawn))
            card.drawn[index] = redrawn(self._random, card.drawn[index])
            updated = {"shapes": [card.drawn[index]]}
        if len(card.drawn) > 3 and self._random.random() < 0.1:
            gone = card.drawn.pop(self._random.randrange(len(card.drawn)))
            if gone["id"] not in {shape["id"] for shape in updated.get("shapes", ())}:
                removed = {"shapes": {gone["type"]: [gone["id"]]}}
        self._tape.record(self.context, changed(card.place, created, updated, removed))
        card.drawn = [*card.drawn, *created["shapes"]][-REMEMBERED:]

    def _resolve(self, card: Card) -> None:
        job = card.place
        ids = job.job_id, job.task_id, job.project_id
        self._tape.record(self.context, [IssueResolved(issue_id, *ids) for issue_id in card.issues])
        card.issues = []


class Reviewer(Person):
    """Looks at finished jobs; accepts them or sends them back with a word."""

    def live(self) -> Times:
        while not self.over:
            if not self._board.to_review:
                yield from self.work(max(10.0, self._pace / 3))
                continue
            yield from self._review(self._board.to_review.popleft())

    def _review(self, card: Card) -> Times:
        yield from self.work(self._random.uniform(2, 12))
        if self.over:
            return
        self.take(card, "validation")
        for _ in range(2):
            seconds = self.a_while() * 0.6
            yield from self.work(seconds)
            if self.over:
                return
            self.browser.work(place_of(card), seconds)
        must = self._board.rejected == 0 and self._board.accepted >= 3
        if must or self._random.random() < REJECTED:
            self._reject(card)
        else:
            self.move(card, "acceptance", "completed")
            self._board.accept(card)

    def _reject(self, card: Card) -> None:
        job = card.place
        ids = job.job_id, job.task_id, job.project_id
        issue_id, comment_id = self._tape.ids.one("issue"), self._tape.ids.one("comment")
        frame = self._random.choice(card.frames)
        opened = IssueOpened(issue_id, *ids, frame, [120.5, 80.0], self.user_id, card.annotator_id)
        said = CommentAdded(comment_id, issue_id, *ids, self.user_id, "Please draw this one tighter.")
        self._tape.record(self.context, [opened, said])
        card.issues.append(issue_id)
        self.move(card, "annotation", "rejected")
        self._board.give_back(card)


def place_of(card: Card) -> Place:
    return Place(card.place.project_id, card.place.task_id, card.place.job_id)
