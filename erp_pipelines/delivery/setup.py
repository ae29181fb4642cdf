"""Setting a connection up, step by step: connected, matched, mapped, from which day, previewed, on.

What can be told from the connection is; that a person has been through the others is written down, so that the way can be
left at any step and gone on with later. Nothing is brought over before the last step.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog

from erp_pipelines.access import connections as access
from erp_pipelines.access.connections import Status
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.delivery import matching
from erp_pipelines.domain.connections import ConnectionKey, ConnectionState
from erp_pipelines.domain.errors import Conflict
from erp_pipelines.storage import connections, questions, setup_steps

log = structlog.get_logger("erp.delivery")


class Step(StrEnum):
    CONNECT = "connect"
    MATCH = "match"
    MAP = "map"
    START = "start"
    PREVIEW = "preview"
    ON = "on"


@dataclass(frozen=True)
class SetUp:
    """How far a connection is. `can_match`: its customers and products can be listed; `asked`: how many a person must
    still decide about; `taken`: when a person went through a step.
    """

    status: Status
    taken: Mapping[str, dt.datetime]
    can_match: bool = False
    asked: int = 0

    def is_done(self, step: Step) -> bool:
        if step is Step.CONNECT:
            return self.status.state is ConnectionState.CONNECTED
        return step in self.taken and (step is not Step.ON or self.is_on)

    @property
    def is_on(self) -> bool:
        """Whether changes are brought over by themselves."""
        return self.status.row is not None and self.status.row.settings.auto_sync_enabled

    @property
    def following(self) -> Step | None:
        """The first step that is not done; None when the connection is set up."""
        return next((step for step in Step if not self.is_done(step)), None)


def of(runtime: Runtime, key: ConnectionKey) -> SetUp:
    """Raises NotFound for a provider that is neither set up here nor was ever connected."""
    status = access.status(runtime, key)
    row = status.row
    if row is None or not row.last_company_id:
        return SetUp(status, {})
    with runtime.db.tenant(key.tenant_id) as conn:
        taken = setup_steps.taken(conn, key, row.last_company_id)
        asked = questions.count_open(conn, key)
    return SetUp(status, taken, matching.is_possible(runtime, row), asked)


def prepare(runtime: Runtime, key: ConnectionKey) -> None:
    """Before a connection is made for the first time: it is to bring nothing over until it is switched on.

    Raises NotFound for a provider that is not set up here.
    """
    documents_when = runtime.connector(key.provider).documents_when
    with runtime.db.tenant(key.tenant_id) as conn:
        connections.prepare(conn, key, documents_when)


def take(runtime: Runtime, key: ConnectionKey, step: Step, by: str) -> None:
    """A person has been through this step. Raises Conflict while nothing is connected."""
    with runtime.db.tenant(key.tenant_id) as conn:
        row = connections.get(conn, key)
        if not row.external_company_id:
            raise Conflict(f"{key} is not connected.", mend="Connect it first.")
        setup_steps.take(conn, key, row.external_company_id, step, by=by, now=runtime.clock.now())


def switch_on(runtime: Runtime, key: ConnectionKey, by: str) -> None:
    """From now on what changes here is brought over by itself. What stood before comes with a bulk sync. Raises Conflict
    while nothing is connected.
    """
    take(runtime, key, Step.ON, by)
    access.change_settings(runtime, key, {"autoSyncEnabled": True}, by)
    log.info("switched on", connection=str(key), by=by)
