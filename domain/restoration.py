"""Bringing back what was deleted, by its name: `project-3`, `task-17`, `job-5`, `label-8`."""

from __future__ import annotations

import re
from typing import Protocol

from domain.errors import Invalid
from domain.event import Context

NAME = re.compile(r"(project|task|job|label)-([0-9]{1,18})\Z")


class Restorable(Protocol):
    """The use cases of a noun that can be deleted."""

    def restore(self, context: Context, number: int, /) -> None: ...


class Restoration:
    """One door for all nouns."""

    def __init__(self, projects: Restorable, tasks: Restorable, jobs: Restorable, labels: Restorable) -> None:
        self._nouns = {"project": projects, "task": tasks, "job": jobs, "label": labels}

    def restore(self, context: Context, name: str) -> None:
        """With all that went with it. Raises NotFound; Conflict, which says what is in the way; Invalid for a text that
        is no name.
        """
        found = NAME.match(name)
        if found is None:
            raise Invalid({"stream": ["Write project-N, task-N, job-N or label-N."]})
        self._nouns[found[1]].restore(context, int(found[2]))
