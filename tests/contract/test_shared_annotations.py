"""Annotations where more than one job or more than one person has a part in them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.api_client.exceptions import ForbiddenException

from .conftest import Server
from .streets import Street, document, ids, patch, put, stored, street_of

ANN, BOB = ("ann", "correct horse"), ("bob", "correct horse")


@pytest.fixture
def street(client: Client, tmp_path: Path) -> Street:
    return street_of(client, tmp_path)


def test_who_insists_on_a_version_is_stopped(street: Street, http: httpx.Client) -> None:
    def etag() -> str:
        answer = http.get(street.url)
        assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'
        return answer.headers["ETag"]

    body, old = document(shapes=[street.box()]), etag()
    assert http.put(street.url, json=body, headers={"If-Match": old}).status_code == 200
    now = etag()
    assert now != old
    for method, action in (("PUT", ""), ("PATCH", "create"), ("PATCH", "update"), ("DELETE", "")):
        query = {"action": action} if action else {}
        refused = http.request(method, street.url, params=query, json=body, headers={"If-Match": old})
        assert (refused.status_code, refused.headers["ETag"]) == (412, now)
        assert sorted(refused.json()) == ["detail", "version"]
        assert f'"{refused.json()["version"]}"' == now
    assert etag() == now
    assert len(stored(http, street.url)["shapes"]) == 1
    for fine in (now, "*", None):
        headers = {"If-Match": fine} if fine else {}
        answer = http.patch(street.url, params={"action": "create"}, json=body, headers=headers)
        assert answer.status_code == 200
    assert len(stored(http, street.url)["shapes"]) == 4
    assert http.put(street.url, json=body, headers={"If-Match": "yesterday"}).status_code == 400


def test_two_people_in_one_job_both_stand(street: Street, server: Server, http: httpx.Client) -> None:
    begun = put(http, street.url, shapes=[street.box(0, n) for n in range(2)])["shapes"]
    together = Barrier(2)

    def save(number: int) -> list[int]:
        mine, own = server.http(), []
        for turn in range(10):
            together.wait(60)
            own += ids(patch(mine, street.url, "create", shapes=[street.box(number, turn)]))
            together.wait(60)
            patch(mine, street.url, "update", shapes=[begun[number] | {"z_order": turn}])
        return own

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(save, range(2))
    found = {shape["id"]: shape for shape in stored(http, street.url)["shapes"]}
    assert found.keys() == {*first, *second, *(shape["id"] for shape in begun)}
    assert len(found) == 22
    assert [found[shape["id"]]["z_order"] for shape in begun] == [9, 9]


def test_a_task_is_the_sum_of_its_jobs(street: Street, http: httpx.Client) -> None:
    last_url = f"/api/jobs/{street.last.id}/annotations"
    put(http, street.task_url, shapes=[street.box(frame, frame * 2) for frame in (5, 0, 2, 3, 77)])
    assert [shape["frame"] for shape in stored(http, street.url)["shapes"]] == [0, 2, 3]
    assert [shape["frame"] for shape in stored(http, last_url)["shapes"]] == [2, 3, 5]
    found = street.task.get_annotations().shapes
    # What stands in both jobs is shown once; what is on no frame is gone.
    assert [shape.frame for shape in found] == [0, 2, 3, 5]
    assert [shape.points for shape in found] == [street.box(n, n * 2)["points"] for n in (0, 2, 3, 5)]

    created = patch(http, street.task_url, "create", shapes=[street.box(4, 1)])["shapes"]
    assert created[0]["id"] in ids(stored(http, last_url))
    moved = created[0] | {"points": [1, 2, 3.5, 4]}
    assert patch(http, street.task_url, "update", shapes=[moved])["shapes"] == [moved]
    assert moved in stored(http, last_url)["shapes"]
    unknown = http.patch(street.task_url, params={"action": "update"}, json=document(shapes=[moved | {"id": 999_999}]))
    assert (unknown.status_code, type(unknown.json())) == (400, str)
    patch(http, street.task_url, "delete", shapes=[moved])
    assert [shape.frame for shape in street.task.get_annotations().shapes] == [0, 2, 3, 5]
    street.task.remove_annotations()
    assert [stored(http, url)["shapes"] for url in (street.url, last_url, street.task_url)] == [[], [], []]


def test_a_track_is_cut_by_the_jobs(street: Street, http: httpx.Client) -> None:
    keyframes = [{"type": "rectangle", "frame": n, "points": [n, 0, n + 10, 10.5]} for n in (0, 5)]
    put(http, street.task_url, tracks=[{"frame": 0, "label_id": street.car.id, "shapes": keyframes}])
    (early,) = street.first.get_annotations().tracks
    (late,) = street.last.get_annotations().tracks
    assert early.shapes[0].points == [0, 0, 10, 10.5]
    borders = [shape for shape in (*early.shapes, *late.shapes) if shape.frame in (2, 3) and not shape.outside]
    assert borders
    assert all(shape.points == [shape.frame, 0, shape.frame + 10, 10.5] for shape in borders)
    (whole,) = street.task.get_annotations().tracks
    visible = {shape.frame: shape.points for shape in whole.shapes if not shape.outside}
    assert (visible[0], visible[5]) == ([0, 0, 10, 10.5], [5, 0, 15, 10.5])
    assert all(points == [frame, 0, frame + 10, 10.5] for frame, points in visible.items())


def test_without_data_there_is_nothing_to_annotate(client: Client, http: httpx.Client) -> None:
    task = client.tasks.create({"name": "empty", "labels": [{"name": "car"}]})
    url = f"/api/tasks/{task.id}/annotations"
    answers = [
        http.get(url),
        http.put(url, json=document()),
        http.patch(url, params={"action": "create"}, json=document()),
        http.delete(url),
    ]
    assert [answer.status_code for answer in answers] == [400] * 4
    assert all("no data" in answer.text for answer in answers)
    assert [http.get(f"/api/{noun}/999/annotations").status_code for noun in ("jobs", "tasks")] == [404, 404]


def test_who_may_draw(street: Street, server: Server, http: httpx.Client) -> None:
    street.first.update({"assignee": server.add_user(ANN)})
    server.add_user(BOB)
    ann, bob = server.sdk(ANN), server.sdk(BOB)
    box = models.LabeledShapeRequest(**street.box() | {"type": models.ShapeType("rectangle")})
    data = models.LabeledDataRequest(shapes=[box])
    ann.jobs.retrieve(street.first.id).set_annotations(data)
    for api, key in (
        (bob.api_client.jobs_api, street.first.id),
        (bob.api_client.tasks_api, street.task.id),
        (ann.api_client.jobs_api, street.last.id),
        (ann.api_client.tasks_api, street.task.id),
    ):
        with pytest.raises(ForbiddenException):
            api.retrieve_annotations(key)
        with pytest.raises(ForbiddenException):
            api.update_annotations(key, labeled_data_request=data)
        with pytest.raises(ForbiddenException):
            api.destroy_annotations(key)
    assert len(stored(http, street.url)["shapes"]) == 1
