"""A task to annotate, and how the web UI reads and writes its annotations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cvat_sdk import Client, models
from cvat_sdk.core.proxies.jobs import Job
from cvat_sdk.core.proxies.tasks import Task

from .pictures import write

Document = dict[str, Any]
KINDS = ("tags", "shapes", "tracks", "intervals")


@dataclass(frozen=True)
class Street:
    """A task of six frames: `first` has frames 0 to 3, `last` 2 to 5."""

    task: Task
    first: Job
    last: Job
    car: models.Label
    dog: models.Label

    @property
    def url(self) -> str:
        return f"/api/jobs/{self.first.id}/annotations"

    @property
    def task_url(self) -> str:
        return f"/api/tasks/{self.task.id}/annotations"

    @property
    def paint(self) -> int:
        return int(self.car.attributes[0].id)

    @property
    def plate(self) -> int:
        return int(self.car.attributes[1].id)

    def box(self, frame: int = 0, x: float = 0.5, **fields: Any) -> Document:
        points = [x, 1, x + 9.25, 11]
        return {"type": "rectangle", "frame": frame, "label_id": self.car.id, "points": points} | fields


def street_of(client: Client, folder: Path) -> Street:
    """Made through the client; its pictures lie in `folder`."""
    attributes = [
        {"name": "paint", "mutable": False, "input_type": "select", "default_value": "red", "values": ["blue", "red"]},
        {"name": "plate", "mutable": True, "input_type": "text", "default_value": "none", "values": ["none"]},
    ]
    sublabels = [{"name": "nose", "type": "points"}, {"name": "tail", "type": "points"}]
    labels = [
        {"name": "car", "attributes": attributes},
        {"name": "dog", "type": "skeleton", "sublabels": sublabels, "svg": ""},
    ]
    spec = models.TaskWriteRequest(name="street", labels=labels, segment_size=4, overlap=2)
    files = write(folder, [f"{n}.jpg" for n in range(6)])
    task = client.tasks.create_from_data(spec=spec, resources=files, data_params={"image_quality": 70})
    last, first = task.get_jobs()
    return Street(task, first, last, *task.get_labels())


def document(**kinds: Any) -> Document:
    return {"version": 0, **{kind: kinds.get(kind, []) for kind in KINDS}}


def stored(http: httpx.Client, url: str) -> Document:
    answer = http.get(url)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(found: Document, kind: str = "shapes") -> list[int]:
    return [item["id"] for item in found[kind]]


def put(http: httpx.Client, url: str, **kinds: Any) -> Document:
    answer = http.put(url, json=document(**kinds))
    assert answer.status_code == 200, answer.text
    return answer.json()


def patch(http: httpx.Client, url: str, action: str, **kinds: Any) -> Document:
    """As the web UI saves; its rule: all four arrays come back, with as many objects as were sent, in their order."""
    answer = http.patch(url, params={"action": action}, json=document(**kinds))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [len(found[kind]) for kind in KINDS] == [len(kinds.get(kind, [])) for kind in KINDS]
    return found
