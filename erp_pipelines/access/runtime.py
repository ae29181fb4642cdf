"""What every door hands inwards. Built by `bootstrap.build_runtime`, and by tests with parts of their own."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from erp_pipelines.connectors.provider import Connector
from erp_pipelines.domain.alerts import Channel
from erp_pipelines.domain.clock import Clock
from erp_pipelines.domain.errors import NotFound
from erp_pipelines.domain.retention import Keep
from erp_pipelines.security.cipher import Cipher
from erp_pipelines.storage.engine import Database

PULL_SECONDS = 900
REQUESTS_PER_MINUTE = 60.0


@dataclass(frozen=True)
class Runtime:
    """One process's parts. `requests_per_minute` is each provider's ceiling for one connection, `batches_per_minute` that
    of calls which carry several records (as many as of any, where nothing is said).

    `channels` carry alerts to people; without any they stand in the log only. `pull_seconds` is how often each
    provider is asked what changed there. `dagster_url` is where people see Dagster, empty where they cannot; `run_id` is
    that of the run of Dagster's which works with it.
    """

    db: Database
    cipher: Cipher
    connectors: Mapping[str, Connector]
    clock: Clock
    public_url: str
    requests_per_minute: Mapping[str, float]
    jitter: Callable[[], float] = random.random
    channels: tuple[Channel, ...] = ()
    pull_seconds: Mapping[str, float] = field(default_factory=dict)
    batches_per_minute: Mapping[str, float] = field(default_factory=dict)
    dagster_url: str = ""
    run_id: str | None = None
    keep: Keep = field(default_factory=Keep)

    def connector(self, provider: str) -> Connector:
        """Raises NotFound for a provider that is not set up here."""
        if provider not in self.connectors:
            known = ", ".join(sorted(self.connectors)) or "none"
            raise NotFound(f"There is no provider {provider!r}.", mend=f"Set up here: {known}.")
        return self.connectors[provider]

    def per_minute(self, provider: str) -> float:
        """How many calls one connection to this provider may make in a minute."""
        return self.requests_per_minute.get(provider, REQUESTS_PER_MINUTE)

    def pull_every(self, provider: str) -> dt.timedelta:
        """How long what changed in this ERP, and was not told of, may stay unknown here."""
        return dt.timedelta(seconds=self.pull_seconds.get(provider, PULL_SECONDS))

    def display_name(self, provider: str) -> str:
        """The provider's name for people; its short one where it is not set up."""
        connector = self.connectors.get(provider)
        return connector.display_name if connector else provider
