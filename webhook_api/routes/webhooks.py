"""The provider's doorbell: verified over the raw bytes, stored, answered. No ERP is called here."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from erp_pipelines.access import intake
from erp_pipelines.access.intake import Delivery, Received, SignatureInvalid
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.domain.errors import RecordInvalid
from webhook_api.dependencies import House
from webhook_api.grouped import Grouped
from webhook_api.metrics import Metrics
from webhook_api.problems import problem
from webhook_api.schemas import ReceivedOut

PROVIDER = "quickbooks"
LARGEST_BODY = 1_000_000
SMALL_BODY = 20_000
DELIVERY = {
    "parameters": [
        {"name": "intuit-signature", "in": "header", "required": True, "schema": {"type": "string"},
         "description": "Base64 of HMAC-SHA256 over the raw body."},
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {
            "description": "CloudEvents, or the older eventNotifications.", "type": ["object", "array"],
        }}},
    },
}  # fmt: skip
log = structlog.get_logger("erp.web")
router = APIRouter(prefix="/api/integrations/quickbooks", tags=["quickbooks"])


@router.post("/webhook", response_model=ReceivedOut, openapi_extra=DELIVERY)
async def receive(request: Request, runtime: House) -> Response:
    """Change notices, as CloudEvents or in the older shape; whatever the content type says, the signature decides.

    Answers 200 when all notices are stored or known, 401 for a wrong signature, 413 above a megabyte, 429
    for too many deliveries a minute from one address. Only what was answered with 200 will not come again.
    """
    address = request.client.host if request.client else ""
    if wait := request.app.state.webhook_pace.wait(address):
        return _refused(request, 429, "too-many-requests", "Too many deliveries a minute.", wait)
    body = await _read(request)
    if body is None:
        return _refused(request, 413, "too-large", f"A delivery may have {LARGEST_BODY} bytes.")
    return await _store(request, runtime, body)


async def _read(request: Request) -> bytes | None:
    """The raw body; None as soon as it proves too large, whatever its headers say."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


async def _store(request: Request, runtime: Runtime, body: bytes) -> Response:
    metrics: Metrics = request.app.state.metrics
    deliveries: Grouped[Delivery, Received] = request.app.state.deliveries
    try:
        received = await deliveries.do(await _believed(runtime, request.headers, body))
    except SignatureInvalid:
        metrics.refused(PROVIDER, "signature-invalid")
        raise
    except RecordInvalid as error:
        received = _unreadable(metrics, error, len(body))
    else:
        metrics.received(PROVIDER, received)
        log.info("webhook received", provider=PROVIDER, **vars(received))
    return JSONResponse(ReceivedOut(**vars(received)).model_dump(by_alias=True))


async def _believed(runtime: Runtime, headers: Mapping[str, str], body: bytes) -> Delivery:
    """A small body is read at once: to hand it to a thread costs more. A large one would hold up the others."""
    if len(body) <= SMALL_BODY:
        return intake.read(runtime, PROVIDER, headers, body)
    return await run_in_threadpool(intake.read, runtime, PROVIDER, headers, body)


def _unreadable(metrics: Metrics, error: RecordInvalid, size: int) -> Received:
    """Signed, but of another shape. It is acknowledged: a refusal would hold up all later deliveries for
    hours and bring the same bytes again, while the incremental pull finds what they told of.
    """
    metrics.refused(PROVIDER, "unreadable")
    log.error("webhook delivery not understood", provider=PROVIDER, reason=error.message, bytes=size)
    return Received()


def _refused(request: Request, status: int, code: str, detail: str, wait: float = 0) -> Response:
    metrics: Metrics = request.app.state.metrics
    metrics.refused(PROVIDER, code)
    answer = problem(request, status, code, detail)
    if wait:
        answer.headers["Retry-After"] = str(int(wait) + 1)
    return answer
