"""All pages as one router. What matches none of them is a page too."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from erp_pipelines.domain.errors import NotFound
from webhook_api.console.pages import (
    connections,
    differences,
    errors,
    files,
    health,
    login,
    logs,
    mappings,
    matching,
    queues,
    reconciliation,
    requests,
    settings,
    setup,
    syncs,
)
from webhook_api.console.routing import router as new_router

_last = new_router()


@_last.get("/{rest:path}")
def nothing(request: Request, rest: str) -> Response:
    del rest
    raise NotFound(f"There is no page {request.url.path!r}.")


def routers() -> list[APIRouter]:
    """In the order in which they are asked."""
    pages = (
        files, login, connections, settings, setup, errors, logs, mappings, matching, queues, syncs, health,
        reconciliation, differences, requests,
    )  # fmt: skip
    return [*(page.router for page in pages), _last]
