"""What must hold when everything has come to rest, whatever died on the way. The twin's ledger is the oracle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from erp_pipelines.access import connections
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.access.tokens import StoredTokenSource
from erp_pipelines.storage.engine import Connection, Database
from erp_twins.quickbooks import QuickBooksTwin
from tests.killpoints.process import AheadClock
from tests.support.stage import KEY, Stage

KINDS = ("Customer", "Item", "Invoice", "Payment", "RefundReceipt")


@dataclass
class Scene:
    """One tenant's stage, with a look into its tables. `crossed`: the boundaries of the process that died, up to its end."""

    stage: Stage
    crossed: tuple[str, ...] = ()

    @property
    def twin(self) -> QuickBooksTwin:
        return self.stage.twin

    @contextmanager
    def runtime(self, hours: float = 0) -> Iterator[Runtime]:
        made = self.stage.runtime(clock=AheadClock(dt.timedelta(hours=hours)))
        try:
            yield made
        finally:
            made.db.dispose()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self._transaction() as conn:
            return [tuple(row) for row in conn.execute(sa.text(statement))]

    def sql(self, statement: str) -> None:
        with self._transaction() as conn:
            conn.execute(sa.text(statement))

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        database = Database.connect(self.stage.database_url)
        try:
            with database.tenant(KEY.tenant_id) as conn:
                yield conn
        finally:
            database.dispose()

    def waiting(self) -> bool:
        """Whether something is still to be done by the product itself."""
        return self.rows(
            """select exists (select 1 from erp.integration_deliveries where status not in ('Completed', 'Abandoned'))
            or exists (select 1 from erp.integration_inbox where status not in ('Completed', 'Skipped', 'Abandoned'))"""
        ) == [(True,)]


@dataclass(frozen=True)
class Books:
    """The live documents expected; `theirs` of the payments were recorded in the ERP."""

    counts: Mapping[str, int]
    balance: str
    theirs: int = 0


def whole(scene: Scene, books: Books) -> None:
    """Nothing doubled, nothing lost, every outcome settled and explained."""
    ledger = scene.twin.ledger()
    assert {kind: ledger.counts.get(kind, 0) for kind in KINDS if ledger.counts.get(kind)} == dict(books.counts)
    assert {kind: ledger.doubles(kind) for kind in KINDS} == {kind: [] for kind in KINDS}
    assert {row["Balance"] for row in ledger.documents["Invoice"]} == {Decimal(books.balance)}
    assert {row["TotalAmt"] for row in ledger.documents["Invoice"]} == {Decimal("28.10")}
    _mapped(scene, sum(books.counts.values()) - books.theirs, ledger.documents)
    _settled(scene)


def _mapped(scene: Scene, count: int, documents: Mapping[str, list[Any]]) -> None:
    mapped = scene.rows("select external_type, external_id from erp.integration_entity_mappings")
    assert len(mapped) == count
    assert set(mapped) <= {(kind, row["Id"]) for kind in KINDS for row in documents.get(kind, [])}


def _settled(scene: Scene) -> None:
    states = scene.rows("select distinct status, in_doubt, claimed_by is null from erp.integration_deliveries")
    assert states == [("Completed", False, True)]
    assert scene.rows("select distinct status from erp.integration_outbox") == [("Completed",)]
    assert (
        scene.rows(
            """select d.id from erp.integration_deliveries d left join erp.integration_sync_logs l on l.delivery_id = d.id
        and l.outcome = d.outcome and l.status in ('Completed', 'Skipped')
        group by d.id having count(l.id) <> 1"""
        )
        == []
    ), "each completed event is explained by exactly one entry of the log"
    assert scene.rows("select count(*) from erp.integration_alerts") == [(0,)]


def connected(scene: Scene) -> None:
    """The connection is up, and a token of it is good without anybody's help."""
    with scene.runtime() as runtime:
        row = connections.status(runtime, KEY).row
        assert row is not None
        assert (str(row.state), row.state_reason) == ("Connected", None)
        token = StoredTokenSource(runtime, KEY, row.id).access_token()
    assert not isinstance(scene.twin.grants.bearer(token), str), "the token is live at the provider"
    assert sum(grant.alive for grant in scene.twin.grants.grants.values()) == 1


def no_connection(scene: Scene) -> None:
    """Disconnected here and there, with no secret left."""
    assert scene.rows(
        "select state, access_token_encrypted, refresh_token_encrypted from erp.integration_connections"
    ) == [("Not Connected", None, None)]
    assert not any(grant.alive for grant in scene.twin.grants.grants.values())
    assert len(scene.rows("select 1 from erp.integration_entity_mappings")) == 5
