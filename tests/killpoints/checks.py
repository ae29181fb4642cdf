"""What must hold when everything has come to rest, whatever died on the way. The twin's ledger is the oracle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from erp_pipelines.access import connections
from erp_pipelines.access.tokens import StoredTokenSource
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.events import EntityType
from erp_pipelines.storage.engine import Connection, Database
from tests.killpoints.host import Host
from tests.killpoints.process import AheadClock
from tests.support.erps import Document, StagedErp
from tests.support.stage import Stage

TOTAL = Decimal("28.10")  # of the one order that each flow is about


@dataclass
class Scene:
    """One tenant's stage, with a look into its tables. `crossed`: the boundaries of the process that died, up to its end."""

    stage: Stage
    crossed: tuple[str, ...] = ()

    @property
    def there(self) -> StagedErp:
        return self.stage.there

    @property
    def twin(self) -> Any:
        return self.stage.twin

    @property
    def key(self) -> ConnectionKey:
        return self.stage.key

    @contextmanager
    def host(self, hours: float = 0) -> Iterator[Host]:
        made = self.stage.runtime(clock=AheadClock(dt.timedelta(hours=hours)))
        try:
            yield Host(made, type(self.there))
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
        with self._database.tenant(self.key.tenant_id) as conn:
            yield conn

    @cached_property
    def _database(self) -> Database:
        """Kept: connecting anew for each look would be most of a point's time."""
        return Database.connect(self.stage.database_url, pool_size=1)

    def close(self) -> None:
        self._database.dispose()

    def waiting(self) -> bool:
        """Whether something is still to be done by the product itself."""
        return self.rows(
            """select exists (select 1 from erp.integration_deliveries where status not in ('Completed', 'Abandoned'))
            or exists (select 1 from erp.integration_inbox where status not in ('Completed', 'Skipped', 'Abandoned'))"""
        ) == [(True,)]


@dataclass(frozen=True)
class Books:
    """How many documents are expected and what is open of the order; `theirs` of the payments were recorded in the ERP."""

    counts: Mapping[EntityType, int]
    balance: Decimal
    theirs: int = 0


def same(found: object, expected: object) -> None:
    """An assertion that shows its values without pytest, too."""
    assert found == expected, f"{found!r} instead of {expected!r}"


def whole(scene: Scene, expected: Books) -> None:
    """Nothing doubled, nothing lost, every outcome settled and explained."""
    _settled(scene)
    books = scene.there.books()
    same({entity: len(documents) for entity, documents in books.items() if documents}, dict(expected.counts))
    same(scene.there.doubles(), {})
    same({(order.total, order.balance) for order in books[EntityType.ORDER]}, {(TOTAL, expected.balance)})
    _mapped(scene, sum(expected.counts.values()) - expected.theirs, books)


def _mapped(scene: Scene, count: int, books: Mapping[EntityType, list[Document]]) -> None:
    mapped = scene.rows("select external_type, external_id from erp.integration_entity_mappings")
    same(len(mapped), count)
    same(set(mapped) - {(document.type, document.id) for documents in books.values() for document in documents}, set())


def _settled(scene: Scene) -> None:
    odd = "status <> 'Completed' or in_doubt or claimed_by is not null"
    same(scene.rows(f"select entity_type, status, last_error from erp.integration_deliveries where {odd}"), [])
    same(scene.rows("select distinct status from erp.integration_outbox"), [("Completed",)])
    explained(scene)
    same(scene.rows("select cause from erp.integration_alerts"), [])


def explained(scene: Scene) -> None:
    """Each completed event is explained by exactly one entry of the log, with the outcome that the event has."""
    ends = scene.rows(
        """select d.entity_type, d.entity_id, d.outcome, array_agg(l.outcome) from erp.integration_deliveries d
        left join erp.integration_sync_logs l on l.delivery_id = d.id and l.status in ('Completed', 'Skipped')
        where d.status = 'Completed' group by d.id"""
    )
    same([end for end in ends if end[3] != [end[2]]], [])


def connected(scene: Scene) -> None:
    """The connection is up, and a token of it is good without anybody's help."""
    with scene.host() as host:
        row = connections.status(host.runtime, scene.key).row
        assert row is not None
        assert (str(row.state), row.state_reason) == ("Connected", None)
        token = StoredTokenSource(host.runtime, scene.key, row.id).access_token()
    assert scene.there.takes(token), "the token is live at the provider"
    assert scene.there.live_grants() == 1


def no_connection(scene: Scene) -> None:
    """Disconnected here, and there where that is possible, with no secret left."""
    assert scene.rows(
        "select state, access_token_encrypted, refresh_token_encrypted from erp.integration_connections"
    ) == [("Not Connected", None, None)]
    assert scene.there.live_grants() == (0 if scene.there.revocable else 1)
    assert len(scene.rows("select 1 from erp.integration_entity_mappings")) == 5
