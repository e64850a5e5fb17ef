"""The HTTP application, from its services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from api import errors
from api.express import Express
from api.idempotency import Idempotency
from api.middleware import RequestId
from api.routes import (
    annotation_history,
    auth,
    data,
    deleted,
    job_data,
    jobs,
    labels,
    log,
    metrics,
    projects,
    requests,
    server,
    tasks,
    uploads,
    users,
)
from api.routes import annotations as annotation_routes
from api.services import Services
from infra.eventlog.subscription import Listener

ROUTERS = (
    server,
    auth,
    users,
    projects,
    tasks,
    data,
    uploads,
    jobs,
    job_data,
    annotation_routes,
    annotation_history,
    labels,
    requests,
    log,
    deleted,
    metrics,
)


# Where FastAPI would promise its own 422.
REFUSED: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": 'Refused, in CVAT\'s shapes: {"field": ["text"]}, ["text"] or {"detail": "text"}'}
}


def create_app(services: Services) -> ASGIApp:
    """Everything that answers under /api, and /static/logo.svg."""
    return Idempotency(_express(services), services)


def _express(services: Services) -> Express:
    return Express(_fastapi(services), [module.router for module in ROUTERS], services.settings.threads)


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
    errors.install(app)
    for module in ROUTERS:
        app.include_router(module.router, responses=REFUSED)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    services.waiters.bind(asyncio.get_running_loop())
    services.log_streams.bind(asyncio.get_running_loop())
    # Each thread may hold a database connection; more threads than that would only wait for one.
    anyio.to_thread.current_default_thread_limiter().total_tokens = services.settings.threads
    listener = Listener(services.database, services.log_moved).start()
    try:
        yield
    finally:
        listener.stop()
        services.answers.close()
