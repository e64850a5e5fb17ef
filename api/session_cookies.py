"""The cookies of a login. The header is written by hand: clients split joined Set-Cookie headers at commas and want
each to end in key=value, so there is no Expires, and no bare flag at the end.
"""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import Response

from api import urls
from domain.user import LOGIN_LASTS, Login


def set_cookies(request: Request, response: Response, login: Login) -> None:
    """`sessionid`, which no script can read, and `csrftoken`, which the web UI reads and sends back."""
    flags = "Secure; " if urls.base(request).startswith("https:") else ""
    age = int(LOGIN_LASTS.total_seconds())
    for cookie in (f"csrftoken={secrets.token_hex(16)}; {flags}", f"sessionid={login.cookie}; HttpOnly; {flags}"):
        response.headers.append("set-cookie", f"{cookie}Path=/; Max-Age={age}; SameSite=Lax")


def clear_cookies(response: Response) -> None:
    for name in ("csrftoken", "sessionid"):
        response.headers.append("set-cookie", f"{name}=; Path=/; Max-Age=0; SameSite=Lax")
