"""The tasks that the head of annotations.xml tells of. One subset's tasks become one, their frames behind each other:
that is where tracks, which only have numbers of frames, find theirs again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from domain.errors import MediaError
from infra.formats.model import DEFAULT_SUBSET, folder_of, step_of

MAX_TEXT = 16 * 1024 * 1024
"""Characters of all fields: a frame that was left out takes some."""

TASK, OF_PROJECT = ("meta", "task"), ("meta", "project", "tasks", "task")
_WAY = {path[:length] for path in (TASK, OF_PROJECT) for length in range(1, len(path) + 1)}
_FIELDS = frozenset(("id", "size", "subset", "start_frame", "frame_filter", "left_out"))
_OF_TASK = 64  # characters that each task counts for beside its text


@dataclass(frozen=True, slots=True)
class ToldTask:
    """`first`: how many exported frames the earlier tasks of its subset have; `size`: how many it has itself, with
    those `left_out`. `start` and `left_out`, ascending, count the frames of its source.
    """

    subset: str
    first: int
    size: int
    start: int
    step: int
    left_out: tuple[int, ...]

    @property
    def end(self) -> int:
        """The frame of the new task with which the next one of the subset begins."""
        return self.first + self.size - len(self.left_out)

    def frame(self, source: int) -> int | None:
        """Of the new task. None: it was not exported."""
        number, between = divmod(source - self.start, self.step)
        before = bisect_left(self.left_out, source)
        if between or not 0 <= number < self.size or self.left_out[before : before + 1] == (source,):
            return None
        return self.first + number - before


class Head:
    """Reads along: it is told of elements, and keeps what they say of tasks. Most files can be read without that, so it
    must make sense only where it is asked for. `fault`: makes the error to raise.
    """

    def __init__(self, fault: Callable[[str], MediaError]) -> None:
        self._fault = fault
        self._path: tuple[str, ...] = ()
        self._field: list[str] | None = None
        self._fields: dict[str, list[str]] = {}
        self._found: list[dict[str, str]] = []
        self._of_project = False
        self._room = MAX_TEXT

    def begin(self, name: str, depth: int) -> bool:
        """Whether what is in the element matters."""
        if depth != len(self._path) + 2:
            return False
        path = (*self._path, name)
        if self._path in (TASK, OF_PROJECT) and name in _FIELDS:
            self._field = self._fields[name] = []
        elif path not in _WAY:
            return False
        self._path = path
        return True

    def text(self, text: str) -> None:
        if self._field is not None:
            self._spend(len(text))
            self._field.append(text)

    def end(self) -> None:
        """Of an element that matters."""
        if self._path in (TASK, OF_PROJECT):
            self._spend(_OF_TASK)
            self._found.append({name: "".join(texts) for name, texts in self._fields.items()})
            self._fields = {}
            self._of_project = self._path == OF_PROJECT
        self._field = None
        self._path = self._path[:-1]

    @property
    def counts(self) -> Mapping[str, int]:
        """Subset → how many of its frames were exported. Raises MediaError."""
        return {task.subset: task.end for task in self._tasks.values()}

    def folders(self, subset: str) -> Sequence[str]:
        """In which, one in the other, the images of a subset are: only a project's are apart."""
        return (subset,) if self._of_project else ()

    def task(self, task_id: str | None) -> ToldTask | None:
        """The one that a track belongs to; None when none is told of. Raises MediaError."""
        if not self._found:
            return None
        if task_id is None and not self._of_project:
            return next(iter(self._tasks.values()))
        found = self._tasks.get(task_id or "")
        if found is None:
            raise self._fault(f"<track> is of the task {task_id}, of which <meta> does not tell")
        return found

    @cached_property
    def _tasks(self) -> Mapping[str, ToldTask]:
        """By id."""
        tasks: dict[str, ToldTask] = {}
        ends: dict[str, int] = {}
        for told in self._found:
            task_id, task = self._task(told, ends)
            if task_id in tasks or (tasks and not self._of_project):
                raise self._fault(f"<meta> tells of the task {task_id} beside another that it could be")
            tasks[task_id], ends[task.subset] = task, task.end
        return tasks

    def _task(self, told: Mapping[str, str], ends: Mapping[str, int]) -> tuple[str, ToldTask]:
        subset = folder_of(told.get("subset", "")) if self._of_project else DEFAULT_SUBSET
        try:
            start, step = int(told["start_frame"]), step_of(told["frame_filter"])
            left_out = tuple(sorted(set(map(int, told.get("left_out", "").split()))))
            task = ToldTask(subset, ends.get(subset, 0), int(told["size"]), start, step, left_out)
            if task.end < task.first:
                raise ValueError
            return told["id"], task
        except KeyError as error:
            raise self._fault(f"a <task> has no <{error.args[0]}>") from None
        except ValueError:
            raise self._fault("a <task> has a number that is none") from None

    def _spend(self, characters: int) -> None:
        self._room -= characters
        if self._room < 0:
            raise self._fault(f"<meta> tells more than {MAX_TEXT >> 20} MiB of its tasks")
