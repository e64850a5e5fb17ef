"""How a task gets its data."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from domain.data import Data, Prepared, creation_id, unique_names
from domain.errors import Invalid, NotFound, RequestInProgress
from domain.events.data import MAX_FRAMES, FilesReceived, FramesAdded, JobsSplit, ReceivedFile, UploadStarted
from domain.events.job import JobCreated
from domain.events.request import RequestFailed, RequestQueued, RequestStarted
from domain.events.task import TaskDeleted
from domain.splitting import Segment, Split

from . import given
from .given import ANN
from .memory_log import MemoryLog

CREATION = "action=create&target=task&target_id=7"


@pytest.fixture
def data(log: MemoryLog) -> Data:
    """Task 7 waits for its data."""
    log.given(given.user(), given.task(7))
    return Data(log)


@hypothesis_given(
    names=st.lists(st.sampled_from(["a", "a_1", "a.jpg", "a_1.jpg", "a_2.jpg", ".a", "b.tar.gz"]), max_size=8),
    taken=st.frozensets(st.sampled_from(["a.jpg", "a_1.jpg", "a"])),
)
def test_files_of_one_name_are_told_apart(names: list[str], taken: frozenset[str]) -> None:
    files = [given.file(name, sha256=str(number)) for number, name in enumerate(names)]
    told_apart = unique_names(files, taken)
    assert [file["sha256"] for file in told_apart] == [file["sha256"] for file in files]
    result = [file["name"] for file in told_apart]
    assert len({*result, *taken}) == len(result) + len(taken)
    for number, name in enumerate(names):
        if name not in (*taken, *result[:number]):
            assert result[number] == name


def test_repeated_names_are_numbered_as_cvat_does() -> None:
    files = [given.file("a.jpg"), given.file("a.jpg"), given.file("a.jpg"), given.file("b"), given.file("b")]
    assert [file["name"] for file in unique_names(files, frozenset())] == ["a.jpg", "a_1.jpg", "a_2.jpg", "b", "b_1"]


def test_files_come_in_and_a_request_is_queued(log: MemoryLog, data: Data) -> None:
    data.start_upload(ANN, 7)
    data.receive(ANN, 7, [given.file("a.jpg"), given.file("b.jpg")])
    data.receive(ANN, 7, [given.file("a.jpg")])
    assert data.submit(ANN, 7, {"image_quality": 70}, []) == CREATION == creation_id(7)
    assert log.then == [
        FilesReceived(7, [given.file("a.jpg"), given.file("b.jpg")]),
        FilesReceived(7, [given.file("a_1.jpg")]),
        RequestQueued(CREATION, "import", "create", "task", "", 1, "ann", None, 7, None, {"image_quality": 70}),
    ]
    assert [file["name"] for file in data.received(7)] == ["a.jpg", "b.jpg", "a_1.jpg"]


def test_files_may_come_with_the_last_call(log: MemoryLog, data: Data) -> None:
    data.receive(ANN, 7, [given.file("a.jpg")])
    data.submit(ANN, 7, {}, [given.file("a.jpg")])
    assert log.then[1] == FilesReceived(7, [given.file("a_1.jpg")])
    assert isinstance(log.then[2], RequestQueued)
    assert log.events[-1].meta is log.events[-2].meta


def test_no_files_are_no_event(log: MemoryLog, data: Data) -> None:
    data.receive(ANN, 7, [])
    data.start_upload(ANN, 7)
    assert log.then == []


def test_a_new_upload_sets_aside_what_the_last_one_sent(log: MemoryLog, data: Data) -> None:
    data.receive(ANN, 7, [given.file("a.jpg")])
    data.start_upload(ANN, 7)
    data.receive(ANN, 7, [given.file("a.jpg")])
    assert log.then[1:] == [UploadStarted(7), FilesReceived(7, [given.file("a.jpg")])]
    assert data.received(7) == [given.file("a.jpg")]


def test_files_that_come_at_the_same_time_are_told_apart_too(log: MemoryLog, data: Data) -> None:
    log.meanwhile(lambda: data.receive(ANN, 7, [given.file("a.jpg", "first")]))
    data.receive(ANN, 7, [given.file("a.jpg", "second")])
    assert data.received(7) == [given.file("a.jpg", "first"), given.file("a_1.jpg", "second")]


def test_files_that_come_while_the_request_is_queued_are_counted_or_refused(log: MemoryLog, data: Data) -> None:
    """Not recorded after it, where nobody would look at them."""
    log.meanwhile(lambda: data.receive(ANN, 7, [given.file("b.jpg")]))
    data.submit(ANN, 7, {}, [])
    assert [type(body) for body in log.then] == [FilesReceived, RequestQueued]
    with pytest.raises(RequestInProgress):
        data.receive(ANN, 7, [given.file("c.jpg")])


@pytest.mark.parametrize("progress", [[], [RequestStarted(CREATION, "agent", 1)]])
def test_a_task_whose_data_is_being_made_takes_no_other(
    log: MemoryLog, data: Data, progress: list[RequestStarted]
) -> None:
    log.given(given.queued(CREATION), *progress)
    for command in (
        lambda: data.start_upload(ANN, 7),
        lambda: data.receive(ANN, 7, [given.file("a.jpg")]),
        lambda: data.submit(ANN, 7, {}, []),
    ):
        with pytest.raises(RequestInProgress) as refusal:
            command()
        assert refusal.value.request_id == CREATION
    assert log.then == []


def test_of_two_submits_one_is_told_that_the_other_is_in_progress(log: MemoryLog, data: Data) -> None:
    log.meanwhile(lambda: data.submit(ANN, 7, {}, []))
    with pytest.raises(RequestInProgress):
        data.submit(ANN, 7, {}, [given.file("a.jpg")])
    assert [type(body) for body in log.then] == [RequestQueued]


def test_a_task_can_be_given_data_again_after_a_failure(log: MemoryLog, data: Data) -> None:
    data.receive(ANN, 7, [given.file("damaged.jpg")])
    data.submit(ANN, 7, {}, [])
    log.given(RequestStarted(CREATION, "agent", 1), RequestFailed(CREATION, 7, "damaged.jpg cannot be read"))
    data.start_upload(ANN, 7)
    data.receive(ANN, 7, [given.file("whole.jpg")])
    assert data.submit(ANN, 7, {}, []) == CREATION
    assert data.received(7) == [given.file("whole.jpg")]


def test_a_task_with_data_takes_no_more(log: MemoryLog, data: Data) -> None:
    log.given(given.uploaded(7))
    for command in (
        lambda: data.check_open(7),
        lambda: data.start_upload(ANN, 7),
        lambda: data.receive(ANN, 7, [given.file("a.jpg")]),
        lambda: data.submit(ANN, 7, {}, []),
    ):
        with pytest.raises(Invalid):
            command()
    assert log.then == []


def test_a_deleted_task_takes_none(log: MemoryLog, data: Data) -> None:
    log.given(TaskDeleted(7, None, "cats", [], []))
    for command in (lambda: data.check_open(7), lambda: data.submit(ANN, 7, {}, []), lambda: data.task(7)):
        with pytest.raises(NotFound):
            command()
    assert log.then == []


def test_a_request_of_a_task_in_a_project_knows_the_project(log: MemoryLog) -> None:
    log.given(given.project(3), given.task(7, project_id=3))
    Data(log).submit(ANN, 7, {}, [])
    assert isinstance(log.then[0], RequestQueued)
    assert log.then[0].project_id == 3


def prepared(frames: int, *segments: tuple[int, int]) -> Prepared:
    split = Split(segment_size=4, overlap=1, segments=tuple(Segment(*segment) for segment in segments))
    return Prepared(given.uploaded(7, frames), split, [given.frame(f"{number}.jpg") for number in range(frames)])


def test_frames_and_jobs_follow_the_data(log: MemoryLog, data: Data) -> None:
    bodies = data.prepared(data.task(7), prepared(6, (0, 3), (3, 5)))
    settled = {"mode": "annotation", "dimension": "2d", "segment_size": 4, "overlap": 1}
    asked = {"mode": "", "dimension": "", "segment_size": 0, "overlap": None}
    changes = {field: {"from": asked[field], "to": settled[field]} for field in settled}
    assert bodies == [
        replace(given.uploaded(7, 6), changes=changes),
        FramesAdded(7, 0, [given.frame(f"{number}.jpg") for number in range(6)]),
        JobsSplit(7, 4, 1, 2),
        JobCreated(1, 7, None, 1, "annotation", 0, 3, None, "annotation", "new", None),
        JobCreated(2, 7, None, 2, "annotation", 3, 5, None, "annotation", "new", None),
    ]


@pytest.mark.parametrize(("count", "sizes"), [(MAX_FRAMES, [MAX_FRAMES]), (MAX_FRAMES + 1, [MAX_FRAMES, 1])])
def test_many_frames_are_several_events(data: Data, count: int, sizes: list[int]) -> None:
    runs = [body for body in data.prepared(data.task(7), prepared(count, (0, count - 1))) if type(body) is FramesAdded]
    assert [len(run.frames) for run in runs] == sizes
    assert [run.first for run in runs] == [0, MAX_FRAMES][: len(runs)]
    names = [frame["name"] for run in runs for frame in run.frames]
    assert names == [f"{number}.jpg" for number in range(count)]


def test_a_received_file_is_kept_whole() -> None:
    assert unique_names([ReceivedFile(name="a", sha256="ab", size=10)], frozenset()) == [given.file("a")]
