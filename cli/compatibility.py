"""The page that says which of CVAT's endpoints this server has."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import groupby
from typing import NamedTuple

PARAMETER = re.compile(r"\{[^}]*\}")
SERVED, EMPTY, ABSENT = "served", "nothing there", "not offered"

Endpoint = tuple[str, str]
"""Method and path, with `{}` for whatever stands in it."""


class Operation(NamedTuple):
    """One of CVAT's operations."""

    method: str
    path: str
    deprecated: bool

    @property
    def endpoint(self) -> Endpoint:
        return _endpoint(self.method, self.path)

    @property
    def resource(self) -> str:
        return self.path.split("/")[2]


def operations() -> list[Operation]:
    """Those of CVAT 2.73's published schema, and what its clients call beside it (uploads, downloads)."""
    lines = files("cli").joinpath("cvat_operations.txt").read_text().splitlines()
    found = []
    for line in lines:
        method, path, *notes = line.split()
        found.append(Operation(method, path, "deprecated" in notes))
    return found


def page(generated: str) -> str:
    """A table by resource, and what differs, in words."""
    served, empty = _endpoints()
    lines = [
        "# Compatibility with CVAT\n",
        generated,
        files("cli").joinpath("cvat_differences.md").read_text(),
        "## Endpoint by endpoint\n",
        f"Every operation of CVAT 2.73's schema. **{SERVED}**: does what CVAT does, but for the differences above."
        f" **{EMPTY}**: answers, well-formed, that there is none, so that no page of CVAT's web UI breaks."
        f" **{ABSENT}**: 404, or 405 with a sentence.\n",
    ]
    for resource, group in groupby(operations(), key=lambda operation: operation.resource):
        lines += [f"### {resource}\n", "| method | path | state |", "|---|---|---|"]
        for operation in group:
            state = SERVED if operation.endpoint in served else EMPTY if operation.endpoint in empty else ABSENT
            old = " (deprecated by CVAT)" if operation.deprecated else ""
            lines.append(f"| {operation.method} | `{operation.path}` | {state}{old} |")
        lines.append("")
    return "\n".join(lines)


def _endpoints() -> tuple[set[Endpoint], set[Endpoint]]:
    """Those that are served, and those that answer that there is nothing."""
    from fastapi.routing import APIRoute

    from api.app import ROUTERS
    from api.routes.not_yet import SHAPES

    routes = [route for module in ROUTERS for route in module.router.routes if isinstance(route, APIRoute)]
    served = {_endpoint(method, route.path) for route in routes for method in route.methods or ()}
    served.add(_endpoint("GET", "/api/schema/"))
    empty = {_endpoint("GET", path) for path in SHAPES} | {_endpoint("HEAD", "/api/lambda/functions")}
    return served, empty


def _endpoint(method: str, path: str) -> Endpoint:
    return method, PARAMETER.sub("{}", path).rstrip("/")
