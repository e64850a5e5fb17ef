"""Absolute URLs, with the host that the client used (also behind a proxy)."""

from __future__ import annotations

from starlette.requests import Request


def base(request: Request) -> str:
    """`http://host:port`, from X-Forwarded-Proto and -Host where a proxy sets them."""
    headers = request.headers
    scheme = headers.get("x-forwarded-proto", request.url.scheme).split(",")[0].strip()
    host = headers.get("x-forwarded-host") or headers.get("host") or request.url.netloc
    return f"{scheme}://{host.split(',')[0].strip()}"
