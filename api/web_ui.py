"""A built web UI from a folder, on the same origin as the API: CVAT's own, or any single page application like it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import response_to

SERVER_FOLDERS = frozenset({"api", "static", "admin", "analytics", "metrics", "dashboard"})
"""First parts of paths that are the server's, whether it has something there or not."""

PAGE = "index.html"
ASSETS = "assets/"
TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}
"""Browsers insist on these; what the machine's own table of types says of them varies."""

HASHED = re.compile(r"[.-][0-9a-f]{8,}\.")
"""In the name of a file that never changes: another content would have another name."""

FOR_EVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
ISOLATED_PAGE = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "credentialless"}
ISOLATED_ASSET = {"Cross-Origin-Embedder-Policy": "require-corp"}
"""Together they let the page use threads in its WebAssembly."""


class WebUi:
    """In front of the application: everything that is not the server's is a file of the folder or, as the UI itself
    knows its own paths, its page.
    """

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._files = _Files(folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].lstrip("/").partition("/")[0] in SERVER_FOLDERS:
            await self._app(scope, receive, send)
            return
        try:
            response = await self._files.answer(scope)
        except HTTPException as error:
            response = response_to(Request(scope), error)
        await response(scope, receive, send)


class _Files(StaticFiles):
    """Knows HEAD, Range, and what the client has already; leads nowhere outside of the folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._folder = folder

    async def answer(self, scope: Scope) -> Response:
        """Raises HTTPException."""
        path = self.get_path(scope)
        try:
            return await self.get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.startswith(ASSETS):
                raise
        return await self.get_response(PAGE, scope)

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        path = Path(str(full_path)).relative_to(self._folder.resolve())
        response.headers.update(_headers(path.as_posix()))
        if isinstance(response, FileResponse) and path.suffix in TYPES:
            response.headers["Content-Type"] = TYPES[path.suffix]
        return response


def _headers(path: str) -> dict[str, str]:
    """`path`: of a file, in the folder."""
    if path == PAGE:
        return {"Cache-Control": ASK_AGAIN, **ISOLATED_PAGE}
    caching = {"Cache-Control": FOR_EVER if HASHED.search(path) else ASK_AGAIN}
    return caching | ISOLATED_ASSET if path.startswith(ASSETS) else caching
