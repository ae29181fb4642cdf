"""The demo's own settings: made once, kept in the data directory, so that a second demo finds its data readable."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

from erp_pipelines.cli.demo import certificates
from erp_pipelines.security.cipher import new_key
from erp_pipelines.server.supervisor import Service
from erp_pipelines.settings import Settings

FIRST_ORDER = 1001


@dataclass
class DemoEnvironment:
    """The environment of the demo's services, as a file that a shell can read too."""

    path: Path
    quickbooks_port: int
    netsuite_port: int
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, settings: Settings) -> DemoEnvironment:
        """What an earlier demo made, or new secrets; addresses follow the settings of today."""
        data_dir = settings.data_dir.resolve()
        env = cls(data_dir / "demo.env", settings.demo_twin_port, settings.demo_netsuite_port)
        if env.path.exists():
            lines = env.path.read_text().splitlines()
            env.values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        for name, value in env._defaults().items():
            env.values.setdefault(name, value)
        env.values |= env._addresses(settings)
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
            "DEMO_NETSUITE_CLIENT_ID": "demo-integration",
            "DEMO_NETSUITE_CERTIFICATE_ID": "demo-certificate",
            "DEMO_ORDERS_MADE": "0",
        }

    def _addresses(self, settings: Settings) -> dict[str, str]:
        given = "public_url" in settings.model_fields_set
        return {
            "ERP_DATA_DIR": str(settings.data_dir.resolve()),
            "ERP_PUBLIC_URL": settings.public_url if given else f"http://localhost:{settings.api_port}",
            "ERP_QUICKBOOKS_API_URL": self.quickbooks_url,
            "ERP_QUICKBOOKS_APP_URL": self.quickbooks_url,
            "ERP_QUICKBOOKS_AUTHORIZE_URL": f"{self.quickbooks_url}/connect/oauth2",
            "ERP_QUICKBOOKS_TOKEN_URL": f"{self.quickbooks_url}/oauth2/v1/tokens/bearer",
            "ERP_QUICKBOOKS_REVOKE_URL": f"{self.quickbooks_url}/v2/oauth2/tokens/revoke",
            "ERP_NETSUITE_URL": self.netsuite_url,
            "ERP_NETSUITE_APP_URL": self.netsuite_url,
            # So that nobody has to wait for the demo's pull as long as a real account would.
            "ERP_NETSUITE_PULL_SECONDS": "5",
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
        """Into this process's environment, which its services inherit; a real account's settings give way to the twin's."""
        os.environ.update(self.values)

    @property
    def quickbooks_url(self) -> str:
        return f"http://127.0.0.1:{self.quickbooks_port}"

    @property
    def netsuite_url(self) -> str:
        return f"http://127.0.0.1:{self.netsuite_port}"

    @property
    def netsuite_key(self) -> Path:
        """The private key, and the certificate after it."""
        return self.path.parent / "twins" / "netsuite.pem"

    @property
    def orders_made(self) -> int:
        return int(self.values.get("DEMO_ORDERS_MADE", "0"))

    @property
    def next_order_number(self) -> int:
        """Each demo makes orders of its own."""
        return FIRST_ORDER + self.orders_made

    def saved(self, orders: int) -> None:
        """So many more orders stand in the shop."""
        self.values["DEMO_ORDERS_MADE"] = str(self.orders_made + orders)
        self.save()

    def twin_services(self, settings: Settings) -> list[Service]:
        return [self._quickbooks_twin(settings), self._netsuite_twin(settings)]

    def _quickbooks_twin(self, settings: Settings) -> Service:
        """The QuickBooks twin, which keeps its books over a restart."""
        state = settings.data_dir.resolve() / "twins" / "quickbooks.json"
        state.parent.mkdir(parents=True, exist_ok=True)
        base = settings.public_url.rstrip("/") + "/api/integrations/quickbooks"
        # Joined by "=": a random secret may begin with a dash.
        options = {
            "quickbooks-port": str(self.quickbooks_port), "state": str(state), "redirect-uri": f"{base}/callback",
            "client-id": self.values["ERP_QUICKBOOKS_CLIENT_ID"],
            "client-secret": self.values["ERP_QUICKBOOKS_CLIENT_SECRET"], "webhook-url": f"{base}/webhook",
            "webhook-verifier-token": self.values["ERP_QUICKBOOKS_WEBHOOK_VERIFIER_TOKEN"],
        }  # fmt: skip
        command = [sys.executable, "-m", "erp_twins", *(f"--{name}={value}" for name, value in options.items())]
        ready = f"{self.quickbooks_url}/_twin/health"
        return Service(
            "quickbooks twin",
            command,
            {},
            ready,
            60,
            True,
            (self.quickbooks_port,),
            "set ERP_DEMO_TWIN_PORT to another port",
        )

    def _netsuite_twin(self, settings: Settings) -> Service:
        """The NetSuite twin, whose administrator has mapped the demo's certificate."""
        state = settings.data_dir.resolve() / "twins" / "netsuite.json"
        state.parent.mkdir(parents=True, exist_ok=True)
        if not self.netsuite_key.exists():
            certificates.make(self.netsuite_key)
        options = {
            "netsuite-port": str(self.netsuite_port), "state": str(state),
            "netsuite-client-id": self.values["DEMO_NETSUITE_CLIENT_ID"],
            "netsuite-certificate-id": self.values["DEMO_NETSUITE_CERTIFICATE_ID"],
            "netsuite-certificate": str(self.netsuite_key),
        }  # fmt: skip
        command = [sys.executable, "-m", "erp_twins", *(f"--{name}={value}" for name, value in options.items())]
        hint = "set ERP_DEMO_NETSUITE_PORT to another port"
        return Service(
            "netsuite twin", command, {}, f"{self.netsuite_url}/_twin/health", 60, True, (self.netsuite_port,), hint
        )
