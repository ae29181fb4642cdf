"""The part of the control API that all twins share: health, switches, clock, faults and calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from erp_twins.base import Twin
from erp_twins.clock import TwinClock
from erp_twins.faults import FaultRule
from erp_twins.http import Request, Response, json_answer
from erp_twins.jsonio import Doc
from erp_twins.switches import plain

Action = Callable[[Request, Doc], Any]


def answer(route: Callable[[Request], Any], request: Request) -> Response:
    """In JSON; 400 with an `error` text for what cannot be done, 404 for an unknown path or a missing name."""
    try:
        return json_answer(route(request))
    except KeyError as error:
        return json_answer({"error": f"not found or missing: {error}"}, 404)
    except (ValueError, TypeError) as error:
        return json_answer({"error": str(error)}, 400)


def dispatched(actions: Mapping[str, Action], request: Request) -> Any:
    """The result of the action that a request names by method and path. KeyError when there is none."""
    path = request.path.removeprefix("/_twin/").strip("/")
    return actions[f"{request.method} {path}"](request, request.document())


def actions(twin: Twin[Any], name: str) -> dict[str, Action]:
    """What every twin can be asked, by method and path under `/_twin/`."""
    return {
        "GET health": lambda _request, _body: {"status": "ok", "twin": name, "time": twin.clock.now().isoformat()},
        "POST reset": lambda _request, _body: _reset(twin),
        "GET config": lambda _request, _body: plain(twin.configure()),
        "POST config": lambda _request, body: plain(twin.configure(**body)),
        "GET clock": lambda _request, _body: _time(twin.clock),
        "POST clock": lambda _request, body: _set_clock(twin.clock, body),
        "GET faults": lambda _request, _body: twin.dial.listing(),
        "POST faults": lambda _request, body: {"id": twin.dial.add(FaultRule.from_json(body))},
        "DELETE faults": lambda _request, _body: _cleared(twin.clear_faults),
        "GET calls": lambda request, _body: twin.calls.listing(
            int(request.param("since", "0")), request.param("realm")
        ),
        "GET calls/summary": lambda _request, _body: twin.calls.summary(),
        "DELETE calls": lambda _request, _body: _cleared(twin.calls.clear),
    }


def _reset(twin: Twin[Any]) -> Doc:
    twin.reset()
    return {"reset": True}


def _cleared(clear: Callable[[], None]) -> Doc:
    clear()
    return {"cleared": True}


def _time(clock: TwinClock) -> Doc:
    return {"now": clock.now().isoformat(), "frozen": clock.frozen}


def _set_clock(clock: TwinClock, body: Doc) -> Doc:
    """`freeze`, `set` (ISO moment) and `advance` (seconds), in this order."""
    if "freeze" in body:
        clock.freeze(frozen=bool(body["freeze"]))
    if "set" in body:
        clock.set(datetime.fromisoformat(body["set"]))
    if "advance" in body:
        clock.advance(float(body["advance"]))
    return _time(clock)
