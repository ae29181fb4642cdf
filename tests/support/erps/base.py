"""A provider as the harnesses know it: its twin, its books and its people, in words that fit every provider."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar

from erp_pipelines.access import connections
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import tenants
from erp_pipelines.connectors.http import Transport
from erp_pipelines.connectors.provider import Connector
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.events import EntityType
from erp_pipelines.settings import Settings
from erp_twins.clock import TwinClock
from erp_twins.serve import TwinServer

PUBLIC_URL = "http://localhost:8000"
Fault = Mapping[str, Any]
Browse = Callable[[str], str]  # follows a link of the product's as an admin's browser does; where it is redirected to


@dataclass(frozen=True)
class Document:
    """A record in the ERP's books. `mark`: our id of it, where the ERP shows one; `text`: the memo that people read."""

    entity: EntityType
    type: str
    id: str
    mark: str | None
    name: str
    text: str = ""
    total: Decimal = Decimal(0)
    balance: Decimal = Decimal(0)
    void: bool = False


class StagedErp(ABC):
    """One provider's twin with the people around it.

    Class attributes say what the provider is like and choose the flows that it is put through; no harness asks for its
    name. `habit` is one of `habits`: an account that is set up in another way than most.
    """

    provider: ClassVar[str]
    habits: ClassVar[tuple[str, ...]] = ()
    batching: ClassVar[str] = ""  # the habit with which one call carries several records, where there is one
    company: ClassVar[str]
    types: ClassVar[Mapping[EntityType, str]]  # what our entities are called there
    api: ClassVar[str]  # regular expression of paths: calls about records, not about tokens
    hostilities: ClassVar[
        tuple[Fault, ...]
    ]  # what a network may do to them, `seconds` of slowness in shares of patience
    refusal: ClassVar[type[Exception]]  # what people there run into
    token_call: ClassVar[str]  # method and last part of the path
    replacing: ClassVar[Fault | None] = None  # switches of a twin whose every renewal ends the token before
    tells: ClassVar[bool] = False  # whether it tells of changes by webhooks; all are pulled from
    revocable: ClassVar[bool] = True  # whether a disconnected grant is dead there too
    refunds: ClassVar[Mapping[str, Any] | None] = None  # settings that refunds need; None where they are not brought

    twin: Any

    def __init__(
        self, habit: str = "", *, clock: TwinClock | None = None, public_url: str = PUBLIC_URL, **config: Any
    ) -> None:
        self.habit, self.public_url = habit, public_url
        self.twin = self._twin(clock, config)

    @abstractmethod
    def _twin(self, clock: TwinClock | None, config: dict[str, Any]) -> Any:
        """A twin of these switches, and with the habit; not throttled and silent unless asked otherwise."""

    # --- the product's side ---

    @property
    def settings(self) -> Mapping[str, Any]:
        """Of the connection, to be made once it stands."""
        return {}

    @abstractmethod
    def environment(self, url: str) -> dict[str, str]:
        """The product's settings for this twin at `url`."""

    @classmethod
    @abstractmethod
    def connectors(
        cls, settings: Settings, habit: str = "", *, transport: Transport | None = None, clock: Clock | None = None
    ) -> dict[str, Connector]:
        """The product's connector, set up for an account of this habit."""

    @classmethod
    def set_up(cls, runtime: Runtime, settings: Settings, habit: str, transport: Transport | None = None) -> Runtime:
        """The runtime with a connector for an account of this habit."""
        made = cls.connectors(settings, habit, transport=transport, clock=runtime.clock)
        return replace(runtime, connectors=made)

    @classmethod
    def key(cls, tenant_id: str = "acme") -> ConnectionKey:
        return ConnectionKey(tenant_id, cls.provider)

    @classmethod
    @abstractmethod
    def bring(cls, runtime: Runtime, tenant_id: str, company: str, browse: Browse) -> dict[str, str]:
        """What an admin brings to a connection: the redirect of a consent, or credentials."""

    @classmethod
    @abstractmethod
    def finish(cls, runtime: Runtime, tenant_id: str, brought: Mapping[str, str]) -> None:
        """Connect with what was brought. Raises ConsentRefused when it is spent."""

    def connect(
        self, runtime: Runtime, tenant_id: str = "acme", company: str = "", browse: Browse | None = None
    ) -> None:
        """Tenant and connection, through the real flow."""
        with runtime.db.tenant(tenant_id) as conn:
            tenants.add(conn, tenant_id, tenant_id.title())
        self.reconnect(runtime, tenant_id, company, browse)
        if self.settings:
            connections.change_settings(runtime, self.key(tenant_id), dict(self.settings), "admin")

    def reconnect(
        self, runtime: Runtime, tenant_id: str = "acme", company: str = "", browse: Browse | None = None
    ) -> None:
        brought = self.bring(runtime, tenant_id, company or self.company, browse or self.browse)
        self.finish(runtime, tenant_id, brought)

    def browse(self, url: str) -> str:
        """Follow a link without a socket."""
        raise NotImplementedError(url)

    # --- the books ---

    @abstractmethod
    def add_company(self, company: str, name: str) -> None: ...

    @abstractmethod
    def books(self, company: str = "") -> dict[EntityType, list[Document]]:
        """What stands there; what was voided too, what was deleted or is inactive not."""

    @abstractmethod
    def ever(self, entity: EntityType, company: str = "") -> list[Document]:
        """All that was not deleted, inactive or not."""

    def doubles(self, company: str = "") -> dict[EntityType, int]:
        """By entity, how many groups of documents stand more than once, by the ledger's own keys."""
        ledger = self.twin.ledger(company or self.company)
        found = {entity: len(ledger.doubles(kind)) for entity, kind in self.types.items()}
        return {entity: count for entity, count in found.items() if count}

    # --- its people ---

    @abstractmethod
    def pays(self, document: Document, amount: Decimal | None = None, company: str = "") -> str:
        """A payment of the open balance, or of a part of it; the payment's id. Raises `refusal`."""

    @abstractmethod
    def notes(self, document: Document, text: str, company: str = "") -> None:
        """Somebody writes a remark on a sales document."""

    @abstractmethod
    def voids(self, document: Document, company: str = "") -> None: ...

    @abstractmethod
    def deletes_payment(self, payment_id: str, company: str = "") -> None: ...

    @abstractmethod
    def switches_off(self, product: Document, company: str = "") -> None: ...

    @abstractmethod
    def switches_on_all(self, company: str = "") -> None: ...

    # --- its trouble ---

    @classmethod
    @abstractmethod
    def writes(cls, entity: EntityType, *, new: bool, habit: str = "") -> Fault:
        """Match fields of the fault dial: a call that makes such a record, or changes one."""

    def silence(self, entity: EntityType, *, new: bool) -> None:
        """The next such write is done; neither its answer nor one to its repeats arrives, nor can the new one be found."""
        write = self.writes(entity, new=new, habit=self.habit)
        self.twin.add_fault("drop_after_commit", **write, times=1)
        self.twin.add_fault("drop_before_commit", **(write | {"operation": ""} if new else write), times=None)

    def time_is(self, moment: dt.datetime) -> None:
        """Its clock goes on from there."""
        self.twin.clock.set(moment)

    # --- its tokens ---

    @abstractmethod
    def ends_access(self, company: str = "") -> None:
        """The access tokens of the company end before their time."""

    @abstractmethod
    def takes(self, token: str) -> bool:
        """Whether an access token is good."""

    @abstractmethod
    def live_grants(self) -> int: ...

    # --- what it tells ---

    def tidings(self) -> list[tuple[dict[str, str], bytes]]:
        """Headers and body of the webhooks that it would send now, taken from it."""
        return []


@contextmanager
def served(erp: StagedErp, *, deliver: bool = False) -> Iterator[str]:
    """The twin on a loopback port; its URL."""
    with TwinServer(erp.twin, deliver=deliver) as server:
        yield server.url
