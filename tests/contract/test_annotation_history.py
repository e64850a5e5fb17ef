"""Time travel of annotations through HTTP: the past, who changed what, and bringing it back."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models

from .conftest import Server
from .streets import KINDS, Document, Street, document, ids, patch, put, stored, street_of

BOB = ("bob", "correct horse")


@pytest.fixture
def street(client: Client, tmp_path: Path) -> Street:
    return street_of(client, tmp_path)


def ok(answer: httpx.Response) -> Document:
    assert answer.status_code == 200, answer.text
    return answer.json()


def then(http: httpx.Client, url: str, **moment: Any) -> Document:
    return ok(http.get(url, params=moment))


def restore(http: httpx.Client, url: str, **moment: Any) -> Document:
    return ok(http.post(f"{url}/restore", json=moment))


def history(http: httpx.Client, url: str, **page: Any) -> list[Document]:
    return ok(http.get(f"{url}/history", params=page))["results"]


def refusal(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def by_id(found: Document) -> dict[str, dict[int, Document]]:
    return {kind: {item["id"]: item for item in found[kind]} for kind in KINDS}


def applied(before: Document, diff: Document) -> dict[str, dict[int, Document]]:
    result = by_id(before)
    for kind in KINDS:
        for item in diff["deleted"][kind]:
            assert result[kind].pop(item["id"]) == item
        for pair in diff["updated"][kind]:
            assert result[kind][pair["before"]["id"]] == pair["before"]
            result[kind][pair["after"]["id"]] = pair["after"]
        result[kind] |= {item["id"]: item for item in diff["created"][kind]}
    return result


class Someone:
    """Draws, redraws, deletes and restores in a job, by chance."""

    def __init__(self, http: httpx.Client, street: Street, seed: int) -> None:
        self.http, self.street, self.chance = http, street, random.Random(seed)

    def save(self) -> None:
        standing = stored(self.http, self.street.url)
        some = self.chance.sample(standing["shapes"], len(standing["shapes"]) // 2)
        actions: list[Callable[[], Any]] = [
            lambda: patch(self.http, self.street.url, "create", shapes=self._boxes(), tags=self._tags()),
            lambda: patch(self.http, self.street.url, "update", shapes=[s | {"occluded": True} for s in some]),
            lambda: patch(self.http, self.street.url, "delete", shapes=some),
            lambda: put(self.http, self.street.url, shapes=self._boxes()),
            lambda: put(self.http, self.street.task_url, shapes=self._boxes()),
            lambda: restore(self.http, self.street.url, version=self.chance.randint(0, standing["version"])),
        ]
        self.chance.choice(actions)()

    def _boxes(self) -> list[Document]:
        return [
            self.street.box(self.chance.randrange(4), self.chance.random()) for _ in range(self.chance.randint(1, 5))
        ]

    def _tags(self) -> list[Document]:
        return [{"frame": self.chance.randrange(4), "label_id": self.street.car.id}]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_past_stays_as_it_was_shown(street: Street, http: httpx.Client, seed: int) -> None:
    """Byte for byte: what a GET showed is what `version` and `as_of` show ever after, and a restore brings it back."""
    someone, shown, at = Someone(http, street, seed), {}, {}
    for _ in range(15):
        answer = http.get(street.url)
        shown[answer.json()["version"]] = answer.content
        at[datetime.now(UTC).isoformat()] = answer.content
        someone.save()
    for version, content in shown.items():
        assert http.get(street.url, params={"version": version}).content == content
    for time, content in at.items():
        assert http.get(street.url, params={"as_of": time}).content == content

    versions = sorted(shown)
    for _ in range(5):
        start, end = someone.chance.choice(versions), someone.chance.choice(versions)
        diff = ok(http.get(f"{street.url}/diff", params={"from": start, "to": end}))
        before, after = (then(http, street.url, version=version) for version in (start, end))
        assert (diff["from"], diff["to"], applied(before, diff)) == (start, end, by_id(after))
        restore(http, street.url, version=end)
        assert by_id(stored(http, street.url)) == by_id(after)
    for version, content in shown.items():
        assert http.get(street.url, params={"version": version}).content == content


def test_who_changed_what(street: Street, server: Server, http: httpx.Client) -> None:
    bob = server.add_user(BOB)
    street.first.update(models.PatchedJobWriteRequest(assignee=bob))
    his = server.http(BOB)
    one, two = ids(put(http, street.url, shapes=[street.box(0), street.box(1)]))
    patch(his, street.url, "update", shapes=[street.box(2, id=one), street.box(3)])
    patch(http, street.url, "delete", shapes=[street.box(1, id=two)])
    http.delete(street.url)
    restore(his, street.url, version=1)

    def counts(**found: int) -> dict[str, int]:
        return dict.fromkeys(KINDS, 0) | found

    newest, cleared, removed, redrawn, first = history(http, street.url)
    assert [row["version"] for row in (first, redrawn, removed, cleared, newest)] == [1, 3, 4, 5, 6]
    assert [row["user"]["username"] for row in (first, redrawn, newest)] == ["admin", "bob", "bob"]
    assert (redrawn["created"], redrawn["updated"], redrawn["deleted"]) == (
        counts(shapes=1),
        counts(shapes=1),
        counts(),
    )
    assert (removed["deleted"], cleared["deleted"]) == (counts(shapes=1), counts(shapes=2))
    assert (newest["created"], newest["restored_version"], newest["types"]) == (
        counts(shapes=2),
        1,
        ["AnnotationsRestored"],
    )
    assert newest["source"] == "api"
    assert newest["user_agent"].startswith("python-httpx/")
    page = ok(http.get(f"{street.url}/history", params={"page_size": 2, "page": 2}))
    assert ([row["version"] for row in page["results"]], page["count"]) == ([4, 3], 5)
    assert http.get(f"{street.url}/history", params={"page_size": 2, "page": 4}).status_code == 404

    life = ok(http.get(f"{street.url}/history/shape/{one}"))["results"]
    told = [
        (row["version"], row["what"], row["user"]["username"], row["object"] and row["object"]["frame"]) for row in life
    ]
    assert told == [
        (6, "restored", "bob", 0),
        (5, "deleted", "admin", None),
        (3, "updated", "bob", 2),
        (1, "created", "admin", 0),
    ]
    assert ok(http.get(f"{street.url}/history/shape/{one}", params={"page_size": 1, "page": 2}))["count"] == 4
    assert http.get(f"{street.url}/history/tag/{one}").status_code == 404
    assert http.get(f"{street.url}/history/cat/{one}").status_code == 404


def test_the_first_save_by_the_sdk_comes_back(street: Street, http: httpx.Client) -> None:
    """The client's own reader sees what was restored, under the ids that it knew."""
    box = models.LabeledShapeRequest(**street.box() | {"type": models.ShapeType("rectangle")})
    street.first.set_annotations(models.LabeledDataRequest(shapes=[box, box]))
    before = street.first.get_annotations().to_dict()
    street.first.remove_annotations()
    assert street.first.get_annotations().shapes == []
    done = restore(http, street.url, version=1)
    assert done["message"] == "The annotations are as they were in version 1."
    assert street.first.get_annotations().to_dict() == before | {"version": done["version"]}
    again = restore(http, street.url, version=1)
    assert (again["version"], again["message"].endswith("nothing was recorded.")) == (done["version"], True)
    assert len(history(http, street.url)) == 3


