"""A few lines over the standard library's HTTP client: what the demo needs to act as browser, host and onlooker.

ERPs are spoken to from `connectors` only; this talks to our own web app, to Dagster and to the twins, on this machine.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from erp_pipelines.domain.errors import PipelineError

TIMEOUT = 30.0


@dataclass(frozen=True)
class Web:
    """A client of one base URL, with a bearer token if one is given."""

    base: str
    token: str | None = None

    def get(self, path: str, **query: str) -> Any:
        return self._ask("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""), None)

    def post(self, path: str, body: object = None) -> Any:
        return self._ask("POST", path, body)

    def put(self, path: str, body: object) -> Any:
        return self._ask("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path, None)

    def _ask(self, method: str, path: str, body: object) -> Any:
        """The JSON answer. Raises PipelineError naming the request and what was answered."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(urllib.parse.urljoin(self.base, path), data, headers, method=method)  # noqa: S310 - our own URL
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise PipelineError(f"{method} {path} was answered {error.code}: {error.read().decode()[:500]}") from error
        except urllib.error.URLError as error:
            raise PipelineError(f"{method} {path}: {error.reason}.") from error
        return json.loads(text) if text.strip().startswith(("{", "[")) else text


def follow(url: str) -> str:
    """The text of a page, redirects followed as a browser would. Raises PipelineError with what an error page says."""
    request = urllib.request.Request(url, headers={"Accept": "application/json, text/html;q=0.9"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        raise PipelineError(f"The page answered {error.code}: {error.read().decode()[:500]}") from error
