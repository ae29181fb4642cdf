"""The only door to the providers."""

from __future__ import annotations

from erp_pipelines.connectors.catalogue import catalogue, has_catalogue
from erp_pipelines.connectors.http import Transport
from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.netsuite.connector import NetSuiteConnector
from erp_pipelines.connectors.provider import Connector
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.connector import QuickBooksConnector
from erp_pipelines.domain.catalogue import FaultCatalogue
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.errors import NotFound

PROVIDERS = {"quickbooks": "QuickBooks", "netsuite": "NetSuite"}


def connectors(
    *,
    quickbooks: QuickBooksConfig | None = None,
    netsuite: NetSuiteConfig | None = None,
    transport: Transport | None = None,
    clock: Clock | None = None,
) -> dict[str, Connector]:
    """The connectors of the providers that are configured, by provider.

    `transport` carries every request of theirs (tests, proxies); `clock` times what happens before there is a
    connection, which brings a clock of its own.
    """
    found: dict[str, Connector] = {}
    if quickbooks is not None:
        found["quickbooks"] = QuickBooksConnector(quickbooks, transport=transport, clock=clock)
    if netsuite is not None:
        found["netsuite"] = NetSuiteConnector(netsuite, transport=transport, clock=clock)
    return found


def catalogues() -> tuple[FaultCatalogue, ...]:
    """How the faults of each provider are classified, as far as its package holds a catalogue."""
    return tuple(catalogue(provider) for provider in PROVIDERS if has_catalogue(provider))


def display_name(provider: str) -> str:
    """The provider as people read it; NotFound, naming the known ones, for any other."""
    if provider not in PROVIDERS:
        known = ", ".join(PROVIDERS)
        raise NotFound(f"{provider!r} is no provider.", mend=f"Known are {known}.")
    return PROVIDERS[provider]
