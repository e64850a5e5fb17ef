"""The annotation documents that clients read."""

from __future__ import annotations

from typing import Any

import orjson

from domain.annotation.merge import merge
from projections.listing import Query
from projections.named_queries import queries

KINDS = ("tags", "shapes", "tracks", "intervals")


def of_job(query: Query, job_id: int, version: int) -> bytes:
    """As JSON text: the rows hold the objects in wire form, so none is parsed on the way."""
    rows = query(queries("annotations")["of_job"], {"job_id": job_id})
    kinds = {row["kind"]: row["docs"] for row in rows}
    parts = ",".join(f'"{kind}":[{kinds.get(kind, "")}]' for kind in KINDS)
    return f'{{"version":{version},{parts}}}'.encode()


def of_task(query: Query, task_id: int) -> dict[str, Any]:
    """Merged over the task's jobs of type annotation."""
    places = query(queries("lookup")["task_places"], {"task_id": task_id})
    rows = query(queries("annotations")["of_task"], {"task_id": task_id})
    documents: dict[int, dict[str, Any]] = {row["id"]: {kind: [] for kind in KINDS} for row in places}
    for row in rows:
        documents[row["job_id"]][row["kind"]] = orjson.loads(f"[{row['docs']}]")
    merged = merge([(place["start_frame"], place["stop_frame"], documents[place["id"]]) for place in places])
    return {"version": 0, **merged}
