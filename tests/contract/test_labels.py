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


def test_one_parent_at_most_is_named(client: Client, http: httpx.Client) -> None:
    task = client.tasks.create({"name": "street", "labels": [{"name": "car"}]})
    for query in (f"?task_id={task.id}&project_id=1", f"?task_id={task.id}&job_id=1"):
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


def test_a_label_is_edited(client: Client, http: httpx.Client) -> None:
    attribute = {"name": "kind", "mutable": False, "input_type": "select", "values": ["car", "van"]}
    task = client.tasks.create({"name": "street", "labels": [{"name": "car", "attributes": [attribute]}]})
    (label,) = task.get_labels()
    api = client.api_client.labels_api
    kind = label.attributes[0]
    more = {"id": kind.id, "name": "kind", "mutable": False, "input_type": "select", "values": ["car", "van", "bus"]}
    patched, _ = api.partial_update(
        label.id, patched_label_request={"name": "vehicle", "color": "#010203", "attributes": [more]}
    )
    assert (patched.name, patched.color, patched.attributes[0].values) == ("vehicle", "#010203", ["car", "van", "bus"])
    before = task.updated_date
    task.fetch()
    assert task.updated_date > before
    refused = http.patch(f"/api/labels/{label.id}", json={"attributes": [{"id": kind.id, "values": ["car"]}]})
    assert (refused.status_code, refused.json().keys()) == (400, {"attributes"})
    assert http.patch(f"/api/labels/{label.id}", json={"deleted": True}).status_code == 400
    assert http.patch("/api/labels/999", json={"name": "x"}).status_code == 404


def test_the_points_of_a_skeleton_are_edited_through_it(client: Client, http: httpx.Client) -> None:
    points = [{"name": "head", "type": "points"}, {"name": "foot", "type": "points"}]
    spec = {"name": "person", "type": "skeleton", "sublabels": points, "svg": '<circle data-label-name="head"/>'}
    task = client.tasks.create({"name": "street", "labels": [spec]})
    (label,) = task.get_labels()
    head = label.sublabels[0]
    alone = http.get(f"/api/labels/{head.id}").json()
    assert (alone["name"], alone["has_parent"], alone["parent_id"]) == ("head", True, label.id)
    for refused in (http.patch(f"/api/labels/{head.id}", json={"name": "x"}), http.delete(f"/api/labels/{head.id}")):
        assert refused.status_code == 400
    sublabels = [{"id": head.id, "name": "nose", "type": "points"}]
    patched = http.patch(f"/api/labels/{label.id}", json={"sublabels": sublabels}).json()
    assert [point["name"] for point in patched["sublabels"]] == ["nose", "foot"]
    assert patched["svg"] == label.svg


def test_a_task_edits_deletes_and_adds_labels(client: Client, http: httpx.Client) -> None:
    task = client.tasks.create({"name": "street", "labels": [{"name": "car"}, {"name": "dog"}, {"name": "cat"}]})
    car, dog, _ = task.get_labels()
    edits = [{"id": car.id, "name": "van"}, {"id": dog.id, "name": "dog", "deleted": True}, {"name": "bus"}]
    task.update({"labels": edits})
    assert [label.name for label in task.get_labels()] == ["van", "cat", "bus"]
    doubled = http.patch(f"/api/tasks/{task.id}", json={"labels": [{"name": "cat"}]})
    assert (doubled.status_code, doubled.json().keys()) == (400, {"labels"})
    assert http.patch(f"/api/tasks/{task.id}", json={"labels": [{"id": 999, "name": "x"}]}).status_code == 404
    assert [label.name for label in task.get_labels()] == ["van", "cat", "bus"]


def test_what_was_drawn_shows_attributes_that_came_later(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    task = client.tasks.create({"name": "street", "labels": [{"name": "car"}]})
    task.upload_data(write(tmp_path, ["a.jpg"]))
    (label,) = task.get_labels()
    box = {"type": "rectangle", "frame": 0, "label_id": label.id, "points": [1, 2, 3, 4]}
    http.put(f"/api/tasks/{task.id}/annotations", json={"shapes": [box]})
    size = {"name": "size", "mutable": False, "input_type": "number", "values": ["0", "9", "1"], "default_value": "3"}
    client.api_client.labels_api.partial_update(label.id, patched_label_request={"attributes": [size]})
    for noun in (task, task.get_jobs()[0]):
        (shape,) = noun.get_annotations().shapes
        assert [value.value for value in shape.attributes] == ["3"]


def test_names_are_kept_without_the_blanks_around_them(http: httpx.Client) -> None:
    attribute = {"name": " paint\n", "input_type": "text"}
    task = {"name": "street", "labels": [{"name": " car ", "attributes": [attribute]}]}
    url = f"/api/labels?task_id={http.post('/api/tasks', json=task).json()['id']}"
    (label,) = http.get(url).json()["results"]
    assert (label["name"], label["attributes"][0]["name"]) == ("car", "paint")
    assert http.patch(f"/api/labels/{label['id']}", json={"name": "van  "}).json()["name"] == "van"


@pytest.mark.parametrize("again", [{"deleted": True}, {"name": "van"}])
def test_a_label_is_deleted_once(http: httpx.Client, again: dict[str, object]) -> None:
    task = http.post("/api/tasks", json={"name": "street", "labels": [{"name": "car"}]}).json()
    url = f"/api/labels?task_id={task['id']}"
    (label,) = http.get(url).json()["results"]
    edits = [{"id": label["id"], "deleted": True}, {"id": label["id"]} | again]
    assert http.patch(f"/api/tasks/{task['id']}", json={"labels": edits}).status_code == 404
    assert http.get(url).json()["results"] == [label]
