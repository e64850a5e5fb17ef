"""The organization that a request speaks for: `X-Organization`, `?org=` or `?org_id=`."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from domain.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class OrganizationContext:
    """`given` False: the client named none, so lists show everything that is visible. Given and `id` None: the personal
    workspace.
    """

    given: bool
    id: int | None = None
    slug: str | None = None


def organization_context(request: Request) -> OrganizationContext:
    """Raises Invalid for contradicting names, NotFound for an organization that does not exist (there are none yet)."""
    query = request.query_params
    header, slug, number = request.headers.get("x-organization"), query.get("org"), query.get("org_id")
    if number is not None and (slug is not None or header is not None):
        raise Invalid(["You cannot specify 'org_id' query parameter with 'org' query parameter or 'X-Organization'"])
    if slug is not None and header is not None and slug != header:
        raise Invalid(["You cannot specify different organizations in the 'org' parameter and in 'X-Organization'"])
    name = header if slug is None else slug
    if name or number:
        raise NotFound(f"{name or number} organization does not exist.")
    return OrganizationContext(given=name is not None or number is not None)
