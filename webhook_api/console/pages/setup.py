"""The first run of a connection as one way: connect, match, map, from which day, preview, on. Left and gone on with at will."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import BackgroundTasks, Request, Response

from erp_pipelines.access import connections as access
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import bulk, matching, preflight, setup
from erp_pipelines.delivery.setup import SetUp, Step
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import NotFound, RecordInvalid
from erp_pipelines.storage import questions
from erp_pipelines.storage.questions import Question
from webhook_api.console import settings_form
from webhook_api.console.access import Admin, AdminForm, Posted
from webhook_api.console.pages.settings import IDS, START, Section, own_of, sections_of
from webhook_api.console.pages.syncs import KINDS, ticked
from webhook_api.console.rendering import page
from webhook_api.console.routing import router as new_router
from webhook_api.console.routing import see
from webhook_api.console.settings_form import Value
from webhook_api.dependencies import House
from webhook_api.problems import status_of

QUESTIONS = 25
router = new_router()
TITLES = {
    Step.CONNECT: "Connect",
    Step.MATCH: "Match existing records",
    Step.MAP: "Map accounts and taxes",
    Step.START: "Start date",
    Step.PREVIEW: "Preview",
    Step.ON: "On",
}


@router.get("/setup/{provider}")
def resume(runtime: House, session: Admin, provider: str) -> Response:
    """The first step that is not done; the last one when all are."""
    found = setup.of(runtime, ConnectionKey(session.principal.tenant_id, provider))
    return see(f"/console/setup/{provider}/{found.following or Step.ON}")


@router.get("/setup/{provider}/{step}")
def show(request: Request, runtime: House, session: Admin, provider: str, step: str) -> Response:
    return _page(request, runtime, ConnectionKey(session.principal.tenant_id, provider), _step(step))


@router.post("/setup/{provider}/match")
def match(request: Request, runtime: House, posted: AdminForm, provider: str) -> Response:
    """With `run` the ERP's lists are read and matched; without, the step is done, and what is undecided waits."""
    key = ConnectionKey(posted.user.tenant_id, provider)
    if not posted.text("run"):
        return _taken(runtime, posted, key, Step.MATCH)
    counts = matching.run(runtime, key)
    return _page(request, runtime, key, Step.MATCH, counts=counts)


@router.post("/setup/{provider}/map")
def save_map(request: Request, runtime: House, posted: AdminForm, provider: str) -> Response:
    return _save(request, runtime, posted, ConnectionKey(posted.user.tenant_id, provider), Step.MAP)


@router.post("/setup/{provider}/start")
def save_start(request: Request, runtime: House, posted: AdminForm, provider: str) -> Response:
    return _save(request, runtime, posted, ConnectionKey(posted.user.tenant_id, provider), Step.START)


@router.post("/setup/{provider}/preview")
def preview(request: Request, runtime: House, posted: AdminForm, provider: str) -> Response:
    """What the first sync would send, and what of it would fail. Nothing is sent."""
    key, kinds = ConnectionKey(posted.user.tenant_id, provider), ticked(posted)
    found = preflight.preflight(runtime, key, kinds)
    setup.take(runtime, key, Step.PREVIEW, posted.user.user_id)
    return _page(request, runtime, key, Step.PREVIEW, found=found, kinds=kinds)


@router.post("/setup/{provider}/on")
def switch_on(runtime: House, posted: AdminForm, tasks: BackgroundTasks, provider: str) -> Response:
    """On, and what stands in the shop already is brought over by a bulk sync, which is queued after the answer."""
    key, kinds = ConnectionKey(posted.user.tenant_id, provider), ticked(posted)
    setup.switch_on(runtime, key, posted.user.user_id)
    sync_id, queued = bulk.begin(runtime, key, kinds, by=posted.user.user_id)
    tasks.add_task(partial(bulk.queue, runtime, key, sync_id, queued))
    answer = see(f"/console/syncs/{provider}/{sync_id}?done=on")
    answer.background = tasks
    return answer


def _step(text: str) -> Step:
    if text not in set(Step):
        raise NotFound(f"There is no step {text!r}.", mend=f"The steps are {', '.join(Step)}.")
    return Step(text)


def _taken(runtime: Runtime, posted: Posted, key: ConnectionKey, step: Step) -> Response:
    setup.take(runtime, key, step, posted.user.user_id)
    return see(f"/console/setup/{key.provider}")


def _sections(runtime: Runtime, key: ConnectionKey, step: Step) -> tuple[Section, ...]:
    if step is Step.MAP:
        name = runtime.display_name(key.provider)
        return ("Accounts, items and taxes", IDS), (f"{name}'s own", own_of(runtime, key.provider))
    return (("", START),) if step is Step.START else ()


def _save(request: Request, runtime: Runtime, posted: Posted, key: ConnectionKey, step: Step) -> Response:
    given = settings_form.entered(posted, [one for _, group in _sections(runtime, key, step) for one in group])
    try:
        access.change_settings(runtime, key, settings_form.changes(given), posted.user.user_id)
    except RecordInvalid as error:
        return _page(request, runtime, key, step, error=error, given=given)
    return _taken(runtime, posted, key, step)


def _page(
    request: Request,
    runtime: Runtime,
    key: ConnectionKey,
    step: Step,
    *,
    error: RecordInvalid | None = None,
    given: dict[str, Value] | None = None,
    **found: Any,
) -> Response:
    """One step with all of them above it. Before there is a connection every step is the first one."""
    at = setup.of(runtime, key)
    step = step if at.is_done(Step.CONNECT) else Step.CONNECT
    groups = _sections(runtime, key, step)
    sections, note = sections_of(runtime, key, groups, error, given) if groups else ([], "")
    return page(
        request,
        "setup.html",
        status=status_of(error) if error else 200,
        at=at,
        step=step,
        steps=_steps(at, step),
        title=TITLES[step],
        questions=_asked(runtime, key) if step is Step.MATCH else [],
        sections=sections,
        note=note,
        error=error,
        **{"counts": None, "found": None, "kinds": KINDS, "all_kinds": KINDS, **found},
    )


def _asked(runtime: Runtime, key: ConnectionKey) -> list[Question]:
    with runtime.db.tenant(key.tenant_id) as conn:
        return questions.page(conn, key, decided=False, after=None, limit=QUESTIONS)


def _steps(at: SetUp, current: Step) -> list[tuple[Step, str, str]]:
    """Each step with its title and a word about it."""
    return [
        (step, title, "now" if step is current else "done" if at.is_done(step) else "open")
        for step, title in TITLES.items()
    ]
