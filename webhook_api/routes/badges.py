"""Sync status as a piece of HTML that a shop puts into its own pages: classes for its style sheet, no style, no script."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from webhook_api.dependencies import Anyone, House, Rep
from webhook_api.routes.status import customer_status, order_status
from webhook_api.schemas import ProviderSync

router = APIRouter(prefix="/api", tags=["status"], default_response_class=HTMLResponse)


@router.get("/orders/{order_id}/badges")
def order_badges(runtime: House, user: Anyone, order_id: str) -> HTMLResponse:
    """One badge for each ERP, as `sync-status` has them; for customers of their own orders only."""
    return _fragment(order_status(runtime, user, order_id).providers)


@router.get("/customers/{customer_id}/badges")
def customer_badges(runtime: House, user: Rep, customer_id: str) -> HTMLResponse:
    """One badge for each ERP, as `sync-status` has them."""
    return _fragment(customer_status(runtime, user, customer_id).providers)


def _fragment(found: list[ProviderSync]) -> HTMLResponse:
    return HTMLResponse("".join(_badge(one) for one in found))


def _badge(one: ProviderSync) -> str:
    number = f' <span class="erp-badge-number">{escape(one.document_number)}</span>' if one.document_number else ""
    return (
        f'<span class="erp-badge erp-badge-{escape(one.state)}" data-provider="{escape(one.provider)}">'
        f"{escape(one.badge)}{number}</span>"
    )