def test_a_version_that_was_seen_can_be_insisted_on(street: Street, http: httpx.Client) -> None:
    put(http, street.url, shapes=[street.box(0)])
    put(http, street.url, shapes=[street.box(1)])
    url, body = f"{street.url}/restore", {"version": 1}
    answer = http.post(url, json=body, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["version"], answer.headers["etag"]) == (412, 2, '"2"')
    answer = http.post(url, json=body, headers={"If-Match": '"2"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"4"')
    assert http.get(street.url).headers["etag"] == '"4"'


def test_restoring_while_others_draw(street: Street, server: Server, http: httpx.Client) -> None:
    """Every restore and every save succeeds, and all of them stay in the history."""
    put(http, street.url, shapes=[street.box(0)])
    stop = threading.Event()

    def draw(mine: httpx.Client) -> list[int]:
        drawn = []
        while not stop.is_set():
            drawn += ids(patch(mine, street.url, "create", shapes=[street.box(1)]))
        return drawn

    with ThreadPoolExecutor() as pool:
        others = [pool.submit(draw, server.http()) for _ in range(3)]
        for _ in range(20):
            restore(http, street.url, version=1)
        stop.set()
    drawn = [number for other in others for number in other.result()]
    now = stored(http, street.url)
    assert then(http, street.url, version=now["version"]) == now
    assert {*ids(then(http, street.url, version=1))} <= {*ids(now)}
    created = sum(row["created"]["shapes"] for row in history(http, street.url, page_size="all"))
    assert created == len(drawn) + 1


def test_a_task_goes_back_as_a_whole(street: Street, http: httpx.Client) -> None:
    put(http, street.task_url, shapes=[street.box(n) for n in range(6)])
    before = stored(http, street.task_url)
    (row,) = history(http, street.task_url)
    assert (row["created"]["shapes"], row["job_ids"]) == (8, sorted([street.first.id, street.last.id]))
    time = datetime.now(UTC).isoformat()
    patch(http, street.url, "update", shapes=[stored(http, street.url)["shapes"][0] | {"occluded": True}])
    http.delete(f"/api/jobs/{street.last.id}/annotations")
    now = stored(http, street.task_url)
    assert now != before
    for moment in ({"version": row["version"]}, {"as_of": time}):
        assert then(http, street.task_url, **moment) == before | {"version": row["version"]}
    diff = ok(http.get(f"{street.task_url}/diff", params={"from": row["version"]}))
    assert [len(diff[part]["shapes"]) for part in ("created", "updated", "deleted")] == [0, 1, 4]
    done = restore(http, street.task_url, as_of=time)
    assert (done["created"]["shapes"], done["updated"]["shapes"]) == (4, 1)
    assert stored(http, street.task_url) == before
    newest = history(http, street.task_url)[0]
    assert (newest["version"], newest["job_ids"], newest["created"]["shapes"]) == (done["version"], row["job_ids"], 4)
    assert restore(http, street.task_url, version=row["version"])["message"].endswith("nothing was recorded.")
    assert then(http, street.task_url, version=done["version"])["shapes"] == before["shapes"]


def test_objects_of_a_deleted_label_wait_for_it(street: Street, http: httpx.Client) -> None:
    nose, tail = street.dog.sublabels
    parts = [{"type": "points", "frame": 1, "label_id": part.id, "points": [1, 2]} for part in (nose, tail)]
    dog = {"type": "skeleton", "frame": 1, "label_id": street.dog.id, "points": [], "elements": parts}
    found = put(http, street.url, shapes=[street.box(0), dog])
    assert http.delete(f"/api/labels/{street.dog.id}").status_code == 204
    time = datetime.now(UTC).isoformat()
    assert [len(then(http, street.url, **moment)["shapes"]) for moment in ({"version": 1}, {"as_of": time})] == [2, 1]
    http.delete(street.url)
    done = restore(http, street.url, version=1)
    assert (done["created"]["shapes"], done["skipped"], "label is gone" in done["message"]) == (1, 1, True)
    assert ids(stored(http, street.url)) == ids(found)[:1]
    ok(http.post("/api/log/restore", json={"stream": f"label-{street.dog.id}"}))
    assert restore(http, street.url, version=1)["skipped"] == 0
    assert by_id(stored(http, street.url)) == by_id(found)


def test_refusals(street: Street, server: Server, http: httpx.Client) -> None:
    put(http, street.url, shapes=[street.box(0)])
    put(http, street.task_url, shapes=[street.box(0)])
    last = history(http, street.task_url)[0]["version"]
    name = f"The annotations of job {street.first.id} have no version 9: their history lists those"
    assert refusal(http.get(street.url, params={"version": 9})) == (404, {"detail": name})
    assert refusal(http.post(f"{street.url}/restore", json={"version": 9})) == (404, {"detail": name})
    for position in (1, last + 1):
        assert http.get(street.task_url, params={"version": position}).status_code == 404
    assert http.get(f"{street.url}/diff", params={"from": 0, "to": 9}).status_code == 404
    for query in (
        "version=-1",
        "version=x",
        "as_of=yesterday",
        "version=1&as_of=2026-11-21",
        "as_of=0001-01-01T00:00%2B14",
    ):
        assert http.get(f"{street.url}?{query}").status_code == 400, query
    for body in ({}, {"version": -1}, {"version": "x"}, {"as_of": "soon"}, {"version": 1, "as_of": "2026-11-21"}):
        assert http.post(f"{street.url}/restore", json=body).status_code == 400, body
    assert refusal(http.get(f"{street.url}/diff")) == (400, {"from": ["This field is required."]})
    server.add_user(BOB)
    stranger = server.http(BOB)
    for path in ("", "/history", "/history/shape/1", "/diff?from=0"):
        assert stranger.get(street.url + path).status_code == 403
        assert http.get(f"/api/jobs/999/annotations{path or '?version=1'}").status_code == 404
    for url in (street.url, street.task_url):
        assert stranger.post(f"{url}/restore", json={"version": 0}).status_code == 403
    assert http.post("/api/jobs/999/annotations/restore", json={"version": 0}).status_code == 404
    assert len(stored(http, street.url)["shapes"]) == 1


def test_half_a_save_is_no_version(street: Street, http: httpx.Client) -> None:
    found = put(http, street.url, shapes=[street.box(n % 4) for n in range(6_000)])
    answer = http.get(street.url, params={"version": 1})
    assert refusal(answer) == (400, {"version": ["1 is in the middle of one save: take a version of the history"]})
    (row,) = history(http, street.url)
    assert (row["version"], row["created"]["shapes"]) == (2, 6_000)
    http.delete(street.url)
    restore(http, street.url, version=2)
    assert by_id(stored(http, street.url)) == by_id(found)
    assert document() | {"version": 0} == then(http, street.url, version=0)
