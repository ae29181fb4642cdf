"""A tenant connected to an ERP's twin through the real flow, with the real command line beside it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from erp_pipelines.access.runtime import Runtime
from erp_pipelines.bootstrap import build_runtime
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.security.cipher import new_key
from erp_pipelines.settings import Settings
from tests.support.erps import ERPS, StagedErp, served

ROOT = Path(__file__).resolve().parents[2]
NORTHWIND = ROOT.parent / "shared" / "data" / "northwind"
MAPS = ROOT / "tests" / "data" / "northwind-maps"
KEY = ConnectionKey("acme", "quickbooks")  # of tests that are about QuickBooks


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Stage:
    """One tenant, one twin at `url`, one database."""

    there: StagedErp
    url: str
    database_url: str
    extra: dict[str, str] = field(default_factory=dict)
    encryption_key: str = field(default_factory=lambda: f"k1:{new_key()}")
    jwt_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def twin(self) -> Any:
        return self.there.twin

    @property
    def key(self) -> ConnectionKey:
        return self.there.key()

    @property
    def public_url(self) -> str:
        return self.there.public_url

    def environment(self) -> dict[str, str]:
        """What a process of the product needs; nothing of this machine's own settings gets in."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ERP_", "DAGSTER"))}
        return {
            **inherited,
            "ERP_DATABASE_URL": self.database_url,
            "ERP_PUBLIC_URL": self.public_url,
            "ERP_ENCRYPTION_KEYS": self.encryption_key,
            "ERP_JWT_SECRET": self.jwt_secret,
            **self.there.environment(self.url),
            **self.extra,
        }

    def settings(self) -> Settings:
        return settings_of(self.environment())

    def runtime(self, **changes: Any) -> Runtime:
        """The product as it is put together for itself, with a connector for the twin's habits."""
        made = build_runtime(self.settings(), **changes)
        return self.there.set_up(made, self.settings(), self.there.habit, changes.get("transport"))

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

    def connect(self, runtime: Runtime, company: str = "", tenant_id: str = "acme") -> None:
        """Tenant and connection, as an admin goes through it."""
        self.there.connect(runtime, tenant_id, company, follow)


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that a process with this environment has; no file is read."""
    given = {name.removeprefix("ERP_").lower(): value for name, value in environment.items() if name.startswith("ERP_")}
    known = {name: value for name, value in given.items() if name in Settings.model_fields}
    return Settings(_env_file=None, **known)  # type: ignore[call-arg]


def follow(url: str) -> str:
    """Open a link as a browser does; where it is redirected to."""
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        opener.open(url, timeout=10)
    except urllib.error.HTTPError as redirect:
        with redirect:
            return str(redirect.headers["Location"])
    raise AssertionError(f"{url} does not redirect.")


@contextmanager
def staged(
    database_url: str,
    public_url: str = "http://localhost:8000",
    *,
    provider: str = "quickbooks",
    habit: str = "",
    **config: Any,
) -> Iterator[Stage]:
    """A stage with a twin of these settings; not throttled and silent unless asked otherwise."""
    there = ERPS[provider](habit, public_url=public_url, **config)
    with served(there, deliver=bool(config.get("webhook_url"))) as url:
        yield Stage(there, url, database_url)
