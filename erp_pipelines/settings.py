"""What the environment says. The only reader of it; names and defaults are the contract's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.domain.errors import SettingsInvalid
from erp_pipelines.domain.retention import Keep

MAKE_A_KEY = "Make one with `erp keys new` and set ERP_ENCRYPTION_KEYS to what it prints."


class Settings(BaseSettings):
    """The settings of one process. `from_env` reads the environment and a `.env` file."""

    model_config = SettingsConfigDict(
        env_prefix="ERP_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    database_url: SecretStr | None = None
    data_dir: Path = Path(".erp")
    dagster_database_url: SecretStr | None = None
    public_url: str = "http://localhost:8000"
    api_port: int = Field(default=8000, ge=1, le=65535)
    dagster_port: int = Field(default=3000, ge=1, le=65535)
    dagster_url: str | None = None  # where people see it; on this machine at its port, where nothing is set
    code_port: int = Field(default=4266, ge=1, le=65535)  # between Dagster's services and our code
    demo_twin_port: int = Field(default=8101, ge=1, le=65535)
    demo_netsuite_port: int = Field(default=8102, ge=1, le=65535)
    jwt_secret: SecretStr | None = None
    jwt_jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    encryption_keys: SecretStr | None = None
    quickbooks_client_id: str | None = None
    quickbooks_client_secret: SecretStr | None = None
    quickbooks_webhook_verifier_token: SecretStr | None = None
    quickbooks_environment: Literal["sandbox", "production"] = "sandbox"
    quickbooks_api_url: str | None = None
    quickbooks_app_url: str | None = None  # where a person opens a document
    quickbooks_authorize_url: str | None = None
    quickbooks_token_url: str | None = None
    quickbooks_revoke_url: str | None = None
    # QuickBooks takes 500 a minute for one company from all apps together; the rest is left to others.
    quickbooks_requests_per_minute: float = Field(default=480, gt=0)
    # Of 40 that QuickBooks takes; one is left for a batch that arrives late, in the minute after its own.
    quickbooks_batches_per_minute: float = Field(default=39, gt=0)
    # One: batches are off. A company with a large backlog may switch them on (docs/providers/quickbooks.md).
    quickbooks_batch_size: int = Field(default=1, ge=1, le=30)
    quickbooks_batch_least: int = Field(default=8, ge=1)
    quickbooks_pull_seconds: float = Field(default=900, gt=0)
    # What stands before /services/rest, and where a person opens a record; NetSuite's own by account where they are not set.
    netsuite_url: str | None = None
    netsuite_app_url: str | None = None
    # NetSuite limits calls at once, not their number in a minute: this is a ceiling that nobody should reach.
    netsuite_requests_per_minute: float = Field(default=6000, gt=0)
    netsuite_pull_seconds: float = Field(default=300, gt=0)
    alert_urls: SecretStr | None = None
    poll_interval_seconds: float = Field(default=1, gt=0)
    connection_runs: int = Field(default=4, ge=0)
    lanes: int = Field(default=2, ge=1)
    linger_seconds: float = Field(default=30, ge=0)
    # One lane is always there, so that the first event after a quiet time waits for no process to start.
    standby: bool = False
    # Also read by OpenTelemetry itself; unset, nothing is traced.
    otel_endpoint: str | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    keep_payload_days: int = Field(default=90, ge=1)
    keep_event_days: int = Field(default=365, ge=1)
    keep_notice_days: int = Field(default=90, ge=1)
    keep_log_days: int = Field(default=730, ge=1)
    keep_run_days: int = Field(default=30, ge=1)

    @classmethod
    def from_env(cls) -> Settings:
        """Raises SettingsInvalid naming the variable that is wrong."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            name = "ERP_" + "_".join(str(part) for part in first["loc"]).upper()
            raise SettingsInvalid(
                f"{name}: {first['msg']}.", mend="Correct it in the environment or in .env."
            ) from None

    def dagster_for_people(self) -> str:
        """Where links to Dagster lead; empty, and so no links, for an installation that others reach and nobody has set it."""
        local = urlsplit(self.public_url).hostname in {"localhost", "127.0.0.1"}
        return (self.dagster_url or (f"http://localhost:{self.dagster_port}" if local else "")).rstrip("/")

    def quickbooks(self) -> QuickBooksConfig | None:
        """The Intuit app; None when no client id is set. Raises SettingsInvalid when half of it is missing."""
        if not self.quickbooks_client_id:
            return None
        if self.quickbooks_client_secret is None:
            raise SettingsInvalid(
                "ERP_QUICKBOOKS_CLIENT_ID is set, but ERP_QUICKBOOKS_CLIENT_SECRET is not.",
                mend="Both stand on the app's page at the provider, under Keys and credentials.",
            )
        verifier = self.quickbooks_webhook_verifier_token
        urls: dict[str, Any] = {
            "api_url": self.quickbooks_api_url, "app_url": self.quickbooks_app_url, "token_url": self.quickbooks_token_url,
            "authorize_url": self.quickbooks_authorize_url, "revoke_url": self.quickbooks_revoke_url,
        }  # fmt: skip
        return QuickBooksConfig(
            client_id=self.quickbooks_client_id,
            client_secret=self.quickbooks_client_secret.get_secret_value(),
            verifier_token=verifier.get_secret_value() if verifier else "",
            environment=self.quickbooks_environment,
            batch_size=self.quickbooks_batch_size,
            batch_least=self.quickbooks_batch_least,
            **{name: url for name, url in urls.items() if url},
        )

    def keep(self) -> Keep:
        """How long data are kept."""
        return Keep(
            payload_days=self.keep_payload_days,
            event_days=self.keep_event_days,
            notice_days=self.keep_notice_days,
            log_days=self.keep_log_days,
            run_days=self.keep_run_days,
        )

    def netsuite(self) -> NetSuiteConfig:
        """Always there: tenants bring their own credentials."""
        return NetSuiteConfig(url=self.netsuite_url or "", app_url=self.netsuite_app_url or "")

    def require_encryption_keys(self) -> str:
        """The key ring as text. Raises SettingsInvalid when there is none: tokens are never stored in clear."""
        if self.encryption_keys is None or not self.encryption_keys.get_secret_value().strip():
            raise SettingsInvalid(
                "ERP_ENCRYPTION_KEYS is not set: without a key no token can be stored.", mend=MAKE_A_KEY
            )
        return self.encryption_keys.get_secret_value()
