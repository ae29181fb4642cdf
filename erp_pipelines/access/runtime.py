"""What every door hands inwards. Built by `bootstrap.build_runtime`, and by tests with parts of their own."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from erp_pipelines.connectors.provider import Connector
from erp_pipelines.domain.alerts import Channel
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.errors import NotFound
from erp_pipelines.security.cipher import Cipher
from erp_pipelines.storage.engine import Database


@dataclass(frozen=True)
class Runtime:
    """One process's parts. `requests_per_minute` is each provider's ceiling for one connection.

    `channels` carry alerts to people; without any they stand in the log only.
    """

    db: Database
    cipher: Cipher
    connectors: Mapping[str, Connector]
    clock: Clock
    public_url: str
    requests_per_minute: Mapping[str, float]
    jitter: Callable[[], float] = random.random
    channels: tuple[Channel, ...] = ()

    def connector(self, provider: str) -> Connector:
        """Raises NotFound for a provider that is not set up here."""
        if provider not in self.connectors:
            known = ", ".join(sorted(self.connectors)) or "none"
            raise NotFound(f"There is no provider {provider!r}.", mend=f"Set up here: {known}.")
        return self.connectors[provider]

    def display_name(self, provider: str) -> str:
        """The provider's name for people; its short one where it is not set up."""
        connector = self.connectors.get(provider)
        return connector.display_name if connector else provider
