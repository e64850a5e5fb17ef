"""The HTTP application, from its services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from types import ModuleType
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from api import refused
from api.express import Express
from api.idempotency import Idempotency
from api.middleware import RequestId
from api.observed import Observed
from api.responses import json_response
from api.routes import (
    access_tokens,
    annotation_history,
    auth,
    comments,
    dashboard,
    data,
    deleted,
    event_exports,
    exports,
    imports,
    issues,
    job_data,
    jobs,
    labels,
    log,
    metrics,
    not_yet,
    projects,
    registration,
    requests,
    server,
    share,
    tasks,
    telemetry,
    uploads,
    users,
    validation_layout,
)
from api.routes import annotations as annotation_routes
from api.services import Services
from api.static_files import PROGRAM_FILES
from api.web_ui import WebUi
from infra.eventlog.subscription import Listener
from infra.settings import Settings

ROUTERS = (
    server,
    share,
    auth,
    registration,
    access_tokens,
    users,
    projects,
    tasks,
    data,
    uploads,
    imports,
    exports,
    event_exports,
    jobs,
    job_data,
    annotation_routes,
    annotation_history,
    issues,
    comments,
    labels,
    requests,
    log,
    deleted,
    telemetry,
    validation_layout,
    metrics,
    dashboard,
    not_yet,
)


# Where FastAPI would promise its own 422.
REFUSED: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": 'Refused, in CVAT\'s shapes: {"field": ["text"]}, ["text"] or {"detail": "text"}'}
}


def create_app(services: Services) -> ASGIApp:
    """Everything that answers under /api, /static/logo.svg and, where there is one, the web UI."""
    app: ASGIApp = Idempotency(_express(services), services)
    if services.settings.ui is not None:
        app = WebUi(app, services.settings.ui)
    return Observed(app, services.reporter.refused)


def _express(services: Services) -> Express:
    return Express(_fastapi(services), routers(services.settings), services.settings.threads)


def routers(settings: Settings) -> list[APIRouter]:
    """What is offered under these settings."""
    return [module.router for module in _modules(settings)]


def _modules(settings: Settings) -> list[ModuleType]:
    return [module for module in ROUTERS if module is not registration or settings.registration]


def _fastapi(services: Services) -> FastAPI:
    app = FastAPIOffline(
        title="Annals",
        description="An event-sourced annotation backend, wire-compatible with CVAT's clients.",
        version="2.80.0",
        openapi_url="/api/schema/",
        docs_url="/api/docs",
        redoc_url=None,
        swagger_ui_oauth2_redirect_url="/api/docs/oauth2-redirect",
        static_url="/api/docs/files",
        favicon_url="/static/logo.svg",
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.services = services
    app.add_middleware(RequestId)
    refused.install(app)
    app.router.routes += map(_included, _modules(services.settings))
    app.add_route("/api/schema", _schema, include_in_schema=False)
    app.mount("/static", PROGRAM_FILES)
    return app


async def _schema(request: Request) -> Response:
    """As FastAPI answers at its own path, with a slash."""
    return json_response(request.app.openapi())


@cache
def _included(module: ModuleType) -> BaseRoute:
    """Its router as `include_router` would put it into an application. What answers there FastAPI makes at the first
    request, and that takes longer than all the rest of an application: those of one process share it.
    """
    parent = APIRouter()
    parent.include_router(module.router, responses=REFUSED)
    return parent.routes[0]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    services.waiters.bind(asyncio.get_running_loop())
    services.log_streams.bind(asyncio.get_running_loop())
    # Each thread may hold a database connection; more threads than that would only wait for one.
    anyio.to_thread.current_default_thread_limiter().total_tokens = services.settings.threads
    listener = Listener(services.database, services.log_moved).start()
    services.reporter.start()
    try:
        yield
    finally:
        listener.stop()
        services.reporter.stop()
        if services.clickhouse is not None:
            services.clickhouse.close()
        services.answers.close()
