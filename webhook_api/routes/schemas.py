"""The canonical records as JSON Schemas: what an event's payload and a PUT's body must be."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from erp_pipelines.domain.errors import NotFound
from erp_pipelines.domain.events import RECORDS
from webhook_api.dependencies import Anyone

router = APIRouter(prefix="/api/schemas", tags=["schemas"])
BY_NAME = {str(entity).lower(): record for entity, record in RECORDS.items()}


@router.get("/{name}")
def get_schema(_user: Anyone, name: str) -> dict[str, Any]:
    """`name` is Customer, Product, Order, Payment or Refund, in any case."""
    if name.lower() not in BY_NAME:
        raise NotFound(f"There is no schema {name!r}.", mend=f"Known are {', '.join(RECORDS)}.")
    return BY_NAME[name.lower()].model_json_schema(by_alias=True)
