"""What a handler gets and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.application import Annals
from domain.event import Body
from domain.request import Request
from infra.blobs import BlobStore
from infra.postgres.database import Database
from infra.settings import Settings


@dataclass(frozen=True)
class Tools:
    """What handlers work with. `exchange`: files that come and go, what exports make and what is imported; `database`:
    the projections, to be read only; `clickhouse`: the URL of one to read from.
    """

    settings: Settings
    app: Annals
    blobs: BlobStore
    exchange: BlobStore
    database: Database
    clickhouse: str | None = None


@dataclass(frozen=True)
class Outcome:
    """`events`: the work, recorded together with the request's end; `result`: what its owner gets.

    `expect`: the versions of the streams that the work was made from; when one of them has moved, it is done again.
    """

    events: list[Body]
    result: dict[str, Any] = field(default_factory=dict)
    expect: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """Why the work could not be done: `message` is for its owner, `stack` (infra/stacks.py) for whoever runs this."""

    message: str
    stack: str = ""


Handler = Callable[[Tools, Request], Outcome]
"""Does the work and records nothing itself: it may run twice, when its agent dies in between. Raises an AnnalsError
(MediaError, Invalid …) for what the owner is to be told.
"""
