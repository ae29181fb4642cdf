"""A tenant connected to the QuickBooks twin through the real consent, with the real command line beside it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from erp_pipelines.access import consent
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.bootstrap import build_runtime
from erp_pipelines.commerce import tenants
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.security.cipher import new_key
from erp_pipelines.settings import Settings
from erp_twins.quickbooks import QuickBooksTwin, TwinConfig
from erp_twins.serve import TwinServer

ROOT = Path(__file__).resolve().parents[2]
NORTHWIND = ROOT.parent / "shared" / "data" / "northwind"
MAPS = ROOT / "tests" / "data" / "northwind-maps"
KEY = ConnectionKey("acme", "quickbooks")
CLIENT = ("acceptance-app", "acceptance-secret")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Stage:
    """One tenant, one twin, one database."""

    server: TwinServer
    database_url: str
    public_url: str = "http://localhost:8000"
    extra: dict[str, str] = field(default_factory=dict)
    encryption_key: str = field(default_factory=lambda: f"k1:{new_key()}")
    jwt_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def twin(self) -> QuickBooksTwin:
        return self.server.twin

    def environment(self) -> dict[str, str]:
        """What a process of the product needs; nothing of this machine's own settings gets in."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ERP_", "DAGSTER"))}
        return {
            **inherited,
            "ERP_DATABASE_URL": self.database_url,
            "ERP_PUBLIC_URL": self.public_url,
            "ERP_ENCRYPTION_KEYS": self.encryption_key,
            "ERP_JWT_SECRET": self.jwt_secret,
            "ERP_QUICKBOOKS_CLIENT_ID": CLIENT[0],
            "ERP_QUICKBOOKS_CLIENT_SECRET": CLIENT[1],
            "ERP_QUICKBOOKS_WEBHOOK_VERIFIER_TOKEN": "acceptance-verifier",
            "ERP_QUICKBOOKS_API_URL": self.server.url,
            "ERP_QUICKBOOKS_AUTHORIZE_URL": f"{self.server.url}/connect/oauth2",
            "ERP_QUICKBOOKS_TOKEN_URL": f"{self.server.url}/oauth2/v1/tokens/bearer",
            "ERP_QUICKBOOKS_REVOKE_URL": f"{self.server.url}/v2/oauth2/tokens/revoke",
            "ERP_QUICKBOOKS_REQUESTS_PER_MINUTE": "600000",
            **self.extra,
        }

    def settings(self) -> Settings:
        names = Settings.model_fields
        given = {
            name.removeprefix("ERP_").lower(): value
            for name, value in self.environment().items()
            if name.startswith("ERP_")
        }
        return Settings(_env_file=None, **{name: value for name, value in given.items() if name in names})  # type: ignore[call-arg]

    def runtime(self, **changes: Any) -> Runtime:
        return build_runtime(self.settings(), **changes)

    def erp(self, *arguments: str, timeout: float = 280, **env: str) -> subprocess.CompletedProcess[str]:
        """The real command, in a process of its own."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment() | env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=ROOT,
        )

    def command(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name("erp")), *arguments]

    def connect(self, runtime: Runtime, realm: str = "9130350000000001", key: ConnectionKey = KEY) -> None:
        """Tenant, consent page, callback: as an admin's browser goes through it."""
        with runtime.db.tenant(key.tenant_id) as conn:
            tenants.add(conn, key.tenant_id, key.tenant_id.title())
        self.consent(runtime, realm, key)

    def consent(self, runtime: Runtime, realm: str = "9130350000000001", key: ConnectionKey = KEY) -> None:
        """Consent page and callback, for a tenant that is there."""
        url = consent.begin(runtime, key.tenant_id, "admin", "quickbooks")
        answer = approve(url, realm)
        consent.finish(
            runtime,
            "quickbooks",
            code=answer["code"],
            company_id=answer["realmId"],
            state=answer["state"],
            user_id="admin",
        )


def approve(url: str, realm: str) -> dict[str, str]:
    """Click "Connect" on the consent page; what the redirect to the callback carries."""
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        opener.open(f"{url}&twin_approve={realm}", timeout=10)
    except urllib.error.HTTPError as redirect:
        with redirect:
            target = redirect.headers["Location"]
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query))


@contextmanager
def staged(database_url: str, public_url: str = "http://localhost:8000", **config: Any) -> Iterator[Stage]:
    """A stage with a twin of these settings; not throttled and silent unless asked otherwise."""
    twin = QuickBooksTwin(TwinConfig(**{"throttle": False, "webhook_verifier_token": "acceptance-verifier", **config}))
    twin.add_app(*CLIENT, (f"{public_url}/api/integrations/quickbooks/callback",), "Acceptance")
    with TwinServer(twin, deliver=bool(config.get("webhook_url"))) as server:
        yield Stage(server, database_url, public_url)
