"""Where files go that come in piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

from api.authorization import Action


@dataclass(frozen=True)
class Destination:
    """Where files go: `/api/<noun>s/{id}/<what>`. `action`: what a sender must be allowed to do there."""

    noun: str
    what: str
    action: Action

    @property
    def path(self) -> str:
        return f"/api/{self.noun}s/{{target_id}}/{self.what}/{{upload_id}}"

    def target(self, target_id: int) -> str:
        return f"{self.noun}s/{target_id}/{self.what}"


DATA = Destination("task", "data", "upload")
IMPORTS = {
    "task": Destination("task", "annotations", "annotate"),
    "job": Destination("job", "annotations", "annotate"),
    "project": Destination("project", "dataset", "update"),
}
