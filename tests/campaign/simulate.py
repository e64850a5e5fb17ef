"""Runs a campaign: everybody's next step in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random

from cli.bootstrap import System
from domain.event import Actor, Context
from domain.events.user import UserRegistered

from .board import Board
from .hours import WORKING_SECONDS, Hours
from .incidents import Incidents
from .office import JOBS, Office
from .people import SAVES, Annotator, Person, Reviewer
from .summary import Summary
from .tape import Tape

START = datetime(2026, 11, 9, 8, tzinfo=UTC)
"""A Monday morning."""
BEFORE = timedelta(minutes=30)
"""So early the manager is there."""
REVIEWERS = 0.2
"""Of the people; one at least."""
EVENTS_PER_JOB = 26.5
"""With its share of the task, the review, and what is done again."""
NAMES = (
    "ada", "ben", "chloe", "dan", "eve", "femi", "gita", "hugo", "ines", "jan", "kaya", "leo", "mia", "nils", "olga",
    "pia", "quan", "rosa", "sam", "tara",
)  # fmt: skip

Times = Iterator[datetime]


def simulate(
    system: System, people: int = 20, days: int = 3, events: int = 20_000, seed: int = 1, start: datetime = START
) -> Summary:
    """Records a campaign of about `events` events into the empty log of `system`. `people`: annotators and reviewers,
    2 or more. `start`: 08:00 of its first day. Returns what must be found by whoever counts.
    """
    random = Random(seed)
    tape, board = Tape(system, start - BEFORE), Board()
    crew = _register(tape, people)
    manager, mornings = crew[0], [start + timedelta(days=day) - BEFORE * 0.8 for day in range(days)]
    office = Office(tape, board, manager, Random(random.random()), int(events / EVENTS_PER_JOB / JOBS), people)
    office.open_projects()
    incidents = Incidents(tape, board, office, manager, Random(random.random()))
    lives = [office.manage(mornings), incidents.export(mornings), incidents.happen(mornings)]
    lives.append(incidents.err(mornings[-1]))
    pace = people * days * WORKING_SECONDS * (1 - REVIEWERS) * EVENTS_PER_JOB / (events * sum(SAVES) / 2)
    for number, context in enumerate(crew[1:]):
        own = Random(random.random())
        role = Reviewer if number < max(1, round(people * REVIEWERS)) else Annotator
        person: Person = role(tape, board, context, Hours.of(start, days, own), own, pace * _speed(number))
        lives.append(person.live())
    _run(tape, office, lives)
    tape.flush()
    return tape.summary


def _speed(number: int) -> float:
    """Some are fast, some slow: 0.7 to 1.3."""
    return 0.7 + (number * 7 % 13) / 20


def _register(tape: Tape, people: int) -> list[Context]:
    """The manager first, who is an administrator; the intern is nobody's context."""
    names = ["manager", *(f"{NAMES[n % len(NAMES)]}{n // len(NAMES) or ''}" for n in range(people)), "intern"]
    ids = tape.ids.many("user", len(names))
    contexts = [
        Context(
            Actor(user_id, name, f"{name}@example.org", is_admin=name == "manager"), "api", user_agent="Mozilla/5.0"
        )
        for user_id, name in zip(ids, names, strict=True)
    ]
    for context in contexts:
        actor = context.actor
        assert actor.user_id is not None
        assert actor.username is not None
        registered = UserRegistered(
            actor.user_id, actor.username, actor.email, actor.username.title(), "", actor.is_admin, "a password hash"
        )
        tape.record(contexts[0], [registered])
    return contexts[:-1]


def _run(tape: Tape, office: Office, lives: list[Times]) -> None:
    """Whoever's time it is goes on; of two at once, the one that came first."""
    order = count()
    agenda: list[tuple[datetime, int, Times]] = []
    for life in lives:
        _proceed(agenda, order, life)
    while agenda:
        tape.now, _, life = heappop(agenda)
        _proceed(agenda, order, life)
        while office.imports:
            _proceed(agenda, order, office.imports.pop())


def _proceed(agenda: list[tuple[datetime, int, Times]], order: Iterator[int], life: Times) -> None:
    time = next(life, None)
    if time is not None:
        heappush(agenda, (time, next(order), life))
