"""The head of annotations.xml: what was exported, with its labels, people and jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Union

from infra.formats.cvat.text import in_attribute, in_element
from infra.formats.model import DEFAULT_SUBSET, Attribute, Dataset, Frame, Label, Part, Person, Project, Task

Value = Union[str, "Sequence[tuple[str, Value]]"]
"""What an element holds: text, or elements by name, of which several may have one name."""

Elements = list[tuple[str, Value]]


def meta(dataset: Dataset, parts: Sequence[Part]) -> str:
    """The whole element, from its line end."""
    content: Elements = [(dataset.target, _target(dataset, parts)), ("dumped", _date(dataset.dumped))]
    if dataset.target != "project" and parts[0].task.mode == "interpolation":
        content += _of_video(parts[0])
    return _element("meta", content, "\n  ")


def _target(dataset: Dataset, parts: Sequence[Part]) -> Elements:
    labels: Elements = [("labels", [("label", _label(label)) for label in dataset.labels.all])]
    if dataset.project is not None:
        return _project(dataset.project, dataset.subsets, [part.task for part in parts]) + labels
    about = _task(parts[0].task)
    if dataset.target == "job":
        about = [("id", str(dataset.target_id)), *(pair for pair in about if pair[0] not in ("id", "name"))]
    return about + labels


def _project(project: Project, subsets: Sequence[str], tasks: Sequence[Task]) -> Elements:
    return [
        ("id", str(project.id)),
        ("name", project.name),
        ("bugtracker", project.bug_tracker),
        ("created", _date(project.created)),
        ("updated", _date(project.updated)),
        ("tasks", [("task", _task(task)) for task in tasks]),
        ("subsets", "\n".join(subsets)),
        ("owner", _person(project.owner)),
        ("assignee", _person(project.assignee)),
    ]


def _task(task: Task) -> Elements:
    return [
        ("id", str(task.id)),
        ("name", task.name),
        ("size", str(task.size)),
        ("mode", task.mode),
        ("overlap", str(task.overlap)),
        ("bugtracker", task.bug_tracker),
        ("created", _date(task.created)),
        ("updated", _date(task.updated)),
        ("subset", task.subset or DEFAULT_SUBSET),
        ("start_frame", str(task.start_frame)),
        ("stop_frame", str(task.stop_frame)),
        ("frame_filter", task.frame_filter),
        *([("left_out", "\n".join(map(str, task.left_out)))] if task.left_out else []),
        ("segments", [("segment", _segment(*segment)) for segment in task.segments]),
        ("owner", _person(task.owner)),
        ("assignee", _person(task.assignee)),
    ]


def _segment(segment_id: int, job_id: int, start: int, stop: int) -> Elements:
    """The address is that of the job on its server, of which the file tells nothing."""
    return [("id", str(segment_id)), ("start", str(start)), ("stop", str(stop)), ("url", f"/api/jobs/{job_id}")]


def _person(person: Person | None) -> Value:
    return "" if person is None else [("username", person.username), ("email", person.email)]


def _label(label: Label) -> Elements:
    about: Elements = [("name", label.name), ("color", label.color), ("type", label.type)]
    about.append(("attributes", [("attribute", _attribute(attribute)) for attribute in label.attributes]))
    if label.svg:
        about.append(("svg", _named(label)))
    if label.parent is not None:
        about.append(("parent", label.parent))
    return about


def _named(label: Label) -> str:
    """A skeleton's drawing, its points by name: ids mean nothing elsewhere."""
    svg = label.svg
    for point in label.sublabels:
        svg = svg.replace(f'data-label-id="{point.id}"', f'data-label-name="{in_attribute(point.name)}"')
    return svg


def _attribute(attribute: Attribute) -> Elements:
    return [
        ("name", attribute.name),
        ("mutable", str(attribute.mutable)),
        ("input_type", attribute.input_type),
        ("default_value", attribute.default),
        ("values", "\n".join(attribute.values)),
    ]


def _of_video(part: Part) -> Elements:
    frame: Frame | None = next(part.frames(), None)
    size: Elements = [] if frame is None else [("width", str(frame.width)), ("height", str(frame.height))]
    return [("original_size", size), ("source", part.task.source or "")]


def _date(time: datetime) -> str:
    return str(time)


def _element(name: str, value: Value, pad: str) -> str:
    if isinstance(value, str):
        return f"{pad}<{name}>{in_element(value)}</{name}>"
    inside = "".join(_element(child, content, f"{pad}  ") for child, content in value)
    return f"{pad}<{name}>{inside}{pad}</{name}>"
