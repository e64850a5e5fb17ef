"""What CVAT's own description of its API says of an answer: `data/cvat-openapi-2.73.yml`, as far as 2.80 agrees."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import yaml

DESCRIPTION = Path(__file__).parent / "data" / "cvat-openapi-2.73.yml"
ROOT = "urn:cvat"
PARAMETER = re.compile(r"\\\{[^}]*\\\}")
JSON = ("application/vnd.cvat+json", "application/json")

CHANGED_UNTIL_2_80: dict[str, Any] = {
    # 2.80 calls replicas of consensus jobs so.
    "JobType": {"enum": ["annotation", "ground_truth", "replica"], "type": "string"},
    # 2.80 knows webhooks of the server, and so more events.
    "WebhookType": {"enum": ["organization", "project", "server"], "type": "string"},
    "EventsEnum": {"type": "string"},
}
"""Schemas that 2.73 and 2.80 do not agree on → what both can be asked for."""

NO_LONGER_REQUIRED = {"JobRead": ("consensus_replicas",), "TaskRead": ("consensus_enabled",)}
"""Fields that 2.80 does not send."""

NULL_WITHOUT_DATA = {"JobRead": ("data_compressed_chunk_type", "data_original_chunk_type")}
"""Fields of jobs whose task has no data: in CVAT there are none, but tests make some by events alone."""


class CvatSchema:
    """Checks answers by method and path. What CVAT does not describe passes."""

    def __init__(self) -> None:
        described = yaml.load(DESCRIPTION.read_bytes(), yaml.CSafeLoader)
        _relax(described["components"]["schemas"])
        self._paths = described["paths"]
        self._registry = jsonschema_rs.Registry([(ROOT, _json_schema(described))])
        self._patterns = [(_pattern(path), path) for path in sorted(self._paths, key=lambda path: path.count("{"))]

    def check(self, method: str, path: str, status: int, body: Any) -> None:
        """Raises AssertionError with every place where a JSON answer is not as CVAT describes it."""
        if status >= 400:
            problems = [] if is_error_body(body) else [f"not an error in CVAT's shape: {body!r}"]
        else:
            problems = self._problems(method.lower(), path, status, body)
        assert not problems, f"{method} {path} {status}: " + "; ".join(problems)

    def described(self, path: str) -> str | None:
        """The template of a path; None for one that CVAT does not have."""
        path = path.rstrip("/")
        return next((template for pattern, template in self._patterns if pattern.fullmatch(path)), None)

    def _problems(self, method: str, path: str, status: int, body: Any) -> list[str]:
        template = self.described(path)
        operation = self._paths[template].get(method) if template else None
        if template is None or operation is None:
            return []
        responses = operation["responses"]
        if str(status) not in responses:
            return [f"CVAT answers {', '.join(responses)}"]
        content = responses[str(status)].get("content", {})
        media = next((media for media in JSON if "schema" in content.get(media, {})), None)
        if media is None:
            return []
        pointer = ("paths", template, method, "responses", str(status), "content", media, "schema")
        return [
            f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in self._validator(pointer)(body)
        ]

    @cache  # noqa: B019  (one instance per run)
    def _validator(self, pointer: tuple[str, ...]) -> Any:
        reference = "/".join(quote(part.replace("~", "~0").replace("/", "~1")) for part in pointer)
        schema = {"$ref": f"{ROOT}#/{reference}"}
        return jsonschema_rs.Draft4Validator(schema, registry=self._registry).iter_errors


def is_error_body(body: Any) -> bool:
    """`{"detail": text}`, `{"field": [text]}`, `[text]` or a text; lists may stand as deep as the request's did, with
    {} for their valid items. Numbers are hints, as of a version that stands.
    """
    if isinstance(body, list):
        return all(item == {} or is_error_body(item) for item in body)
    if isinstance(body, dict):
        return bool(body) and all(isinstance(value, int) or is_error_body(value) for value in body.values())
    return isinstance(body, str)


def _relax(schemas: dict[str, Any]) -> None:
    """To what 2.80 may say too. Raises KeyError for a schema or field that there is none of."""
    for name, schema in CHANGED_UNTIL_2_80.items():
        schemas[name].clear()
        schemas[name].update(schema)
    for name, fields in NO_LONGER_REQUIRED.items():
        schemas[name]["required"] = [field for field in schemas[name]["required"] if field not in fields]
    for name, fields in NULL_WITHOUT_DATA.items():
        for field in fields:
            schemas[name]["properties"][field]["nullable"] = True


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(PARAMETER.sub("[^/]+", re.escape(path.rstrip("/"))))


def _json_schema(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema has it, and Python's `\\w`, which is of every alphabet here."""
    if isinstance(node, list):
        return [_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node.replace(r"\w", r"\p{L}\p{N}_") if isinstance(node, str) else node
    made = {key: _json_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") is True else made
