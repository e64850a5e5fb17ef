"""The HTTP application, from its services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from api import errors
from api.express import Express
from api.middleware import RequestId
from api.responses import json_response
from api.routes import annotations as annotation_routes
from api.routes import auth, data, job_data, jobs, labels, projects, requests, server, tasks, uploads, users
from api.services import Services
from infra.eventlog.subscription import Listener

ROUTERS = (server, auth, users, projects, tasks, data, uploads, jobs, job_data, annotation_routes, labels, requests)


def create_app(services: Services) -> Express:
    """Everything that answers under /api, and /static/logo.svg."""
    return Express(_fastapi(services), [module.router for module in ROUTERS], services.settings.threads)


def _fastapi(services: Services) -> FastAPI:
    app = FastAPI(
        title="Annals",
        description="An event-sourced annotation backend, wire-compatible with CVAT's clients.",
        version="2.80.0",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.services = services
    app.add_middleware(RequestId)
    errors.install(app)
    for module in ROUTERS:
        app.include_router(module.router)
    app.add_api_route("/api/schema/", _schema, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    services.waiters.bind(asyncio.get_running_loop())
    # Each thread may hold a database connection; more threads than that would only wait for one.
    anyio.to_thread.current_default_thread_limiter().total_tokens = services.settings.threads
    listener = Listener(services.database, services.log_moved).start()
    try:
        yield
    finally:
        listener.stop()


def _schema(request: Request) -> Response:
    """The OpenAPI description of this very server."""
    return json_response(request.app.openapi())
