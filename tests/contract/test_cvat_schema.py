"""The check that every answer goes through: it finds what CVAT would not say."""

from __future__ import annotations

from typing import Any

import pytest

from .checked import cvat_schema

ABOUT = {"name": "a", "description": "b", "version": "2.80.0", "logo_url": "http://a/b", "subtitle": "c"}


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/users/self", "/api/users/self"),
        ("/api/users/7", "/api/users/{id}"),
        ("/api/tasks/7/annotations", "/api/tasks/{id}/annotations/"),
        ("/api/tasks/7/annotations/", "/api/tasks/{id}/annotations/"),
        ("/api/requests/action=create&target=task&target_id=1", "/api/requests/{id}"),
        ("/api/log", None),
    ],
)
def test_paths_are_found(path: str, template: str | None) -> None:
    assert cvat_schema().described(path) == template


@pytest.mark.parametrize(
    ("path", "status", "body", "problem"),
    [
        ("/api/server/about", 200, ABOUT | {"version": None}, "version: null is not of type"),
        ("/api/server/about", 200, {}, '"name" is a required property'),
        ("/api/server/about", 201, ABOUT, "CVAT answers 200"),
        ("/api/tasks", 200, {"count": 1, "results": [{"id": "x"}]}, 'results/0/id: "x" is not of type'),
        ("/api/jobs/7", 200, {"type": "consensus_replica"}, "type: .* is not one of"),
        ("/api/tasks", 404, {}, "not an error in CVAT's shape"),
        ("/api/log", 400, {"name": {"is": None}}, "not an error in CVAT's shape"),
    ],
)
def test_what_cvat_would_not_say_is_found(path: str, status: int, body: Any, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        cvat_schema().check("GET", path, status, body)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/api/server/about", 200, ABOUT | {"more": 1}),
        ("/api/tasks", 200, {"count": 0, "next": None, "previous": None, "results": []}),
        ("/api/log", 200, {"anything": None}),
        ("/api/tasks", 401, {"detail": "Authentication credentials were not provided."}),
        ("/api/tasks", 400, {"labels": [{}, {"name": ["This field is required."]}]}),
        ("/api/tasks", 400, ["No."]),
    ],
)
def test_what_cvat_would_say_passes(path: str, status: int, body: Any) -> None:
    cvat_schema().check("GET", path, status, body)
