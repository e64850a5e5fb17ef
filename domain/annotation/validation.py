"""What a client sends becomes a document, or is refused with the position of every fault."""

from __future__ import annotations

from collections import Counter
from typing import Any

from domain.annotation.document import KINDS, Document, LabelSpecs, Limits, Mode
from domain.annotation.fields import Fields, Scan
from domain.annotation.shapes import quick_shape_reader, read_interval, read_shape, read_tag
from domain.annotation.tracks import read_track
from domain.errors import Invalid

DEFAULT_LIMITS = Limits()


def normalize(raw: Any, labels: LabelSpecs, mode: Mode, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The document that `raw` (any JSON value) describes, ready to be stored: every field present, attributes complete,
    groups and sources decided, points exactly as sent (shared with `raw`, not copied).

    `mode`: "put" and "create" take no ids; "update" keeps them; "delete" needs one on each object, checks fields but
    not labels, and adds and drops nothing. Raises Invalid: CVAT's nested errors, at most about `limits.faults` of them,
    or a list of broken rules about labels and attributes.
    """
    scan = Scan(labels, mode, limits)
    fields = Fields(raw, scan)
    if not fields.errors:
        fields.integer("version", 0)
    document = {
        "tags": fields.items("tags", read_tag, limits.objects, default=[]),
        "shapes": fields.items("shapes", read_shape, limits.objects, default=[], quick=quick_shape_reader(scan)),
        "tracks": fields.items("tracks", read_track, limits.objects, default=[]),
        "intervals": fields.items("intervals", read_interval, limits.objects, default=[]),
    }
    scan.conclude(fields.errors)
    if mode == "update":
        _refuse_repeated(document)
    return document


def _refuse_repeated(document: Document) -> None:
    """Two objects of one kind with one id: which of them would be meant?"""
    for kind in KINDS:
        counts = Counter(item["id"] for item in document[kind] if item["id"] is not None)
        repeated = sorted(item_id for item_id, count in counts.items() if count > 1)
        if repeated:
            raise Invalid({kind: [f"Each id may be given once, not: {', '.join(map(str, repeated[:10]))}"]})
