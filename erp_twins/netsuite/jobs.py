"""Asynchronous requests and batches: jobs, their tasks and results, and the idempotency key (reference 3.6, 3.7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from erp_twins import jsonio
from erp_twins.http import Request, Response
from erp_twins.jsonio import Doc
from erp_twins.netsuite import errors
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import Refused, no_such_record

_PATH = "/services/rest/async/v1/job/"
_MEDIA_TYPE = "application/vnd.oracle.resource+json; type=singular"
KEY = "x-netsuite-idempotency-key"
Task = Callable[[], Response]


def wanted(request: Request) -> bool:
    """Only then does the idempotency key mean anything: a synchronous call ignores it."""
    return "respond-async" in request.header("prefer").lower()


def submitted(account: Account, request: Request, tasks: Sequence[Task], conflict: int) -> Response:
    """202 with the address of the job, or status `conflict` with the one that the key has made already.

    Its work is done at once, each task for itself: one that fails stops no other.
    """
    key = request.header(KEY)
    known = next((ident for ident, job in account.jobs.items() if key and job["key"] == key), None)
    if known:
        used = Refused(conflict, "IDEMPOTENCY_ERROR", "used_key")
        return errors.answer(used, account.settings.language, ("location", _address(request, known)))
    ident = str(account.next_number("job"))
    account.jobs[ident] = {"key": key, "tasks": [_done(account, task) for task in tasks]}
    return Response(202, b"", (("location", _address(request, ident)), ("preference-applied", "respond-async")))


def _address(request: Request, ident: str) -> str:
    return f"{request.base_url}{_PATH}{ident}"


def _done(account: Account, task: Task) -> Doc:
    try:
        answer = task()
    except Refused as refused:
        answer = errors.answer(refused, account.settings.language)
    return {"status": answer.status, "headers": [list(pair) for pair in answer.headers], "body": answer.body.decode()}


def answer(account: Account, request: Request, ident: str, rest: Sequence[str]) -> Response:
    """A job, its tasks, one of them, or the answer that it would have got on its own. 404 for what there is not."""
    job = account.jobs.get(ident)
    numbers = {str(number): task for number, task in enumerate(job["tasks"], 1)} if job else {}
    here = _address(request, ident)
    match list(rest):
        case [] if job:
            return _json({"completed": True, "id": ident, "progress": "succeeded", "task": _links(f"{here}/task")})
        case ["task"] if job:
            return _json(
                {"items": [_links(f"{here}/task/{number}") for number in numbers], "totalResults": len(numbers)}
            )
        case ["task", number] if number in numbers:
            return _json(
                {
                    "completed": True,
                    "id": number,
                    "progress": _progress(numbers[number]),
                    **_links(f"{here}/task/{number}"),
                }
            )
        case ["task", number, "result"] if number in numbers:
            stored = numbers[number]
            return Response(
                stored["status"], stored["body"].encode(), tuple((name, value) for name, value in stored["headers"])
            )
    raise no_such_record()


def _progress(task: Doc) -> str:
    """Of a task; the job itself has succeeded when all its tasks were tried."""
    return "succeeded" if task["status"] < 400 else "failed"


def _links(href: str) -> Doc:
    return {"links": [{"rel": "self", "href": href}]}


def _json(body: Doc) -> Response:
    return Response(200, jsonio.dumps(body).encode(), (("content-type", _MEDIA_TYPE),))
