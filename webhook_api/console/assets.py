"""The files that the pages load: htmx and Tabler from their wheels, a style sheet of ours. Nothing comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from erp_pipelines.domain.errors import NotFound

HERE = Path(__file__).with_name("static")
# Browsers refuse a file of another digest, and so does the test of these.
HTMX = ("js_lib_htmx", "static/htmx/htmx.min.js", "491955cd1810747d7d7b9ccb936400afb760e06d25d53e4572b64b6563b2784e")
TABLER = (
    "starlette_admin",
    "static/css/vendor/tabler.min.css",
    "b200b267a969ac1163229932a92bc6b2af8ce2d5bd1de056a2ef40b13ded965a",
)


@dataclass(frozen=True)
class Asset:
    """A file with the address that changes when it does, and the digest that a browser checks it by."""

    name: str
    path: Path
    media_type: str
    sha256: str

    @property
    def url(self) -> str:
        return f"/console/static/{self.sha256[:16]}/{self.name}"

    @property
    def integrity(self) -> str:
        return f"sha256-{base64.b64encode(bytes.fromhex(self.sha256)).decode()}"


@cache
def assets() -> dict[str, Asset]:
    """All of them, by name."""
    own = HERE / "console.css"
    found = (
        Asset("htmx.js", _in_wheel(*HTMX[:2]), "text/javascript", HTMX[2]),
        Asset("tabler.css", _in_wheel(*TABLER[:2]), "text/css", TABLER[2]),
        Asset("console.css", own, "text/css", hashlib.sha256(own.read_bytes()).hexdigest()),
    )
    return {asset.name: asset for asset in found}


def _in_wheel(package: str, path: str) -> Path:
    """Found without importing the package: its code is not wanted."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise NotFound(f"The package {package} is not installed.", mend="Install the locked dependencies: ./dev setup.")
    return Path(spec.submodule_search_locations[0]) / path
