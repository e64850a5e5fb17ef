"""Labels, through CVAT's own client."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from cvat_sdk import Client
from cvat_sdk.api_client.exceptions import ForbiddenException

from .conftest import Server
from .pictures import write


def test_a_job_a_task_and_a_project_share_labels(client: Client, tmp_path: Path) -> None:
    project = client.projects.create({"name": "city", "labels": [{"name": "car"}, {"name": "dog"}]})
    task = client.tasks.create({"name": "street", "project_id": project.id})
    task.upload_data(write(tmp_path, ["a.jpg"]))
    of_project = [label.to_dict() for label in project.get_labels()]
    assert [label["name"] for label in of_project] == ["car", "dog"]
    assert [label["project_id"] for label in of_project] == [project.id] * 2
    assert not any("task_id" in label for label in of_project)
    assert [label.to_dict() for label in task.get_labels()] == of_project
    assert [label.to_dict() for label in task.get_jobs()[0].get_labels()] == of_project
    alone = client.tasks.create({"name": "alone", "labels": [{"name": "car"}]})
    (own,) = [label.to_dict() for label in alone.get_labels()]
    assert own["task_id"] == alone.id
    assert "project_id" not in own
    assert own["id"] not in {label["id"] for label in of_project}
    one, _ = client.api_client.labels_api.retrieve(own["id"])
    assert one.to_dict() == own


def test_exactly_one_parent_is_named(client: Client, http: httpx.Client) -> None:
    task = client.tasks.create({"name": "street", "labels": [{"name": "car"}]})
    for query in ("", f"?task_id={task.id}&project_id=1", f"?task_id={task.id}&job_id=1"):
        answer = http.get(f"/api/labels{query}")
        assert (answer.status_code, type(answer.json())) == (400, list)
    assert http.get("/api/labels?task_id=many").json() == {"task_id": ["Enter a number."]}
    assert [http.get(f"/api/labels?{noun}_id=999").status_code for noun in ("task", "job", "project")] == [404] * 3
    assert http.get("/api/labels/999").status_code == 404


def test_colors_are_kept_or_made(client: Client) -> None:
    wanted = [{"name": "a", "color": "#0a0B0c"}, {"name": "b"}, {"name": "c", "color": ""}, {"name": "b2"}]
    colors = [label.color for label in client.tasks.create({"name": "street", "labels": wanted}).get_labels()]
    again = [label.color for label in client.tasks.create({"name": "again", "labels": wanted}).get_labels()]
    assert colors[0].lower() == "#0a0b0c"
    assert all(len(color) == 7 and color.startswith("#") for color in colors)
    assert len(set(colors)) == 4
    assert again == colors


def test_an_attribute_without_values_reads_back_as_one_empty_value(client: Client) -> None:
    attributes = [
        {"name": "note", "mutable": True, "input_type": "text", "values": []},
        {"name": "kind", "mutable": False, "input_type": "select", "values": ["car", "van"]},
    ]
    task = client.tasks.create({"name": "street", "labels": [{"name": "car", "attributes": attributes}]})
    note, kind = task.get_labels()[0].attributes
    assert (note.values, note.default_value, note.mutable, note.input_type.value) == ([""], "", True, "text")
    assert (kind.values, kind.default_value) == (["car", "van"], "car")
    assert note.id != kind.id


def test_many_labels_come_in_pages(client: Client, http: httpx.Client) -> None:
    names = [f"label {n}" for n in range(23)]
    task = client.tasks.create({"name": "street", "labels": [{"name": name} for name in names]})
    labels = task.get_labels()
    assert [label.name for label in labels] == names
    assert [label.id for label in labels] == sorted(label.id for label in labels)
    page = http.get(f"/api/labels?task_id={task.id}&page_size=20&page=2").json()
    assert (page["count"], page["next"], len(page["results"])) == (23, None, 3)
    assert page["previous"].startswith(str(http.base_url))
    assert len(http.get(f"/api/labels?task_id={task.id}&page_size=500&page=1").json()["results"]) == 23
    assert http.get(f"/api/labels?task_id={task.id}&page_size=20&page=3").status_code == 404


def test_a_skeleton_holds_its_points(client: Client, http: httpx.Client) -> None:
    svg = '<circle cx="1" data-label-name="nose"/><circle cx="2" data-label-name="tail"/>'
    skeleton = {
        "name": "dog",
        "type": "skeleton",
        "svg": svg,
        "sublabels": [{"name": "nose", "type": "points"}, {"name": "tail", "type": "points"}],
    }
    task = client.tasks.create({"name": "street", "labels": [skeleton, {"name": "nose"}]})
    dog, nose = task.get_labels()
    points = dog.sublabels
    assert (dog.name, dog.type, nose.name, nose.sublabels) == ("dog", "skeleton", "nose", [])
    assert [(point.name, point.type, point.has_parent) for point in points] == [
        ("nose", "points", True),
        ("tail", "points", True),
    ]
    assert dog.svg == svg.replace('name="nose"', f'id="{points[0].id}"').replace('name="tail"', f'id="{points[1].id}"')
    assert len({dog.id, nose.id, *(point.id for point in points)}) == 4
    assert http.get(f"/api/labels?task_id={task.id}").json()["count"] == 2


def test_labels_are_seen_by_those_who_see_the_parent(client: Client, server: Server) -> None:
    task = client.tasks.create({"name": "street", "labels": [{"name": "car"}]})
    label = task.get_labels()[0]
    server.add_user(("mallory", "correct horse"))
    labels_api = server.sdk(("mallory", "correct horse")).api_client.labels_api
    with pytest.raises(ForbiddenException):
        labels_api.list(task_id=task.id)
    with pytest.raises(ForbiddenException):
        labels_api.retrieve(label.id)
