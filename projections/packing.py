"""Annotation objects by the bucket: one row holds the objects of a job and kind whose ids stand close together.

A submit of ten rectangles is then one row or two instead of ten, with as many fewer index entries and statements'
work. Which bucket an object is in follows from its id alone, so an update finds it without an index of objects. A row
is always written whole and in the order of the ids: whatever the batches were, the same events leave the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache

import orjson

from projections.statements import Executor, Row, as_json

BUCKET_BITS = 5
"""32 ids: rectangles and small polygons of a full bucket fill one page of PostgreSQL."""

PRIMARY_KEY = ("bucket", "job_id", "kind")


def insert(cursor: Executor, table: str, rows: Sequence[Row]) -> None:
    """Objects with new ids, and such as take the place of one with the same id, job and kind. A row: id, job_id, kind,
    frame, type, label_id, doc.
    """
    buckets: dict[tuple[int, int, str], list[Row]] = {}
    for row in rows:
        buckets.setdefault((row["id"] >> BUCKET_BITS, row["job_id"], row["kind"]), []).append(row)
    heads, docs = [], []
    for (bucket, job_id, kind), objects in buckets.items():
        if len(objects) > 1:
            objects.sort(key=_id)
        heads.append(
            {
                "bucket": bucket,
                "job_id": job_id,
                "kind": kind,
                "ids": [row["id"] for row in objects],
                "frames": [row["frame"] for row in objects],
                "types": [row["type"] for row in objects],
                "label_ids": [row["label_id"] for row in objects],
            }
        )
        docs.append(b"\n".join([orjson.dumps(row["doc"]) for row in objects]).decode())
    cursor.execute(_insert(table), (as_json(heads), docs))


def remove(cursor: Executor, table: str, ids: Collection[int], returning: Mapping[tuple[int], Row]) -> None:
    """Takes objects out, wherever they stand. `returning`: rows that are inserted next; where one takes the place of an
    object in its own bucket, the insert itself does that.
    """
    staying = [returning.get((object_id,)) for object_id in ids]
    gone = [
        {"id": object_id, "job_id": row["job_id"] if row else None, "kind": row["kind"] if row else None}
        for object_id, row in zip(ids, staying, strict=True)
    ]
    cursor.execute(_remove(table), (as_json(gone),))
    cursor.execute(_sweep(table), (list({object_id >> BUCKET_BITS for object_id in ids}),))


def _id(row: Row) -> int:
    object_id: int = row["id"]
    return object_id


_COLUMNS = "(id, frame, type, label_id, doc)"
_PACKED = r"""
        coalesce(array_agg(id ORDER BY id), '{}'), coalesce(array_agg(frame ORDER BY id), '{}'),
        coalesce(array_agg(type ORDER BY id), '{}'), coalesce(array_agg(label_id ORDER BY id), '{}'),
        coalesce(string_agg(doc, E'\n' ORDER BY id), '')"""


def _objects(row: str) -> str:
    arrays = ", ".join(f"{row}.{name}" for name in ("ids", "frames", "types", "label_ids"))
    return rf"unnest({arrays}, string_to_array({row}.docs, E'\n')) AS {row}_objects {_COLUMNS}"


@cache
def _insert(table: str) -> bytes:
    return f"""
INSERT INTO "{table}" AS t (bucket, job_id, kind, ids, frames, types, label_ids, docs)
SELECT * FROM ROWS FROM (
    json_to_recordset(%s::json) AS (bucket bigint, job_id bigint, kind text, ids bigint[], frames integer[],
        types text[], label_ids bigint[]),
    unnest(%b::text[])
) AS e
ON CONFLICT (bucket, job_id, kind) DO UPDATE SET (ids, frames, types, label_ids, docs) = (
    SELECT {_PACKED} FROM (
        SELECT * FROM {_objects("t")} WHERE id <> ALL(excluded.ids)
        UNION ALL
        SELECT * FROM {_objects("excluded")}
    ) u
)""".encode()


@cache
def _remove(table: str) -> bytes:
    return f"""
WITH gone AS (
    SELECT id >> {BUCKET_BITS} AS bucket, job_id, kind, array_agg(id) AS ids
    FROM json_to_recordset(%s::json) AS g (id bigint, job_id bigint, kind text)
    GROUP BY 1, 2, 3
), hit AS (
    SELECT t.bucket, t.job_id, t.kind, array_agg(i) AS ids
    FROM gone g JOIN "{table}" t ON t.bucket = g.bucket AND t.ids && g.ids
        AND (t.job_id, t.kind) IS DISTINCT FROM (g.job_id, g.kind), unnest(g.ids) i
    GROUP BY 1, 2, 3
)
UPDATE "{table}" t SET (ids, frames, types, label_ids, docs) = (
    SELECT {_PACKED} FROM {_objects("t")} WHERE id <> ALL(h.ids)
)
FROM hit h WHERE (t.bucket, t.job_id, t.kind) = (h.bucket, h.job_id, h.kind)""".encode()


@cache
def _sweep(table: str) -> bytes:
    return f"""DELETE FROM "{table}" WHERE bucket = ANY(%s::bigint[]) AND ids = '{{}}'""".encode()
