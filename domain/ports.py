"""What use cases need from outside, as interfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from domain.annotation.document import Document, LabelSpecs
from domain.annotation.visibility import Shown
from domain.event import Body, Context, Event
from domain.events.access_token import NamedToken
from domain.events.data import Frame
from domain.events.issue import GoneIssue
from domain.saves import Saves

if TYPE_CHECKING:
    from domain.validation.selection import Selectable  # with libraries that few need

State = TypeVar("State")


class Clock(Protocol):
    def __call__(self) -> datetime:
        """Now, in UTC."""
        ...


class Ids(Protocol):
    """Numbers that nobody else was or will be given."""

    def one(self, kind: str) -> int:
        """`kind`: user, login, access_token, project, task, segment, job, label, attribute."""
        ...

    def many(self, kind: str, count: int) -> list[int]:
        """Ascending."""
        ...

    def annotations(self, count: int) -> Iterator[int]:
        """Ids for objects of annotations, ascending; taken from blocks, so they leave gaps."""
        ...

    def highest_annotation(self) -> int:
        """No id above this one has been handed out."""
        ...


class Passwords(Protocol):
    def hash(self, password: str) -> str: ...

    def verify(self, password_hash: str, password: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class JobPlace:
    """Where a job stands: its task, its frames (inclusive, task-relative), what may be drawn in it, whose it is
    (`staff`: the owners and assignees of the task and project), and how far it is.
    """

    job_id: int
    task_id: int
    project_id: int | None
    start_frame: int
    stop_frame: int
    labels: LabelSpecs
    assignee_id: int | None = None
    staff: frozenset[int] = frozenset()
    type: str = "annotation"
    stage: str = "annotation"
    state: str = "new"
    versions: Mapping[str, int] = field(default_factory=dict)
    """Of the streams that all this was learned from: what is decided on it holds only as long as they stand."""


class Standing(NamedTuple):
    """An annotation object that stands: in which job, and the shape type under which it is counted. `track`: what shows
    of it, if it is one, in a job that was not deleted.
    """

    job_id: int
    type: str
    track: Shown | None = None


class Held(NamedTuple):
    """The objects of one kind and type in a job. `ids`: ascending; None where there are more than MAX_OBJECTS."""

    number: int
    ids: list[int] | None


@dataclass(frozen=True, slots=True)
class Account:
    """A user as they stand: active or not, but not deleted. `role`: admin, user, worker or none. What is decided on it
    holds only as long as their stream has this `version`.
    """

    user_id: int
    username: str
    email: str
    first_name: str
    last_name: str
    role: str
    is_active: bool
    password_hash: str = field(repr=False)
    version: int

    @property
    def versions(self) -> Mapping[str, int]:
        return {f"user-{self.user_id}": self.version}


@dataclass(frozen=True, slots=True)
class OpenLogin:
    """A login that nobody has ended; it may have expired."""

    login_id: int
    cookie_hash: str = field(repr=False)
    token_hash: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True)
class Validation:
    """How work on a task is checked: as `ValidationSetUp` said, if its ground truth job `job_id` stands, with what
    changed since. Without such a job all is empty. `honeypots`: frame → the frame that it shows.
    """

    job_id: int | None = None
    mode: str | None = None
    frames: Sequence[int] = ()
    disabled: frozenset[int] = frozenset()
    honeypots: Mapping[int, int] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    """Of the streams that all this was learned from: what is decided on it holds only as long as they stand."""


class LabelParent(NamedTuple):
    """Whose a label is: a project's, or a task's; the other is None."""

    project_id: int | None
    task_id: int | None

    @property
    def stream(self) -> str:
        return f"task-{self.task_id}" if self.task_id else f"project-{self.project_id}"


class Drawn(NamedTuple):
    """All that was drawn in a job, under deleted labels too. `version`: of the stream of its annotations; `stop_frame`:
    the job's last frame.
    """

    job_id: int
    task_id: int
    version: int
    stop_frame: int
    document: Document


class Lookup(Protocol):
    """Questions that decisions ask of the inline projections, which are never behind the log."""

    saves: Saves

    def job_place(self, job_id: int, *, fresh: bool = False) -> JobPlace:
        """May be a remembered one, unless it must be `fresh`. Raises NotFound."""
        ...

    def task_places(self, task_id: int) -> list[JobPlace]:
        """The jobs that the task's annotations are in, in id order: those of type annotation, and one with a pool of
        validation frames, which no other job has; its frames are here those of the pool.
        """
        ...

    def selectable(self, task_id: int) -> Selectable | None:
        """The frames that ground truth can be picked from; None when the task has no data."""
        ...

    def validation(self, task_id: int) -> Validation:
        """How work on the task is checked."""
        ...

    def pictures(self, task_id: int, frames: Sequence[int]) -> dict[int, Frame]:
        """Frame → the picture that it shows."""
        ...

    def standing(self, kind: str, ids: list[int]) -> dict[int, Standing]:
        """Object id → where it stands, for those of `ids` that stand now. `kind`: tags, shapes, tracks, intervals; an
        object of another kind stands in job 0: nowhere that its id may be used.
        """
        ...

    def jobs_of(self, task_ids: Sequence[int]) -> dict[int, list[int]]:
        """Task id → the ids of its jobs, ascending; every task is there."""
        ...

    def tasks_in(self, project_id: int) -> list[int]:
        """The ids of a project's tasks, ascending."""
        ...

    def issues_in(self, job_ids: Sequence[int]) -> list[GoneIssue]:
        """The issues of some jobs, in id order, each with its comments."""
        ...

    def held(self, job_ids: Sequence[int]) -> dict[int, dict[str, dict[str, Held]]]:
        """Job id → kind → shape type → the objects; every job is there. They are jobs of one task."""
        ...

    def drawn(self, task_id: int) -> Iterable[Drawn]:
        """What was drawn in each job of a task, of whatever type, in id order. Each is made when it is asked for: all
        together may take much memory.
        """
        ...

    def label_parent(self, label_id: int) -> LabelParent:
        """Of a deleted label, too. Raises NotFound."""
        ...

    def username(self, user_id: int) -> str | None:
        """None when there is no such user."""
        ...

    def username_taken(self, username: str) -> bool:
        """Compared without case."""
        ...

    def email_taken(self, email: str) -> bool:
        """Compared without case."""
        ...

    def account(self, user_id: int) -> Account:
        """Raises NotFound, for deleted users too."""
        ...

    def other_active_admin(self, user_id: int) -> Mapping[str, int]:
        """Stream → version of one active administrator who is not this user; empty: there is none."""
        ...

    def login(self, login_id: int) -> OpenLogin | None:
        """None when it was ended."""
        ...

    def access_tokens(self, user_id: int) -> list[NamedToken]:
        """Those of the user's that were not revoked, in id order."""
        ...


class Log(Protocol):
    """The application as the use cases of one noun see it."""

    clock: Clock
    ids: Ids
    lookup: Lookup
    passwords: Passwords

    def load(self, stream: str, evolve: Callable[[State, Body], State], initial: State) -> tuple[State, int]:
        """State and version of a stream; version 0 when there is none."""
        ...

    def history(self, stream: str, after: int = 0, until: int | None = None) -> Iterator[Event]:
        """The events of a stream, in order, with their positions: those of `after` < version <= `until`."""
        ...

    def recorded(self, first: int, last: int) -> Iterator[Event]:
        """The events of these positions, in order, of whatever streams."""
        ...

    def record(self, context: Context, bodies: Sequence[Body], expect: Mapping[str, int] | None = None) -> list[Event]:
        """Append, all or nothing. `expect`: stream → version that it must have. Raises VersionConflict; Conflict for a
        second user of one name.
        """
        ...
