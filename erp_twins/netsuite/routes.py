"""Which request means what (reference section 1). Host-agnostic: the account comes with the credentials."""

from __future__ import annotations

from dataclasses import dataclass

from erp_twins.http import Request
from erp_twins.ledger import CallKind
from erp_twins.netsuite.access import Identity
from erp_twins.netsuite.m2m import PATH as TOKEN_PATH
from erp_twins.netsuite.record_types import BY_SEGMENT
from erp_twins.netsuite.schema import RecordType

PREFIX = "/services/rest"
_VERBS = {"POST": "create", "GET": "read", "PATCH": "update", "PUT": "upsert", "DELETE": "delete"}
_WRITES = frozenset({"create", "update", "upsert", "delete", "transform"})


@dataclass(frozen=True)
class Target:
    """What a request aims at. `operation`: token, liveness, create, read, list, update, upsert, delete, transform, suiteql,
    metadata, governance, job, page or unknown. `rest` is what follows the id; `identity` is set once the caller is let in.
    """

    operation: str
    segment: str = ""
    ident: str = ""
    rest: tuple[str, ...] = ()
    account: str = ""
    identity: Identity | None = None

    @property
    def record_type(self) -> RecordType | None:
        return BY_SEGMENT.get(self.segment.lower())

    @property
    def entity(self) -> str:
        return self.record_type.name if self.record_type else self.segment

    @property
    def kind(self) -> CallKind:
        if self.operation == "token":
            return "auth"
        if self.operation in {"page", "liveness"}:
            return "other"
        return "write" if self.operation in _WRITES else "read"


def target_of(request: Request) -> Target:
    path = request.path.rstrip("/")
    if not path.startswith(PREFIX):
        return Target("page")
    if path == TOKEN_PATH:
        return Target("token")
    if request.method == "OPTIONS":
        return Target("liveness")
    parts = path.removeprefix(PREFIX).strip("/").split("/")
    service = parts[:2]
    if service == ["record", "v1"]:
        return _record(request.method, parts[2:])
    if parts == ["query", "v1", "suiteql"]:
        return Target("suiteql")
    if parts[:3] == ["async", "v1", "job"] and len(parts) > 3:
        return Target("job", ident=parts[3], rest=tuple(parts[4:]))
    return Target("governance") if parts == ["system", "v1", "governanceLimits"] else Target("unknown")


def _record(method: str, parts: list[str]) -> Target:
    if not parts:
        return Target("unknown")
    segment, *rest = parts
    if segment == "metadata-catalog":
        return Target("metadata", ident=rest[0] if rest else "")
    if not rest:
        return Target("list" if method == "GET" else _VERBS.get(method, "unknown"), segment)
    ident, *below = rest
    if below and below[0] == "!transform":
        return Target("transform", segment, ident, tuple(below[1:]))
    return Target(_VERBS.get(method, "unknown"), segment, ident, tuple(below))
