"""Limit, offset and links of collections and query results (reference 3.5, 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from erp_twins.http import Request
from erp_twins.jsonio import Doc
from erp_twins.netsuite.config import TwinConfig
from erp_twins.netsuite.errors import bad_parameter

MOST = 1000


@dataclass(frozen=True)
class Window:
    """The part of a result that a request asks for."""

    limit: int
    offset: int
    cap: int

    def envelope(self, request: Request, items: Sequence[Doc], total: int) -> Doc:
        """The page around these items. Past the cap there is nothing more, and nothing says so."""
        total = min(total, self.cap)
        more = self.offset + len(items) < total
        links = self._links(request, total, more=more)
        return {
            "links": links,
            "count": len(items),
            "hasMore": more,
            "items": list(items),
            "offset": self.offset,
            "totalResults": total,
        }

    def _links(self, request: Request, total: int, *, more: bool) -> list[Doc]:
        last = max(total - 1, 0) // self.limit * self.limit
        places = [("next", self.offset + self.limit), ("last", last)] if more else []
        places += [("first", 0), ("prev", max(self.offset - self.limit, 0))] if self.offset else []
        kept = "".join(f"{name}={value}&" for name, value in request.query if name not in {"limit", "offset"})
        url = f"{request.base_url}{request.path}?{kept}limit={self.limit}&offset="
        return [{"rel": rel, "href": f"{url}{offset}"} for rel, offset in [*places, ("self", self.offset)]]


def window(request: Request, config: TwinConfig) -> Window:
    """The window of a request. Refused for a limit over 1000, an offset that is no multiple of it, or too far a page."""
    limit, offset = _number(request, "limit", MOST), _number(request, "offset", 0)
    if not 1 <= limit <= MOST:
        raise bad_parameter("limit", "limit", most=MOST)
    if offset % limit or offset >= config.page_cap * limit:
        raise bad_parameter("offset", "offset", pages=config.page_cap)
    if offset >= config.result_cap:
        raise bad_parameter("offset", "cap", cap=config.result_cap)
    return Window(limit, offset, config.result_cap)


def _number(request: Request, name: str, default: int) -> int:
    text = request.param(name, str(default))
    if not text.isdigit():
        raise bad_parameter(name)
    return int(text)
