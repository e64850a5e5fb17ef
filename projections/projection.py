"""A projection: a fold from events to tables, and nothing else. It sees no clock, no network and no other's tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from psycopg import Cursor
from psycopg.rows import DictRow

from domain.event import Body, Event
from projections.changes import Changes, Table
from projections.statements import Executor

Fold = Callable[[Any, Event, Changes], None]


@dataclass(frozen=True)
class Projection:
    """`version` counts the shapes that its tables and folds have had: another number, and it is built anew, in a
    schema of its own. Its DDL is `projections/schema/<name>.sql`.
    """

    name: str
    version: int
    tables: tuple[Table, ...]
    folds: dict[type[Body], list[Fold]] = field(default_factory=lambda: defaultdict(list), compare=False)

    def on(self, *body_types: type[Body]) -> Callable[[Fold], Fold]:
        """Register the function that folds events of these types."""

        def register(fold: Fold) -> Fold:
            for body_type in body_types:
                self.folds[body_type].append(fold)
            return fold

        return register

    @property
    def key(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def schema(self) -> str:
        """The database schema that holds the tables of this version."""
        return f"read_{self.name}_v{self.version}"

    def create_tables(self, cursor: Cursor[DictRow]) -> None:
        """In the first schema of the connection's search path."""
        cursor.execute(files("projections.schema").joinpath(f"{self.name}.sql").read_bytes())


class ProjectionSet:
    """Projections that are folded together."""

    def __init__(self, projections: Iterable[Projection]) -> None:
        self.projections = tuple(projections)
        self._folds: dict[type[Body], list[Fold]] = defaultdict(list)
        for projection in self.projections:
            for body_type, folds in projection.folds.items():
                self._folds[body_type].extend(folds)

    @property
    def keys(self) -> list[str]:
        """`<name>@<version>` of each."""
        return [projection.key for projection in self.projections]

    def apply(self, cursor: Executor, events: Sequence[Event]) -> None:
        """Fold a batch, in order, into the tables that the cursor's search path leads to."""
        changes = Changes()
        folds = self._folds
        for event in events:
            for fold in folds.get(type(event.body), ()):
                fold(event.body, event, changes)
        changes.flush(cursor)

    @property
    def event_types(self) -> list[str]:
        return sorted({body_type.type_name for body_type in self._folds})

    @property
    def tables(self) -> list[Table]:
        return [table for projection in self.projections for table in projection.tables]
