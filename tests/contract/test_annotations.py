"""The annotations of one job, through CVAT's own client and as its web UI sends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.core.proxies.annotations import AnnotationUpdateAction

from .streets import KINDS, Document, Street, document, ids, patch, put, stored, street_of

POINTS: dict[str, list[float]] = {
    "rectangle": [0.1 + 0.2, 1 / 3, 10.123456789012345, 12],
    "ellipse": [5, 5, 7.5, 2.25],
    "polygon": [0, 0, 10.5, 0, 5, 8.000000000000002],
    "polyline": [1e-7, 0, 3.3, 3.3],
    "points": [4.75, 6],
    "cuboid": [float(n) / 7 for n in range(16)],
    "mask": [1, 2, 1, 2, 3, 0, 0, 2, 2],
}


@pytest.fixture
def street(client: Client, tmp_path: Path) -> Street:
    return street_of(client, tmp_path)


def test_every_type_of_shape_comes_back_as_sent(street: Street, http: httpx.Client) -> None:
    sources = ["auto", "semi-auto", "manual", "file", "consensus", "manual", "manual"]
    shapes = [
        models.LabeledShapeRequest(
            type=models.ShapeType(kind), frame=n % 4, label_id=street.car.id, points=[float(p) for p in points],
            source=source, rotation=12.3 if kind == "rectangle" else 0.0, group=n, z_order=n - 3, occluded=n == 1,
            outside=n == 2,
        )
        for n, ((kind, points), source) in enumerate(zip(POINTS.items(), sources, strict=True))
    ]  # fmt: skip
    tags = [models.LabeledImageRequest(frame=2, label_id=street.car.id)]
    street.first.set_annotations(models.LabeledDataRequest(shapes=shapes, tags=tags))
    found = street.first.get_annotations()
    assert [shape.frame for shape in found.shapes] == [0, 0, 1, 1, 2, 2, 3]
    by_type = {shape.type.value: shape.to_dict() for shape in found.shapes}
    for sent in (shape.to_dict() for shape in shapes):
        back = by_type[str(sent["type"])]
        assert {name: back[name] for name in sent} == sent
    assert {kind: shape["points"] for kind, shape in by_type.items()} == POINTS
    assert len({shape.id for shape in found.shapes}) == 7
    assert [(tag.frame, tag.label_id, tag.source) for tag in found.tags] == [(2, street.car.id, "manual")]
    assert stored(http, street.url + "/") == stored(http, street.url)


def test_attributes_are_filled_in_with_defaults(street: Street) -> None:
    given = [models.AttributeValRequest(spec_id=street.plate, value="AB 1")]
    box = models.LabeledShapeRequest(**street.box(x=2.0) | {"type": models.ShapeType("rectangle"), "attributes": given})
    street.first.set_annotations(models.LabeledDataRequest(shapes=[box]))
    (found,) = street.first.get_annotations().shapes
    assert {a.spec_id: a.value for a in found.attributes} == {street.plate: "AB 1", street.paint: "red"}


def test_tracks_keep_their_keyframes(street: Street, http: httpx.Client) -> None:
    def keyframe(frame: int, **fields: Any) -> Document:
        return {"type": "rectangle", "frame": frame, "points": [0.1, 0.2, frame + 0.3, 4]} | fields

    plate = [{"spec_id": street.plate, "value": "AB 1"}]
    track = {
        "frame": 0,
        "label_id": street.car.id,
        "attributes": [{"spec_id": street.paint, "value": "blue"}],
        "shapes": [keyframe(1, attributes=plate, occluded=True), keyframe(3, outside=True)],
    }
    empty = {"frame": 0, "label_id": street.car.id, "shapes": []}
    put(http, street.url, tracks=[track, empty])
    (found,) = street.first.get_annotations().tracks
    assert (found.frame, found.label_id, [a.to_dict() for a in found.attributes]) == (
        0,
        street.car.id,
        track["attributes"],
    )
    # The track starts before its first keyframe: a copy of that, outside, stands there.
    assert [(shape.frame, shape.outside, shape.occluded) for shape in found.shapes] == [
        (0, True, True),
        (1, False, True),
        (3, True, False),
    ]
    assert [shape.points for shape in found.shapes] == [[0.1, 0.2, 1.3, 4], [0.1, 0.2, 1.3, 4], [0.1, 0.2, 3.3, 4]]
    assert {a.value for shape in found.shapes for a in shape.attributes} == {"AB 1"}
    for wrong in (
        track | {"attributes": plate},
        track | {"shapes": [keyframe(0, attributes=track["attributes"])]},
    ):
        answer = http.put(street.url, json=document(tracks=[wrong]))
        spec_id = street.plate if wrong["attributes"] == plate else street.paint
        assert (answer.status_code, answer.json()) == (400, [f"spec_id `{spec_id}` is invalid"])
    assert ids(stored(http, street.url), "tracks") == [found.id]


def test_skeletons(street: Street, http: httpx.Client) -> None:
    nose, tail = street.dog.sublabels

    def element(label: models.Sublabel, x: float) -> Document:
        return {"type": "points", "frame": 1, "label_id": label.id, "points": [x, 2.5], "occluded": x > 2}

    skeleton = {
        "type": "skeleton",
        "frame": 1,
        "label_id": street.dog.id,
        "points": [],
        "elements": [element(nose, 1.125), element(tail, 3.0)],
    }
    line = {"frame": 0, "label_id": street.dog.id, "shapes": [{"type": "skeleton", "frame": 0, "points": []}]}
    part = {"frame": 0, "shapes": [{"type": "points", "frame": 0, "points": [1.5, 2]}]}
    track = line | {"elements": [part | {"label_id": nose.id}, part | {"label_id": tail.id}]}
    put(http, street.url, shapes=[skeleton], tracks=[track])
    found = street.first.get_annotations()
    (shape,), (dog,) = found.shapes, found.tracks
    assert [(e.label_id, e.points, e.occluded) for e in shape.elements] == [
        (nose.id, [1.125, 2.5], False),
        (tail.id, [3.0, 2.5], True),
    ]
    assert [(e.label_id, e.shapes[0].points) for e in dog.elements] == [(nose.id, [1.5, 2]), (tail.id, [1.5, 2])]
    assert len({shape.id, *(e.id for e in shape.elements)}) == 3
    for wrong in (skeleton | {"elements": []}, street.box(elements=[element(nose, 1.0)])):
        answer = http.put(street.url, json=document(shapes=[street.box(), wrong]))
        assert (answer.status_code, answer.json()["shapes"][0], list(answer.json()["shapes"][1])) == (
            400,
            {},
            ["elements"],
        )
    street.first.remove_annotations(ids=[shape.id, dog.id])
    assert stored(http, street.url)["shapes"] == stored(http, street.url)["tracks"] == []


def test_a_put_replaces_everything(street: Street, http: httpx.Client) -> None:
    first = put(http, street.url, shapes=[street.box(3), street.box(0)], tags=[{"frame": 1, "label_id": street.car.id}])
    assert all(len(set(ids(first, kind))) == len(first[kind]) for kind in KINDS)
    second = put(http, street.url, shapes=[street.box(2)])
    assert not {*ids(first), *ids(first, "tags")} & {*ids(second)}
    found = stored(http, street.url)
    assert {kind: found[kind] for kind in KINDS} == {kind: second[kind] for kind in KINDS}
    for given, errors in (
        ({"shapes": [street.box(), street.box(id=ids(second)[0])]}, {"shapes": [{}, {"id": ["must be absent"]}]}),
        ({"tags": [{"id": 1, "frame": 0, "label_id": street.car.id}]}, {"tags": [{"id": ["must be absent"]}]}),
    ):
        for answer in (
            http.put(street.url, json=document(**given)),
            http.patch(street.url, params={"action": "create"}, json=document(**given)),
        ):
            assert (answer.status_code, answer.json()) == (400, errors)
    assert put(http, street.url, shapes=[street.box(id=None)])["shapes"][0]["id"] > ids(second)[0]
    assert put(http, street.url) | {"version": 0} == document()
    assert ids(stored(http, street.url)) == []


def test_saving_as_the_web_ui_does(street: Street, http: httpx.Client) -> None:
    sent = [street.box(3, 1 / 3, source="semi-auto"), street.box(0, 0.1), street.box(2, 1e-9, source="auto")]
    new = patch(http, street.url, "create", shapes=sent, tags=[{"frame": 0, "label_id": street.car.id}])
    assert [{k: shape[k] for k in ("frame", "points")} for shape in new["shapes"]] == [
        {k: shape[k] for k in ("frame", "points")} for shape in sent
    ]
    assert [shape["source"] for shape in new["shapes"]] == ["semi-auto", "manual", "auto"]
    one, two, three = new["shapes"]
    more = patch(http, street.url, "create", shapes=[street.box(1)])
    assert len({*ids(new), *ids(more)}) == 4

    moved = [three | {"points": [9.75, 1, 10.5, 11.1], "frame": 1}, one | {"source": "file"}]
    updated = patch(http, street.url, "update", shapes=[moved[0], street.box(2, 7), moved[1]])
    assert [updated["shapes"][0], updated["shapes"][2]] == moved
    fresh = updated["shapes"][1]
    assert fresh["id"] not in {*ids(new), *ids(more)}
    # A client's object that the server has answered with once is the one that the server shows.
    by_id = {shape["id"]: shape for shape in stored(http, street.url)["shapes"]}
    assert by_id == {shape["id"]: shape for shape in [*moved, fresh, two, *more["shapes"]]}

    unknown = two | {"id": 999_999}
    gone = patch(http, street.url, "delete", shapes=[two, unknown])
    assert ids(gone) == [two["id"], 999_999]
    left = stored(http, street.url)
    assert sorted(ids(left)) == sorted(by_id.keys() - {two["id"]})
    assert [shape["frame"] for shape in left["shapes"]] == sorted(shape["frame"] for shape in left["shapes"])
    assert ids(left, "tags") == ids(new, "tags")
    assert http.delete(street.url).status_code == 204
    cleared = stored(http, street.url)
    assert {kind: cleared[kind] for kind in KINDS} == {kind: [] for kind in KINDS}


def test_the_clients_own_verbs(street: Street) -> None:
    job, box = street.first, street.box() | {"type": models.ShapeType("rectangle")}
    data = models.PatchedLabeledDataRequest(
        shapes=[models.LabeledShapeRequest(**box), models.LabeledShapeRequest(**box | {"frame": 1})]
    )
    job.update_annotations(data, action=AnnotationUpdateAction.CREATE)
    job.update_annotations(data, action=AnnotationUpdateAction.CREATE)
    found = job.get_annotations().shapes
    assert [shape.frame for shape in found] == [0, 0, 1, 1]
    redrawn = models.LabeledShapeRequest(**found[0].to_dict() | {"points": [1.0, 2.0, 3.5, 4.0]})
    job.update_annotations(models.PatchedLabeledDataRequest(shapes=[redrawn]))
    assert {s.id: s.points for s in job.get_annotations().shapes} == {s.id: s.points for s in found} | {
        found[0].id: [1.0, 2.0, 3.5, 4.0]
    }
    job.remove_annotations(ids=[found[1].id, found[2].id])
    assert [shape.id for shape in job.get_annotations().shapes] == [found[0].id, found[3].id]
    job.remove_annotations()
    assert job.get_annotations().shapes == []


def test_ids_of_others_are_refused(street: Street, http: httpx.Client) -> None:
    other = put(http, f"/api/jobs/{street.last.id}/annotations", shapes=[street.box(4)])
    mine = put(http, street.url, shapes=[street.box(0)])
    before = stored(http, street.url)
    for wrong in (ids(other)[0], 999_999):
        answer = http.patch(
            street.url, params={"action": "update"}, json=document(shapes=[*mine["shapes"], street.box(id=wrong)])
        )
        assert (answer.status_code, type(answer.json())) == (400, str)
        assert str(wrong) in answer.text
    twice = document(shapes=[street.box(id=ids(mine)[0]), street.box(id=ids(mine)[0])])
    assert http.patch(street.url, params={"action": "update"}, json=twice).status_code == 400
    # A delete passes over what does not stand here.
    assert ids(patch(http, street.url, "delete", shapes=other["shapes"])) == ids(other)
    assert stored(http, street.url) == before
    assert ids(stored(http, f"/api/jobs/{street.last.id}/annotations")) == ids(other)


def test_errors_name_the_exact_place(street: Street, http: httpx.Client) -> None:
    box, keyframe = street.box, {"type": "rectangle", "frame": 0, "points": [1, 2, 3]}
    track = {"frame": 0, "label_id": street.car.id}
    cases: list[tuple[Document, Any]] = [
        (
            {"shapes": [box(), box(points=[1, 2, 3]), box(), box(frame=None)]},
            {
                "shapes": [
                    {},
                    {"points": ["A rectangle has exactly 4 numbers, not 3."]},
                    {},
                    {"frame": ["This field may not be null."]},
                ]
            },
        ),
        ({"shapes": [box(type="blob")]}, {"shapes": [{"type": ['"blob" is not a valid choice.']}]}),
        ({"shapes": [box(source="me")]}, {"shapes": [{"source": ['"me" is not a valid choice.']}]}),
        (
            {"shapes": [box(points=[1, 2, "3", 4])]},
            {"shapes": [{"points": ["Number 2: a valid number is required, not str."]}]},
        ),
        ({"tags": [{"label_id": street.car.id}]}, {"tags": [{"frame": ["This field is required."]}]}),
        (
            {"tracks": [track | {"shapes": []}, track | {"shapes": [keyframe]}]},
            {"tracks": [{}, {"shapes": [{"points": ["A rectangle has exactly 4 numbers, not 3."]}]}]},
        ),
        ({"shapes": [box(label_id=999)]}, ["label_id `999` is invalid"]),
        ({"shapes": [box(attributes=[{"spec_id": 999, "value": "x"}])]}, ["spec_id `999` is invalid"]),
        ({"shapes": [box(attributes=[{"spec_id": 1}])]}, {"shapes": [{"attributes": [{"value": [
            "This field is required."]}]}]}),
    ]  # fmt: skip
    for url in (street.url, street.task_url):
        for body, errors in cases:
            answer = http.put(url, json=document(**body))
            assert (answer.status_code, answer.json()) == (400, errors)
            answer = http.patch(url, params={"action": "create"}, json=document(**body))
            assert (answer.status_code, answer.json()) == (400, errors)
        for action in ("", "?action=paint"):
            answer = http.patch(url + action, json=document())
            assert (answer.status_code, list(answer.json())) == (400, ["action"])
        assert http.put(url, content=b"{").status_code == 400
        assert http.put(url, json=[]).status_code == 400
        missing_id = http.patch(url, params={"action": "delete"}, json=document(shapes=[box()]))
        assert (missing_id.status_code, missing_id.json()) == (400, {"shapes": [{"id": ["This field is required."]}]})
    found = stored(http, street.url)
    assert (found, stored(http, street.task_url)) == (document(), document())


def test_exports_have_another_address(street: Street, http: httpx.Client) -> None:
    for url in (street.url, street.task_url):
        answer = http.get(url, params={"format": "CVAT for images 1.1", "action": "download"})
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (410, "text/plain")
