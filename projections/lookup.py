"""The answers that decisions need (`domain.ports.Lookup`), from the inline projections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from domain.annotation.document import LabelSpecs
from domain.annotation.visibility import shown
from domain.errors import NotFound
from domain.events.access_token import NamedToken
from domain.events.annotations import MAX_OBJECTS
from domain.events.data import Frame
from domain.events.issue import GoneIssue
from domain.ports import Account, Drawn, Held, JobPlace, LabelParent, OpenLogin, Standing, Validation
from domain.saves import Saves
from domain.splitting import Segment
from domain.validation.selection import Selectable
from projections.named_queries import queries
from projections.saves import LoggedSaves

Query = Callable[..., list[dict[str, Any]]]
"""`query(statement, params) -> rows`."""

MAX_CACHED = 1_000
MAX_PLACES = 10_000
MAX_TRACKS = 500
"""That are read at once."""
_PLACE = itemgetter("job_id", "annotations_version", "stop_frame")


class ProjectionLookup:
    """Thread-safe. Label specifications are cached by the position of their last change, so they are never stale."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._sql = queries("lookup")
        self.saves: Saves = LoggedSaves(query)
        self._labels: dict[tuple[str, int], LabelSpecs] = {}
        self._places: dict[int, JobPlace] = {}

    def job_place(self, job_id: int, *, fresh: bool = False) -> JobPlace:
        """A remembered place may be out of date; whoever decides on it expects its versions, and asks afresh when they
        have moved on.
        """
        place = None if fresh else self._places.get(job_id)
        if place is None:
            rows = self._query(self._sql["job_place"], {"job_id": job_id})
            if not rows:
                raise NotFound
            place = self._place(rows[0])
            if len(self._places) >= MAX_PLACES:
                self._places.clear()
            self._places[job_id] = place
        return place

    def task_places(self, task_id: int) -> list[JobPlace]:
        return [self._place(row) for row in self._query(self._sql["task_places"], {"task_id": task_id})]

    def selectable(self, task_id: int) -> Selectable | None:
        for row in self._query(self._sql["selectable"], {"task_id": task_id}):
            segments = [Segment(*segment) for segment in row["segments"]]
            deleted = frozenset(row["deleted_frames"])
            return Selectable(row["size"], row["segment_size"], row["overlap"], segments, deleted)
        return None

    def validation(self, task_id: int) -> Validation:
        for row in self._query(self._sql["validation"], {"task_id": task_id}):
            return Validation(
                row["job_id"],
                row["mode"],
                row["frames"] or (),
                frozenset(row["disabled_frames"] or ()),
                {int(frame): real_frame for frame, real_frame in (row["honeypots"] or {}).items()},
                row["versions"],
            )
        return Validation()

    def pictures(self, task_id: int, frames: Sequence[int]) -> dict[int, Frame]:
        rows = self._query(self._sql["pictures"], {"task_id": task_id, "frames": list(frames)})
        return {
            row["number"]: Frame(
                name=row["name"], sha256=row["sha256"], size=row["size"], width=row["width"], height=row["height"]
            )
            for row in rows
        }

    def standing(self, kind: str, ids: list[int]) -> dict[int, Standing]:
        if kind == "tracks":
            return self._standing_tracks(ids)
        rows = self._query(self._sql["standing"], {"ids": ids})
        return {row["id"]: Standing(row["job_id"] if row["kind"] == kind else 0, row["type"]) for row in rows}

    def jobs_of(self, task_ids: Sequence[int]) -> dict[int, list[int]]:
        jobs: dict[int, list[int]] = {task_id: [] for task_id in task_ids}
        for row in self._query(self._sql["jobs_of"], {"task_ids": list(task_ids)}):
            jobs[row["task_id"]].append(row["id"])
        return jobs

    def tasks_in(self, project_id: int) -> list[int]:
        return [row["id"] for row in self._query(self._sql["tasks_in"], {"project_id": project_id})]

    def issues_in(self, job_ids: Sequence[int]) -> list[GoneIssue]:
        rows = self._query(self._sql["issues_in"], {"job_ids": list(job_ids)})
        return [GoneIssue(id=row["id"], job_id=row["job_id"], comments=row["comments"]) for row in rows]

    def held(self, job_ids: Sequence[int]) -> dict[int, dict[str, dict[str, Held]]]:
        held: dict[int, dict[str, dict[str, Held]]] = {job_id: {} for job_id in job_ids}
        for row in self._query(self._sql["held"], {"job_ids": list(job_ids), "max_objects": MAX_OBJECTS}):
            held[row["job_id"]].setdefault(row["kind"], {})[row["type"]] = Held(row["count"], row["ids"])
        return held

    def drawn(self, task_id: int) -> Iterator[Drawn]:
        rows = self._query(self._sql["drawn"], {"task_id": task_id})
        for (job_id, version, stop_frame), kinds in groupby(rows, key=_PLACE):
            document = {row["kind"]: orjson.loads(f"[{row['docs']}]") for row in kinds if row["kind"] is not None}
            yield Drawn(job_id, task_id, version, stop_frame, document)

    def label_parent(self, label_id: int) -> LabelParent:
        rows = self._query(self._sql["label_parent"], {"label_id": label_id})
        if not rows:
            raise NotFound
        return LabelParent(rows[0]["project_id"], rows[0]["task_id"])

    def username(self, user_id: int) -> str | None:
        rows = self._query(self._sql["username"], {"user_id": user_id})
        return rows[0]["username"] if rows else None

    def username_taken(self, username: str) -> bool:
        return bool(self._query(self._sql["username_taken"], {"username": username}))

    def email_taken(self, email: str) -> bool:
        return bool(self._query(self._sql["email_taken"], {"email": email}))

    def account(self, user_id: int) -> Account:
        rows = self._query(self._sql["account"], {"user_id": user_id})
        if not rows:
            raise NotFound
        return Account(**rows[0])

    def other_active_admin(self, user_id: int) -> dict[str, int]:
        rows = self._query(self._sql["other_active_admin"], {"user_id": user_id})
        return {row["stream"]: row["version"] for row in rows}

    def login(self, login_id: int) -> OpenLogin | None:
        rows = self._query(self._sql["login"], {"login_id": login_id})
        return OpenLogin(**rows[0]) if rows else None

    def access_tokens(self, user_id: int) -> list[NamedToken]:
        rows = self._query(self._sql["access_tokens"], {"user_id": user_id})
        return [NamedToken(id=row["id"], name=row["name"]) for row in rows]

    def _standing_tracks(self, ids: list[int]) -> dict[int, Standing]:
        """Some at a time: they may be long, and only a few numbers of each are kept."""
        standing: dict[int, Standing] = {}
        for start in range(0, len(ids), MAX_TRACKS):
            for row in self._query(self._sql["standing_tracks"], {"ids": ids[start : start + MAX_TRACKS]}):
                is_track, stop_frame = row["track"] is not None, row["stop_frame"]
                seen = shown(orjson.loads(row["track"]), stop_frame) if is_track and stop_frame is not None else None
                standing[row["id"]] = Standing(row["job_id"] if is_track else 0, row["type"], seen)
        return standing

    def _place(self, row: dict[str, Any]) -> JobPlace:
        labels = self._label_specs(row["label_stream"], row["label_position"])
        return JobPlace(
            row["id"],
            row["task_id"],
            row["project_id"],
            row["start_frame"],
            row["stop_frame"],
            labels,
            row["assignee_id"],
            frozenset(row["staff"]) - {None},
            row["type"],
            row["stage"],
            row["state"],
            _versions(row),
        )

    def _label_specs(self, stream: str | None, position: int) -> LabelSpecs:
        if stream is None:
            return LabelSpecs.from_rows([])
        specs = self._labels.get((stream, position))
        if specs is None:
            specs = LabelSpecs.from_rows(self._query(self._sql["labels"], {"stream": stream}))
            if len(self._labels) >= MAX_CACHED:
                self._labels.clear()
            self._labels[stream, position] = specs
        return specs


def _versions(row: dict[str, Any]) -> dict[str, int]:
    ids = {"job": row["id"], "task": row["task_id"], "project": row["project_id"]}
    versions = {noun: row[f"{noun}_version"] for noun in ids}
    return {f"{noun}-{ids[noun]}": version for noun, version in versions.items() if version is not None}
