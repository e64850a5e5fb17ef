"""What decisions ask, what clients read of annotations, and the queries by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import orjson
import pytest

from cli.bootstrap import System, connect
from domain.annotation.visibility import Shown
from domain.errors import Forbidden, Invalid, NotFound
from domain.events.annotations import MAX_OBJECTS
from domain.events.data import FramesAdded, FramesDeleted, JobsSplit
from domain.events.job import JobAssigned, JobDeleted
from domain.events.label import LabelChanged, LabelDeleted, LabelSpec
from domain.events.task import TaskDeleted
from domain.events.validation import Honeypot, HoneypotsPlaced, ValidationFramesDisabled, ValidationSetUp
from domain.issue import NewIssue
from domain.ports import Held, JobPlace, Standing, Validation
from domain.splitting import Segment
from domain.validation.selection import Selectable
from projections.annotation_documents import of_job, of_task
from projections.lookup import MAX_TRACKS
from projections.named_queries import queries

from ..unit.domain import given
from ..unit.domain.given import rectangle
from ..unit.domain.memory_users import NaiveUsers
from .histories import ME

QUERIES = files("projections.queries")
NOUNS = sorted(entry.name.removesuffix(".sql") for entry in QUERIES.iterdir() if entry.name.endswith(".sql"))


@pytest.fixture
def office(system: System) -> System:
    """Task 7 with jobs 5 (frames 0..9) and 6 (frames 8..19), and a job 9 of type ground_truth."""
    jobs = [given.job(5, frames=(0, 9)), given.job(6, frames=(8, 19)), given.job(9, type="ground_truth")]
    system.app.record(ME, [given.user(1, "ann"), given.task(7), given.labels(), *jobs])
    return system


def test_a_place_says_where_a_job_stands(office: System) -> None:
    place = office.app.lookup.job_place(6)
    assert (place.job_id, place.task_id, place.project_id, place.start_frame, place.stop_frame) == (6, 7, None, 8, 19)
    assert {label.name for label in place.labels.by_id.values()} == {"cat"}
    with pytest.raises(NotFound):
        office.app.lookup.job_place(99)


def test_only_jobs_of_type_annotation_take_part_in_their_task(office: System) -> None:
    assert [place.job_id for place in office.app.lookup.task_places(7)] == [5, 6]
    assert office.app.lookup.task_places(8) == []


@pytest.fixture
def pool(system: System) -> System:
    """Task 8 with job 10 (frames 0..2), its replica 11, and the pool of frames 3 and 4 in job 12: frame 1 shows 4."""
    frames = [given.frame(name) for name in ("a.jpg", "c.jpg", "b.jpg", "d.jpg", "c.jpg")]
    system.app.record(
        ME,
        [
            given.user(1, "ann"), given.task(8), given.uploaded(8, 5), FramesAdded(8, 0, frames), JobsSplit(8, 0, 0, 2),
            given.job(10, 8, frames=(0, 2)), given.job(11, 8, frames=(0, 2), type="replica", parent_job_id=10),
            given.job(12, 8, frames=(0, 4), type="ground_truth"), ValidationSetUp(8, None, 12, "gt_pool", [3, 4], 1),
            HoneypotsPlaced(8, None, [Honeypot(frame=1, real_frame=4, picture=frames[4])]),
            ValidationFramesDisabled(8, None, [3]),
        ],
    )  # fmt: skip
    return system


def test_a_pool_takes_part_in_its_task_with_its_own_frames(pool: System) -> None:
    places = [(place.job_id, place.start_frame, place.stop_frame) for place in pool.app.lookup.task_places(8)]
    assert places == [(10, 0, 2), (12, 3, 4)]


def test_how_work_is_checked(pool: System) -> None:
    versions = {"validation-8": 3, "job-12": 1}
    assert pool.app.lookup.validation(8) == Validation(12, "gt_pool", [3, 4], frozenset({3}), {1: 4}, versions)
    pool.app.record(ME, [JobDeleted(12, 8, None, "annotation", "new")])
    assert pool.app.lookup.validation(8) == Validation(versions={"validation-8": 3, "job-12": 2})
    assert pool.app.lookup.validation(99) == Validation()


def test_what_ground_truth_is_picked_from(pool: System) -> None:
    pool.app.record(ME, [FramesDeleted(8, None, None, [2], [2])])
    assert pool.app.lookup.selectable(8) == Selectable(5, 0, 0, [Segment(0, 2)], frozenset({2}))
    assert pool.app.lookup.selectable(99) is None
    assert pool.app.lookup.pictures(8, [4, 2]) == {4: given.frame("c.jpg"), 2: given.frame("b.jpg")}


def test_a_honeypot_shows_another_frame(pool: System) -> None:
    pool.app.record(ME, [HoneypotsPlaced(8, None, [Honeypot(frame=1, real_frame=3, picture=given.frame("d.jpg"))])])
    assert pool.app.lookup.pictures(8, [1]) == {1: given.frame("d.jpg")}
    assert pool.app.lookup.validation(8).honeypots == {1: 3}


def test_the_labels_of_a_project_apply_in_its_tasks(office: System) -> None:
    labels = given.labels(given.label(50, "lark"), project_id=3)
    office.app.record(ME, [given.project(3), labels, given.task(8, project_id=3), given.job(50, 8, project_id=3)])
    place = office.app.lookup.job_place(50)
    assert (place.project_id, list(place.labels.by_id)) == (3, [50])


def test_a_change_of_labels_is_seen_at_once(office: System) -> None:
    def names() -> set[str]:
        return {label.name for label in office.app.lookup.job_place(5, fresh=True).labels.by_id.values()}

    assert names() == {"cat"}
    head = LabelSpec(id=61, name="head", color="#000000", type="points", attributes=[])
    lynx = LabelSpec(id=1, name="lynx", color="#000000", type="skeleton", attributes=[], sublabels=[head], svg="")
    office.app.record(ME, [LabelChanged(None, 7, lynx, {})])
    assert names() == {"lynx", "head"}
    assert office.app.lookup.job_place(5, fresh=True).labels.by_id[1].sublabels == {61}
    lynx = LabelSpec(id=1, name="lynx", color="#000000", type="any", attributes=[])
    office.app.record(ME, [LabelChanged(None, 7, lynx, {})])
    assert names() == {"lynx"}
    office.app.record(ME, [LabelDeleted(None, 7, 1, "lynx", []), given.labels(given.label(62, "dog"))])
    assert names() == {"dog"}


@pytest.fixture
def elsewhere(office: System) -> Iterator[System]:
    """Another process on the same database, which remembers job 5 as it was."""
    other = connect(office.database.url, 2)
    assert other.app.lookup.job_place(5).labels.by_id.keys() == {1}
    yield other
    other.close()


def test_what_others_have_changed_meanwhile_counts_also_where_a_job_is_remembered(
    office: System, elsewhere: System
) -> None:
    office.app.record(ME, [given.labels(given.label(62, "dog"))])
    drawn = elsewhere.app.annotations.create(ME, 5, {"shapes": [rectangle(1, label_id=62)]})
    assert [shape["label_id"] for shape in drawn["shapes"]] == [62]
    office.app.record(ME, [LabelDeleted(None, 7, 62, "dog", [])])
    with pytest.raises(Invalid):
        elsewhere.app.annotations.create(ME, 5, {"shapes": [rectangle(1, label_id=62)]})


def test_nothing_is_drawn_in_a_job_that_was_deleted_meanwhile(office: System, elsewhere: System) -> None:
    office.app.record(ME, [TaskDeleted(7, None, "gone", [5, 6], [])])
    with pytest.raises(NotFound):
        elsewhere.app.annotations.create(ME, 5, {"shapes": [rectangle(1)]})
    assert office.database.query("SELECT 1 FROM annotation_objects WHERE job_id = 5") == []


def test_who_lost_a_job_meanwhile_draws_in_it_no_more(office: System, elsewhere: System) -> None:
    def permit(place: JobPlace) -> None:
        if place.assignee_id is not None:
            raise Forbidden

    elsewhere.app.annotations.create(ME, 5, {"shapes": [rectangle(1)]}, permit=permit)
    office.app.record(ME, [given.user(77, "eve"), JobAssigned(5, 7, None, 77, "eve", None)])
    with pytest.raises(Forbidden):
        elsewhere.app.annotations.create(ME, 5, {"shapes": [rectangle(1)]}, permit=permit)


def test_objects_are_found_where_they_stand(office: System) -> None:
    shapes = office.app.annotations.create(ME, 5, {"shapes": [rectangle(1)]})["shapes"]
    tags = office.app.annotations.create(ME, 6, {"tags": [{"frame": 9, "label_id": 1}] * 2})["tags"]
    ids = [item["id"] for item in [*shapes, *tags]]
    shape, *other = ids
    lookup = office.app.lookup
    elsewhere, here = dict.fromkeys(other, Standing(0, "")), dict.fromkeys(other, Standing(6, ""))
    assert lookup.standing("shapes", [*ids, 10**9]) == {shape: Standing(5, "rectangle"), **elsewhere}
    assert lookup.standing("tags", ids) == {shape: Standing(0, "rectangle"), **here}
    assert lookup.held([6, 9]) == {6: {"tags": {"": Held(2, other)}}, 9: {}}
    assert lookup.held([]) == {}
    office.app.record(ME, [TaskDeleted(7, None, "cats", [5, 6, 9], [])])
    assert lookup.standing("shapes", [shape]) == {shape: Standing(5, "rectangle")}, (
        "it may come back: its id is not free"
    )


def tracks(office: System, job_id: int, *frames: int, number: int = 1) -> list[dict[str, Any]]:
    """As many, each with keyframes at these frames."""
    keyframes = [{"type": "rectangle", "frame": frame, "points": [0, 0, 1, 1]} for frame in frames]
    track = {"frame": frames[0], "label_id": 1, "shapes": keyframes}
    drawn: list[dict[str, Any]] = office.app.annotations.create(ME, job_id, {"tracks": [track] * number})["tracks"]
    return drawn


def test_of_a_track_it_is_known_what_shows(office: System) -> None:
    (track,), lookup = tracks(office, 5, 1, 3), office.app.lookup
    track_id, keyframes = track["id"], [keyframe["id"] for keyframe in track["shapes"]]
    assert lookup.standing("tracks", [track_id]) == {track_id: Standing(5, "rectangle", Shown(9, keyframes))}
    assert lookup.standing("shapes", [track_id]) == {track_id: Standing(0, "rectangle")}
    office.app.record(ME, [TaskDeleted(7, None, "cats", [5, 6, 9], [])])
    assert lookup.standing("tracks", [track_id]) == {track_id: Standing(5, "rectangle")}


def test_so_it_is_of_more_tracks_than_are_read_at_once(office: System) -> None:
    drawn = tracks(office, 6, 9, number=MAX_TRACKS + 1)
    found = office.app.lookup.standing("tracks", [track["id"] for track in drawn])
    assert {track["id"]: Shown(11, [track["shapes"][0]["id"]]) for track in drawn} == {
        track_id: standing.track for track_id, standing in found.items()
    }


def test_very_many_objects_are_only_counted(office: System) -> None:
    office.app.annotations.create(ME, 5, {"tags": [{"frame": 1, "label_id": 1}] * (MAX_OBJECTS + 1)})
    assert office.app.lookup.held([5]) == {5: {"tags": {"": Held(MAX_OBJECTS + 1, None)}}}


def test_issues_are_known_with_what_was_said_last(office: System) -> None:
    first, second, elsewhere = (
        office.app.issues.open(ME, NewIssue(job_id, 1, [1.0, 2.0], "A cat?")) for job_id in (5, 6, 9)
    )
    reply = office.app.issues.comment(ME, first, "A dog.")
    office.app.issues.edit_comment(ME, first, reply, "A lynx.")
    lookup = office.app.lookup
    found = lookup.issues_in([5, 6])
    assert [(issue["id"], issue["job_id"]) for issue in found] == [(first, 5), (second, 6)]
    assert [[comment["message"] for comment in issue["comments"]] for issue in found] == [
        ["A cat?", "A lynx."],
        ["A cat?"],
    ]
    assert [issue["id"] for issue in lookup.issues_in([9])] == [elsewhere]
    assert lookup.issues_in([]) == []


def test_people_are_known_by_name(office: System) -> None:
    lookup = office.app.lookup
    assert (lookup.username(1), lookup.username(2)) == ("ann", None)
    assert [lookup.username_taken(name) for name in ("ann", "ANN", "an", "")] == [True, True, False, False]


def test_users_are_known_as_they_stand(office: System) -> None:
    """As a naive fold of the whole log knows them, after everything that can happen to one."""
    lookup, users = office.app.lookup, office.app.users
    office.app.record(ME, [given.user(2, "bob"), given.user(3, "cy"), given.user(4, "dora")])
    users.update(ME, 2, profile={"email": "Bob@example.org", "username": "Robert"}, role="admin")
    users.update(ME, 3, role="admin", is_active=False)
    users.delete(ME, 4)
    kept, closed = users.log_in(ME, 2), users.log_in(ME, 2)
    users.log_out(ME, 2, closed.login_id)
    office.app.access_tokens.create(ME, 2, "import")
    naive = NaiveUsers(list(office.app.recorded(1, 100)))
    for user_id in (1, 2, 3):
        assert lookup.account(user_id) == naive.account(user_id)
        assert lookup.other_active_admin(user_id) == naive.other_active_admin(user_id)
        assert lookup.access_tokens(user_id) == naive.access_tokens(user_id)
    assert (lookup.username(4), lookup.username_taken("DORA"), lookup.username_taken("robert")) == (None, False, True)
    with pytest.raises(NotFound):
        lookup.account(4)
    assert (lookup.email_taken("bob@EXAMPLE.org"), lookup.email_taken("other@example.org")) == (True, False)
    assert lookup.login(kept.login_id) == naive.login(kept.login_id)
    assert lookup.login(closed.login_id) is None


def test_a_job_reads_as_it_was_stored_in_the_order_of_the_frames(office: System) -> None:
    raw = {"shapes": [rectangle(frame, points=[0.1, -1e-7, 3, 4.0]) for frame in (3, 1, 2, 1)]}
    track = {"frame": 1, "label_id": 1, "shapes": [{"frame": 1, "type": "rectangle", "points": [1, 2, 3, 4]}]}
    stored = office.app.annotations.create(ME, 5, raw | {"tags": [{"frame": 1, "label_id": 1}], "tracks": [track]})
    read = orjson.loads(of_job(office.database.query, 5, 1))
    assert [shape["frame"] for shape in read["shapes"]] == [1, 1, 2, 3]
    for kind, items in stored.items():
        assert read[kind] == sorted(items, key=lambda item: (item["frame"], item["id"]))
    assert read["version"] == 1
    assert orjson.loads(of_job(office.database.query, 6, 0)) == {
        "version": 0,
        "tags": [],
        "shapes": [],
        "tracks": [],
        "intervals": [],
    }


def test_a_task_reads_each_object_of_an_overlap_once(office: System) -> None:
    office.app.annotations.create_in_task(ME, 7, {"shapes": [rectangle(frame) for frame in (1, 9, 15)]})
    office.app.annotations.create(ME, 9, {"shapes": [rectangle(2)]})
    read = of_task(office.database.query, 7)
    assert [shape["frame"] for shape in read["shapes"]] == [1, 9, 15]
    assert len(office.database.query("SELECT 1 FROM annotation_objects")) == 5


def test_every_query_has_a_name_a_line_that_says_what_it_answers_and_a_plan(office: System) -> None:
    nothing: Any = defaultdict(lambda: None)
    for noun in NOUNS:
        assert len(queries(noun)) == QUERIES.joinpath(f"{noun}.sql").read_text().count("-- name: ")
        for statement in queries(noun).values():
            assert statement.startswith(b"-- "), "says what it answers"
            assert office.database.query(b"EXPLAIN " + statement, nothing)
