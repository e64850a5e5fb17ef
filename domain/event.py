"""The event: an immutable fact (its body) in an envelope that says who, when, where and why.

A body is a frozen dataclass registered under an explicit, stable type name; the name and the fields are a public
contract (docs/events.md is generated from them). The envelope is what `eventsourcing` calls a domain event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, TypeVar

NEXT_VERSION = 0
"""As `originator_version`: let the log number the event. For changes that commute and so need no expectation."""


class Body:
    """Base of the event bodies. Subclasses are frozen dataclasses made with `@event_type`."""

    type_name: ClassVar[str]
    schema_version: ClassVar[int] = 1
    secret_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that no one is shown: neither `annals events show` nor Kafka nor ClickHouse."""

    time_fields: ClassVar[tuple[str, ...]] = ()

    __slots__ = ()

    @property
    def stream(self) -> str:
        raise TypeError(f"{type(self).__name__} names no stream")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. `user_id` is None for the system itself."""

    user_id: int | None
    username: str | None
    email: str = ""
    is_admin: bool = False
    organization_id: int | None = None
    organization: str | None = None


SYSTEM = Actor(None, None, is_admin=True)


@dataclass(slots=True)
class Once:
    """The key under which a client asks for something. It goes into the log with the first save that is recorded under
    it (`recorded`), and nothing is ever recorded under it again.
    """

    key: str
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of a command: who, through what, and what it follows from. `access_token_id`: of the token that
    the actor came with, None for any other way to log in.
    """

    actor: Actor
    source: str = "api"
    correlation_id: str | None = None
    causation_id: str | None = None
    user_agent: str | None = None
    once: Once | None = None
    access_token_id: int | None = None


class Metadata(NamedTuple):
    """What every event carries beside its body. `time` is UTC with microseconds. `access_token_id`: of the token that
    the request came with; what agents do for it later has None, and its `correlation_id`. `actor_email`: the actor's
    address then; None: there was none, or the event is older than this field.
    """

    time: datetime
    source: str
    actor_id: int | None = None
    actor: str | None = None
    organization_id: int | None = None
    organization: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    user_agent: str | None = None
    idempotency_key: str | None = None
    access_token_id: int | None = None
    actor_email: str | None = None


@dataclass(slots=True)
class Event:
    """A body in its envelope. `originator_version` and `position` are filled in when the log has recorded it."""

    originator_id: str
    originator_version: int
    body: Body
    meta: Metadata
    position: int = field(default=0)

    @property
    def id(self) -> str:
        """`<stream>@<version>`: unique for ever; what `causation_id` refers to."""
        return f"{self.originator_id}@{self.originator_version}"


_types: dict[str, type[Body]] = {}
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
_upcasters: dict[tuple[str, int], Upcaster] = {}
B = TypeVar("B", bound=type[Body])


def event_type(name: str, version: int = 1, secret: tuple[str, ...] = ()) -> Callable[[B], B]:
    """Register a body class under its stored `name`; `version` counts the shapes its fields have had."""

    def register(cls: B) -> B:
        if name in _types:
            raise ValueError(f"two event bodies are named {name}")
        cls.type_name, cls.schema_version, cls.secret_fields = name, version, secret
        cls.time_fields = tuple(f for f, kind in cls.__annotations__.items() if "datetime" in str(kind))
        _types[name] = cls
        return cls

    return register


def upcaster(name: str, version: int) -> Callable[[Upcaster], Upcaster]:
    """Register the pure function that lifts fields of `version` to `version + 1`."""

    def register(function: Upcaster) -> Upcaster:
        _upcasters[name, version] = function
        return function

    return register


def body_type(name: str) -> type[Body]:
    """The class registered as `name`. Raises LookupError for a name that this program does not know."""
    try:
        return _types[name]
    except KeyError:
        raise LookupError(f"unknown event type {name!r}: written by a newer version of Annals?") from None


def body_types() -> dict[str, type[Body]]:
    return dict(sorted(_types.items()))


def make_body(name: str, version: int, fields: dict[str, Any]) -> Body:
    """The body stored as `name` in schema `version`, lifted to today's shape. Raises LookupError for one that this
    program does not know.
    """
    cls = body_type(name)
    if version > cls.schema_version:
        raise LookupError(f"{name} version {version}: written by a newer version of Annals?")
    for older in range(version, cls.schema_version):
        fields = _upcasters[name, older](fields)
    for key in cls.time_fields:
        if fields[key] is not None:
            fields[key] = datetime.fromisoformat(fields[key])
    return cls(**fields)
