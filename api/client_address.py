"""Where a request comes from."""

from __future__ import annotations

from starlette.requests import Request


def client_address(request: Request, proxies: int) -> str:
    """Each of the `proxies` in front has added to X-Forwarded-For whom it heard from, so the outermost one tells the
    client. What stands before that, the client may have written itself.
    """
    heard = ",".join(request.headers.getlist("x-forwarded-for")).split(",") if proxies else []
    hops = [hop.strip() for hop in heard if hop.strip()]
    if proxies and len(hops) >= proxies:
        return hops[-proxies]
    return request.client.host if request.client else ""
