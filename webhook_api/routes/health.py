"""For orchestrators and Prometheus; no token needed, nothing about tenants told."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse

from erp_pipelines.domain.errors import DatabaseDown
from erp_pipelines.storage import migrations
from erp_pipelines.storage.engine import StorageError
from webhook_api.counted import Counted
from webhook_api.dependencies import House, paced
from webhook_api.metrics import Metrics

router = APIRouter(tags=["health"], dependencies=[Depends(paced)])


@router.get("/health/live")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/health/ready")
def ready(runtime: House) -> dict[str, str]:
    """The database answers and has the schema of this code, or of a newer release; 503 otherwise."""
    found = migrations.current(runtime.db)
    if found is None or not migrations.serves(found):
        raise DatabaseDown(
            f"The database's schema is at {found or 'nothing'}, this program needs {migrations.head()}.",
            mend="Run `erp migrate`.",
        )
    return {"status": "ready", "schema": found}


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request, runtime: House) -> Response:
    """This process's own figures, and what the database has counted: nothing of that while it is away."""
    figures: Metrics = request.app.state.metrics
    counted: Counted = request.app.state.counted
    try:
        stored = counted.families(runtime)
    except (DatabaseDown, StorageError):
        stored = []
    return Response(figures.text(stored), media_type="text/plain; version=0.0.4; charset=utf-8")
