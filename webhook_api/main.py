"""The web app's factory: `uvicorn --factory webhook_api.main:create_app`."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from erp_pipelines.access import intake
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.security import logs as structured_logs
from webhook_api import openapi, problems
from webhook_api.auth import AuthConfig, TokenVerifier
from webhook_api.console import app as console
from webhook_api.counted import Counted
from webhook_api.grouped import Grouped
from webhook_api.limits import Pace
from webhook_api.metrics import Metrics
from webhook_api.middleware import Envelope
from webhook_api.routes import (
    badges,
    commerce,
    connections,
    credentials,
    errors,
    from_erp,
    health,
    logs,
    matching,
    outbox,
    quickbooks,
    retry_requests,
    status,
    sync,
    webhooks,
)
from webhook_api.routes import schemas as schema_routes

# The provider sends far less; what comes faster from one address is no provider.
WEBHOOKS_PER_MINUTE, WEBHOOK_BURST = 6000, 1000
# Deliveries that one transaction stores: more share its commit than this server has threads.
DELIVERIES_AT_ONCE = 100
# Health, figures, callbacks and sign-ins: more than any orchestrator asks, fewer than a guesser needs.
PUBLIC_PER_MINUTE, PUBLIC_BURST = 600, 200


def create_app(runtime: Runtime | None = None, auth: AuthConfig | None = None) -> FastAPI:
    """The app over `runtime`; what is left out is built from the environment.

    Opens no connection yet. Raises SettingsInvalid for an environment that cannot work.
    """
    if runtime is None or auth is None:
        runtime, auth = _from_env(runtime, auth)
    # No pages of FastAPI's own: they load scripts from elsewhere.
    app = FastAPI(
        title="erp-pipelines",
        version=version("erp-pipelines"),
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=openapi.unique_id,
    )
    app.state.runtime = runtime
    app.state.verifier = TokenVerifier(auth)
    app.state.metrics = Metrics()
    app.state.counted = Counted()
    app.state.webhook_pace = Pace(per_minute=WEBHOOKS_PER_MINUTE, burst=WEBHOOK_BURST)
    app.state.deliveries = Grouped(partial(intake.store, runtime, webhooks.PROVIDER), most=DELIVERIES_AT_ONCE)
    app.state.public_pace = Pace(per_minute=PUBLIC_PER_MINUTE, burst=PUBLIC_BURST)
    problems.install(app)
    app.add_middleware(Envelope, metrics=app.state.metrics, https=runtime.public_url.startswith("https:"))
    for part in (
        health,
        quickbooks,
        webhooks,
        connections,
        credentials,
        status,
        badges,
        commerce,
        logs,
        matching,
        errors,
        from_erp,
        outbox,
        retry_requests,
        sync,
        schema_routes,
    ):
        app.include_router(part.router)
    for router in console.routers():
        app.include_router(router)
    openapi.describe(app)
    return app


def _from_env(runtime: Runtime | None, auth: AuthConfig | None) -> tuple[Runtime, AuthConfig]:
    from erp_pipelines.bootstrap import build_runtime
    from erp_pipelines.settings import Settings

    structured_logs.configure()
    settings = Settings.from_env()
    return runtime or build_runtime(settings), auth or AuthConfig.from_settings(settings)
