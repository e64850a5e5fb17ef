"""Every projection there is. A new one is added here, and nowhere else."""

from __future__ import annotations

from projections import annotations as annotations_projection
from projections import data, jobs, labels, projects, requests, tasks, users
from projections.projection import Projection, ProjectionSet

REGISTRY: dict[str, Projection] = {
    module.projection.name: module.projection
    for module in (users, projects, tasks, data, jobs, labels, annotations_projection, requests)
}


def all_projections() -> ProjectionSet:
    return ProjectionSet(REGISTRY.values())
