"""The options of a data request when they come as fields of a multipart form, which knows only texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

KEY = re.compile(
    r"(?P<name>\w+)(?P<index>(\[\d{1,9}\]){0,2})(\.(?P<field>\w+)(?P<field_index>(\[\d{1,9}\])?))?", re.ASCII
)
INDEX = re.compile(r"\d+")
LISTS = frozenset(
    {"server_files", "remote_files", "server_files_exclude", "upload_file_order", "job_file_mapping", "frames"}
)
OBJECTS = frozenset({"validation_params"})


def form_body(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The JSON object that a form's text fields stand for, to be read by `domain.data_params.parse_data_params`.

    A list is a repeated name, `name[0]`, `name[1]` …, or JSON (as the SDK sends it); a list of lists is `name[0][0]` …;
    an object is `name.field` or JSON. Of other repeated names the last counts. A blank field counts as not given.
    """
    tree: dict[Any, Any] = {}
    for key, value in fields:
        path = _path(key)
        if path and value.strip():
            _put(tree, path, value)
    return {name: _value(name, branch) for name, branch in tree.items()}


def _path(key: str) -> list[str | int]:
    """`a.b[2]` is a, b, 2; nothing for a key of another form."""
    match = KEY.fullmatch(key)
    if match is None:
        return []
    path: list[str | int] = [match["name"], *map(int, INDEX.findall(match["index"]))]
    if match["field"]:
        path += [match["field"], *map(int, INDEX.findall(match["field_index"]))]
    return path


def _put(tree: dict[Any, Any], path: list[str | int], value: str) -> None:
    """Leaves are lists of all that was sent under the key; a leaf that is also a branch gives way to the branch."""
    for step in path[:-1]:
        branch = tree.get(step)
        if not isinstance(branch, dict):
            branch = tree[step] = {}
        tree = branch
    leaf = tree.setdefault(path[-1], [])
    if isinstance(leaf, list):
        leaf.append(value)


def _value(name: str | int, branch: Any) -> Any:
    if isinstance(branch, dict):
        if all(isinstance(key, int) for key in branch):
            return [_value(key, branch[key]) for key in sorted(branch)]
        return {key: _value(key, value) for key, value in branch.items()}
    if name in LISTS:
        return _decoded(branch[0], list, branch) if len(branch) == 1 else branch
    return _decoded(branch[-1], dict, branch[-1]) if name in OBJECTS else branch[-1]


def _decoded(text: str, kind: type, otherwise: Any) -> Any:
    """JSON of the kind, or else the text as it came: a file may be called `[1].jpg`."""
    try:
        value = json.loads(text)
    except ValueError:
        return otherwise
    return value if isinstance(value, kind) else otherwise
