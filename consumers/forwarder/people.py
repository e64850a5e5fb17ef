"""Taking people out of rows: whatever names or numbers somebody gets a code, or goes.

Columns and payloads say who did something, to whom, and what people wrote. What is known to tell nothing of anybody
stays; what isn't known is left out, so that a key that is new shows nobody by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from domain.user import FLAGS_OF_ADMINS

Code = Callable[[Any], Any]
"""What stands in place of a value: a code that is the same for the same value, or nothing."""
Cells = dict[str, Any]
"""A row by its columns."""

CODED_COLUMNS: Final = ("user_id", "user_name", "user_email", "access_token_id", "remote_addr", "correlation_id")

PLAIN_STREAM: Final = re.compile(r"(annotations|data|issue|job|project|task|validation)-\d+|telemetry-server-.*")
"""The other streams are named for a user, a token, or whoever asked for something."""

_PLAIN_KEYS: Final = """
    action agent attempt attributes basename bug_tracker cache_item chunk_size cloud_storage color comment
    consensus_enabled content_type conv_mask_to_poly dimension expires expiry_date files first format frame
    frame_count frame_filter frames frames_per_job_count groups has_analytics_access has_parent height honeypots ids
    image_quality images import_mode initial_replicas intervals is_active is_staff is_superuser issue job job_count
    label label_ids labels last_beat media_type method mode organization organization_id overlap parent_id
    parent_job_id position process project_id queue read_only resolved save_images segment_size shapes size
    sorting_method source source_storage stage start_frame state status status_code stop_frame subresource subset
    svg tags target target_storage task_id tracks type width working_time
"""
PLAIN: Final = frozenset(_PLAIN_KEYS.split())
"""Keys of payloads whose values stand as they are."""

_CODED_KEYS: Final = "assignee assignee_id email first_name id last_name login_id name owner owner_id token_id user_id"
CODED: Final = frozenset(_CODED_KEYS.split())
"""Those whose values say who somebody is."""

NESTED: Final = frozenset({"params", "request", "result"})
"""Keys of tables that are gone through like the payload."""

LEFT_OUT: Final = frozenset({"message", "stack"})
"""What people and programs wrote of anything, for one; and all keys that aren't named here."""

_RELATIONS: Final = ("owner", "assignee")
_PLAIN_OF_USER: Final = ("groups", "is_active", *FLAGS_OF_ADMINS)
"""Fields of an account that say nothing of whose it is."""


def without_people(cells: Cells, code: Code) -> None:
    """Changes a row: each value that names or numbers somebody by its code."""
    for column in CODED_COLUMNS:
        cells[column] = code(cells[column])
    if not PLAIN_STREAM.fullmatch(cells["stream"]):
        cells["stream"] = code(cells["stream"])
    payload = orjson.loads(cells["payload"] or "{}")
    if cells["source"] == "client":  # what a client says is in its own words, and may be anything
        _replace(cells, ("obj_name", "obj_id", "obj_val"), code)
        kept = _kept(payload, code, {"working_time"})
    else:
        kept = _kept(payload, code, PLAIN)
        _hide_object(cells, kept, code)
        if "old_value" in payload:
            kept["old_value"] = payload["old_value"] if _is_plain_update(cells) else coded(payload["old_value"], code)
    cells["payload"] = orjson.dumps(kept).decode()


def _hide_object(cells: Cells, payload: dict[str, Any], code: Code) -> None:
    verb, _, noun = cells["scope"].partition(":")
    if verb == "update":
        if not _is_plain_update(cells):
            as_number = cells["obj_val"] == str(cells["obj_id"])
            _replace(cells, ("obj_id", "obj_val"), code)
            if as_number:
                cells["obj_val"] = None if cells["obj_id"] is None else str(cells["obj_id"])
    elif noun in ("user", "accesstoken"):
        _replace(cells, ("obj_name", "obj_id"), code)
        payload.pop("ids", None)
    elif noun in ("request", "exception", "comment"):  # an id that says who asked; somebody's words
        _replace(cells, ("obj_name",), code)


def _is_plain_update(cells: Cells) -> bool:
    """Whether the field that changed says nothing of anybody."""
    noun, field = cells["scope"].removeprefix("update:"), cells["obj_name"]
    if noun == "user":
        return field in _PLAIN_OF_USER
    return field not in _RELATIONS and (noun, field) not in (("accesstoken", "name"), ("comment", "message"))


def _replace(cells: Cells, columns: Iterable[str], code: Code) -> None:
    for column in columns:
        cells[column] = code(cells[column])


def _kept(payload: Any, code: Code, plain: Iterable[str]) -> dict[str, Any]:
    if not isinstance(payload, dict):
        return {}
    kept: dict[str, Any] = {}
    for key, value in payload.items():
        if key in plain:
            kept[key] = value
        elif key in CODED:
            kept[key] = coded(value, code)
        elif key in NESTED:
            kept[key] = _kept(value, code, plain)
    return kept


def coded(value: Any, code: Code) -> Any:
    """A value with a code for each text and each number in it."""
    if isinstance(value, dict):
        return {key: coded(each, code) for key, each in value.items()}
    if isinstance(value, list):
        return [coded(each, code) for each in value]
    return value if isinstance(value, bool) else code(value)
