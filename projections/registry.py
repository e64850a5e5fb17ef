"""Every projection there is. A new one is added here, and nowhere else: after those whose tables its queries join to
its own, so that a swap can lock all tables in the order in which readers do.
"""

from __future__ import annotations

from projections import access_tokens, data, issues, jobs, labels, projects, requests, tasks, users, validation
from projections import annotations as annotations_projection
from projections.projection import Projection, ProjectionSet

REGISTRY: dict[str, Projection] = {
    module.projection.name: module.projection
    for module in (
        users,
        access_tokens,
        projects,
        labels,
        data,
        tasks,
        jobs,
        validation,
        issues,
        annotations_projection,
        requests,
    )
}


def all_projections() -> ProjectionSet:
    return ProjectionSet(REGISTRY.values())


def search_path() -> str:
    """Where connections find tables by their bare names: this program's projection versions, then the log."""
    return ", ".join([*(projection.schema for projection in REGISTRY.values()), "log", "public"])
