"""Script and style sheets, kept by browsers for good: their address changes when they do."""

from __future__ import annotations

from fastapi import Response

from erp_pipelines.domain.errors import NotFound
from webhook_api.console.assets import assets
from webhook_api.console.routing import router as new_router

FOREVER = "public, max-age=31536000, immutable"
router = new_router()


@router.get("/static/{version}/{name}")
def serve(version: str, name: str) -> Response:
    """`version` is for caches only. Raises NotFound for a name that is none of ours."""
    del version
    asset = assets().get(name)
    if asset is None:
        raise NotFound(f"There is no file {name!r}.")
    return Response(asset.path.read_bytes(), media_type=asset.media_type, headers={"Cache-Control": FOREVER})
