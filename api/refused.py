"""Answers to what failed, for everybody who answers."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.caller import caller
from api.errors import response_to
from api.observed import observation
from domain.errors import AnnalsError, TooLarge

OPEN_TO_ALL = frozenset({"/api/auth/login", "/api/auth/register"})
"""Where a body is wanted, and no credentials."""


def install(app: FastAPI) -> None:
    for kind in (AnnalsError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, refused)


async def refused(request: Request, error: Exception) -> Response:
    """Who calls is asked before it is told what is wrong with what was sent, as CVAT does."""
    if observation(request.scope).actor is None and _is_of_the_sent(error) and _needs_a_login(request):
        try:
            await run_in_threadpool(caller, request)
        except AnnalsError as sooner:
            error = sooner
    return response_to(request, error)


def _needs_a_login(request: Request) -> bool:
    return request.url.path.rstrip("/") not in OPEN_TO_ALL


def _is_of_the_sent(error: Exception) -> bool:
    """Whether it was found in what came, before anything else was done; what a path leads nowhere is told anybody."""
    if isinstance(error, RequestValidationError):
        return all(item["loc"][:1] != ("path",) for item in error.errors())
    return isinstance(error, ValidationError | TooLarge)
