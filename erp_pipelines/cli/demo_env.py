"""The demo's own settings: made once, kept in the data directory, so that a second demo finds its data readable."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

from erp_pipelines.security.cipher import new_key
from erp_pipelines.server.supervisor import Service
from erp_pipelines.settings import Settings

TWIN_PORT = 8101
FIRST_ORDER = 1001


@dataclass
class DemoEnvironment:
    """The environment of the demo's services, as a file that a shell can read too."""

    path: Path
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, data_dir: Path) -> DemoEnvironment:
        """What an earlier demo made, or new secrets."""
        env = cls(data_dir.resolve() / "demo.env")
        if env.path.exists():
            lines = env.path.read_text().splitlines()
            env.values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        for name, value in env._defaults().items():
            env.values.setdefault(name, value)
        env.values["ERP_DATA_DIR"] = str(data_dir.resolve())
        env.save()
        return env

    def _defaults(self) -> dict[str, str]:
        return {
            "ERP_ENCRYPTION_KEYS": f"demo:{new_key()}",
            "ERP_JWT_SECRET": secrets.token_urlsafe(32),
            "ERP_QUICKBOOKS_CLIENT_ID": "demo-app",
            "ERP_QUICKBOOKS_CLIENT_SECRET": secrets.token_urlsafe(24),
            "ERP_QUICKBOOKS_WEBHOOK_VERIFIER_TOKEN": secrets.token_urlsafe(24),
            "ERP_QUICKBOOKS_ENVIRONMENT": "sandbox",
            "ERP_QUICKBOOKS_API_URL": self.twin_url,
            "ERP_QUICKBOOKS_APP_URL": self.twin_url,
            "ERP_QUICKBOOKS_AUTHORIZE_URL": f"{self.twin_url}/connect/oauth2",
            "ERP_QUICKBOOKS_TOKEN_URL": f"{self.twin_url}/oauth2/v1/tokens/bearer",
            "ERP_QUICKBOOKS_REVOKE_URL": f"{self.twin_url}/v2/oauth2/tokens/revoke",
            "DEMO_ORDERS_MADE": "0",
        }

    def save(self) -> None:
        """Readable by its owner only: it holds secrets."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = "# Made by `erp demo`; the secrets guard made-up data only.\n"
        text += "".join(f"{name}={value}\n" for name, value in sorted(self.values.items()))
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)

    def apply(self) -> None:
        """Into this process's environment, which its services inherit. What the caller has set already stays."""
        for name, value in self.values.items():
            os.environ.setdefault(name, value)

    @property
    def twin_url(self) -> str:
        return f"http://127.0.0.1:{TWIN_PORT}"

    @property
    def orders_made(self) -> int:
        return int(self.values.get("DEMO_ORDERS_MADE", "0"))

    def next_order_number(self, count: int) -> int:
        """The first of `count` new order numbers; each demo makes orders of its own."""
        first = FIRST_ORDER + self.orders_made
        self.values["DEMO_ORDERS_MADE"] = str(self.orders_made + count)
        self.save()
        return first

    def twin_service(self, settings: Settings) -> Service:
        """The QuickBooks twin, which keeps its books over a restart."""
        state = settings.data_dir.resolve() / "twins" / "quickbooks.json"
        state.parent.mkdir(parents=True, exist_ok=True)
        base = settings.public_url.rstrip("/") + "/api/integrations/quickbooks"
        # Joined by "=": a random secret may begin with a dash.
        options = {
            "quickbooks-port": str(TWIN_PORT), "state": str(state), "redirect-uri": f"{base}/callback",
            "client-id": self.values["ERP_QUICKBOOKS_CLIENT_ID"],
            "client-secret": self.values["ERP_QUICKBOOKS_CLIENT_SECRET"], "webhook-url": f"{base}/webhook",
            "webhook-verifier-token": self.values["ERP_QUICKBOOKS_WEBHOOK_VERIFIER_TOKEN"],
        }  # fmt: skip
        command = [sys.executable, "-m", "erp_twins", *(f"--{name}={value}" for name, value in options.items())]
        ready = f"{self.twin_url}/_twin/health"
        return Service("quickbooks twin", command, {}, ready, 60, True, (TWIN_PORT,), "end the program that uses it")
