"""What the books of an account allow: found when it is connected, kept, and lent back as facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from erp_pipelines.connectors.base import ConnectionFacts
from erp_pipelines.connectors.netsuite.accounts import Account
from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.netsuite.settings import NetSuiteSettings, own_settings
from erp_pipelines.connectors.netsuite.zones import Zone
from erp_pipelines.connectors.provider import InFlight
from erp_pipelines.domain.connections import ConnectionSettings

NO_ZONE_YET = Zone("America/Los_Angeles", proven=False)


@dataclass(frozen=True)
class Books:
    """What the mapper must know of an account: its facts, the tenant's settings and the switches.

    `currencies` gives NetSuite's id of a currency by its code; empty where the account has only one; `terms`
    the id of payment terms by their name in lower case.
    """

    config: NetSuiteConfig
    account: Account
    own: NetSuiteSettings = field(default_factory=NetSuiteSettings)
    settings: ConnectionSettings = field(default_factory=ConnectionSettings)
    subsidiaries: Mapping[str, str] = field(default_factory=dict)
    suite_tax: bool = True
    currencies: Mapping[str, str] = field(default_factory=dict)
    home_currency: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)
    zone: Zone = NO_ZONE_YET

    @property
    def one_world(self) -> bool:
        """Whether records belong to subsidiaries; elsewhere the field is refused."""
        return bool(self.subsidiaries)

    @property
    def subsidiary(self) -> str | None:
        """The one of the settings, else the only one that there is."""
        only = next(iter(self.subsidiaries)) if len(self.subsidiaries) == 1 else None
        return self.own.subsidiary_id or only

    @property
    def document(self) -> str:
        """The record type that stands for an order."""
        return self.own.document


def books(connection: ConnectionFacts, config: NetSuiteConfig) -> Books:
    """The facts that `described` found; where one is missing, what most accounts have."""
    facts, own = connection.company, own_settings(connection)
    suite_tax = own.tax_engine == "suiteTax" if own.tax_engine else facts.get("suiteTax") is not False
    return Books(
        config=config,
        account=Account.parse(connection.company_id),
        own=own,
        settings=connection.settings,
        subsidiaries=_texts(facts.get("subsidiaries")),
        suite_tax=suite_tax,
        currencies=_texts(facts.get("currencies")),
        home_currency=str(facts.get("homeCurrency") or ""),
        terms={name.casefold(): ident for name, ident in _texts(facts.get("terms")).items()},
        zone=_zone(own, facts, config),
    )


def in_flight(connection: ConnectionFacts, config: NetSuiteConfig) -> InFlight:
    """As many calls at once as the tenant allows and the account has, one of which is left to others unless all are ours."""
    limit = connection.company.get("concurrencyLimit")
    allowed = [own_settings(connection).concurrency]
    if limit:
        allowed.append(int(limit) if connection.company.get("concurrencyIsOurs") else int(limit) - 1)
    most = max(min((one for one in allowed if one is not None), default=config.most_in_flight), 1)
    return InFlight(min(config.start_in_flight, most), most)


def _zone(own: NetSuiteSettings, facts: Mapping[str, object], config: NetSuiteConfig) -> Zone:
    if own.time_zone:
        return Zone(own.time_zone, proven=True)
    return Zone(str(facts.get("zone") or config.zone), proven=bool(facts.get("zoneProven")))


def _texts(found: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, Mapping) else {}
