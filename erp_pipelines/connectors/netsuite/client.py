"""SuiteTalk REST, one method per endpoint: bodies in, what was answered out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError

from erp_pipelines.connectors.base import Lent
from erp_pipelines.connectors.calling import Authorise, Caller
from erp_pipelines.connectors.http import Answer, Call, ErpHttp, encode
from erp_pipelines.connectors.netsuite.accounts import Account
from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.netsuite.faults import NO_SUCH_RECORD, refusal
from erp_pipelines.connectors.netsuite.traffic import Traffic
from erp_pipelines.connectors.netsuite.wire import RecordDoc
from erp_pipelines.domain.errors import ErpError, Rejected, Throttled

D = TypeVar("D", bound=RecordDoc)
Row = Mapping[str, str]

MOST_ROWS = 1000
IDS_AT_ONCE = 1000
# Names that the account does not know are refused; by default they would be dropped with a note in a header.
WRITE_HEADERS = {"Content-Type": "application/json", "X-NetSuite-PropertyNameValidation": "error"}
QUERY_HEADERS = {"Content-Type": "application/json", "Prefer": "transient"}
DROPPED = "x-netsuite-propertyvalidation"


class NetSuiteClient:
    """One account. Raises the errors of `domain.errors` only. Links and locations are never followed, only read."""

    def __init__(
        self, config: NetSuiteConfig, http: ErpHttp, account: Account, lent: Lent, *, authorise: Authorise
    ) -> None:
        self.account = account
        self._config = config
        self._base = config.base_url(account)
        self._traffic = Traffic(lent.pacer, lent.clock, config.slow_refusal_seconds)
        self._caller = Caller(
            http.only_to(self._base), replace(lent, pacer=self._traffic), refusal=self._refusal, authorise=authorise
        )

    # --- records ---

    def read(self, model: type[D], record_type: str, ident: str, fields: Sequence[str] = ()) -> D:
        """A record by id or `eid:...`: the body fields named, or everything with its sublists where none is.

        Raises Rejected with the code of NO_SUCH_RECORD where there is none. NetSuite opens it as if to edit it.
        """
        wanted = {"fields": ",".join(("id", *fields))} if fields else {"expandSubResources": "true"}
        call = Call(f"{record_type}.read", "GET", self._record(record_type, ident), repeatable=True, params=wanted)
        return self._parsed(model, call, self._caller.call(call))

    def find(self, model: type[D], record_type: str, ident: str, fields: Sequence[str] = ()) -> D | None:
        """The same, None where there is none."""
        try:
            return self.read(model, record_type, ident, fields)
        except Rejected as error:
            if error.erp_code == NO_SUCH_RECORD:
                return None
            raise

    def upsert(self, record_type: str, external_id: str, body: Mapping[str, Any], replace: Sequence[str] = ()) -> str:
        """Create or update the record of an external id; NetSuite's id of the call.

        The sublists named in `replace` are as the body has them afterwards; any other would grow with each repeat.
        """
        call = self._write("upsert", "PUT", self._record(record_type, f"eid:{external_id}"), record_type, body, replace)
        return self._sent(_repeatable(call) if self._config.upsert_is_repeatable else call).request_id

    def create(self, record_type: str, body: Mapping[str, Any]) -> tuple[str, str]:
        """The new record's id, and NetSuite's id of the call. Nothing protects it from being repeated."""
        call = self._write("create", "POST", self._record(record_type), record_type, body)
        return self._located(call)

    def update(self, record_type: str, ident: str, body: Mapping[str, Any], replace: Sequence[str] = ()) -> str:
        """Change what the body names, no more; NetSuite's id of the call. Sublists as in `upsert`."""
        call = self._write("update", "PATCH", self._record(record_type, ident), record_type, body, replace)
        return self._sent(_repeatable(call)).request_id

    def transform(self, record_type: str, ident: str, target: str, body: Mapping[str, Any]) -> tuple[str, str]:
        """Make a record of another; as `create`. An external id in the body keeps a repeat from making two."""
        url = f"{self._record(record_type, ident)}/!transform/{target}"
        return self._located(self._write(f"to-{target}", "POST", url, record_type, body))

    # --- SuiteQL ---

    def query(self, statement: str, params: Sequence[str] = (), *, limit: int = MOST_ROWS) -> tuple[Row, ...]:
        """The first page of a query: lower-case keys, texts as values, no key where the value is null."""
        return self._page(statement, params, limit, 0)[0]

    def query_all(self, statement: str, params: Sequence[str] = ()) -> tuple[Row, ...]:
        """Every row; the statement must order them by something unique, else pages lose some."""
        rows: list[Row] = []
        more = True
        while more:
            found, more = self._page(statement, params, MOST_ROWS, len(rows))
            rows += found
        return tuple(rows)

    def by_ids(self, statement: str, ids: Sequence[str]) -> tuple[Row, ...]:
        """A statement with one `{ids}` for a list of ids, a thousand at a time: more are not allowed in one IN."""
        numbers = sorted({one for one in ids if one.isdigit()}, key=int)  # another one would fail the whole query
        chunks = (numbers[start : start + IDS_AT_ONCE] for start in range(0, len(numbers), IDS_AT_ONCE))
        return tuple(row for chunk in chunks for row in self.query_all(statement.format(ids=", ".join(chunk))))

    # --- the account ---

    def metadata(self, record_type: str) -> frozenset[str]:
        """Names of the properties that this role sees on a record type; empty where NetSuite does not say."""
        url = f"{self._base}/services/rest/record/v1/metadata-catalog/{record_type}"
        headers = {"Accept": "application/schema+json"}
        body = self._caller.call(Call("metadata.read", "GET", url, repeatable=True, headers=headers)).body
        properties = body.get("properties") if isinstance(body, dict) else None
        return frozenset(properties) if isinstance(properties, dict) else frozenset()

    def governance_limits(self) -> Mapping[str, Any]:
        """How many calls at once the account allows. Raises Rejected for anybody but an administrator."""
        url = f"{self._base}/services/rest/system/v1/governanceLimits"
        body = self._caller.call(Call("governance.read", "GET", url, repeatable=True)).body
        return body if isinstance(body, dict) else {}

    # --- calls ---

    def _record(self, record_type: str, ident: str = "") -> str:
        return f"{self._base}/services/rest/record/v1/{record_type}{f'/{ident}' if ident else ''}"

    def _write(
        self,
        what: str,
        method: str,
        url: str,
        record_type: str,
        body: Mapping[str, Any],
        replaced: Sequence[str] = (),
    ) -> Call:
        return Call(
            kind=f"{record_type}.{what}",
            method=method,
            url=url,
            write=True,
            makes=what != "update",
            params={"replace": ",".join(replaced)} if replaced else {},
            headers=WRITE_HEADERS,
            body=encode(body),
            expects_json=False,
        )

    def _sent(self, call: Call) -> Answer:
        """The answer to a write, unless NetSuite has left out a part of it without refusing."""
        answer = self._caller.call(call)
        dropped = answer.headers.get(DROPPED, "")
        if dropped:
            raise field_dropped(dropped[:200], answer.request_id)
        return answer

    def _located(self, call: Call) -> tuple[str, str]:
        """The id of a new record: the last part of its location, whatever host that names."""
        answer = self._sent(call)
        ident = answer.headers.get("location", "").partition("?")[0].rstrip("/").rpartition("/")[2]
        if not ident.isdigit():
            raise self._caller.lost(call, "the answer does not say where the new record is.", answer)
        return ident, answer.request_id

    def _page(self, statement: str, params: Sequence[str], limit: int, offset: int) -> tuple[tuple[Row, ...], bool]:
        body: dict[str, Any] = {"q": statement, **({"params": list(params)} if params else {})}
        call = Call(
            kind="suiteql",
            method="POST",
            url=f"{self._base}/services/rest/query/v1/suiteql",
            repeatable=True,
            params={"limit": str(limit), "offset": str(offset)},
            headers=QUERY_HEADERS,
            body=encode(body),
        )
        answer = self._caller.call(call)
        items = answer.body.get("items") if isinstance(answer.body, dict) else None
        if not isinstance(items, list) or not all(isinstance(row, dict) for row in items):
            raise self._caller.lost(call, "the answer has no items.", answer)
        return tuple(_row(row) for row in items), bool(answer.body.get("hasMore"))

    def _parsed(self, model: type[D], call: Call, answer: Answer) -> D:
        try:
            return model.model_validate(answer.body)
        except ValidationError:
            # `from None`: its text would quote the record.
            raise self._caller.lost(call, "the answer is not what was asked for.", answer) from None

    def _refusal(self, call: Call, answer: Answer) -> ErpError | None:
        if answer.status != 401:
            self._traffic.let_in()
            return refusal(call, answer)
        if not self._traffic.overloaded():
            return refusal(call, answer)
        return Throttled(
            "NetSuite refused the login of a call that was not alone: it may have too many at once.",
            retry_after=self._config.pause_seconds,
            erp_code="401",
            request_id=answer.request_id,
        )


def field_dropped(names: str, request_id: str = "") -> Rejected:
    """The refusal to take a record for done of which NetSuite has left out a part."""
    return Rejected(
        f"NetSuite took the record, but without: {names}.",
        cause="field-dropped",
        mend="Let the role edit these fields, put them on the form that the integration uses, or take them out of the settings.",
        erp_code="field-dropped",
        request_id=request_id,
        definitive=False,
    )


def _repeatable(call: Call) -> Call:
    return replace(call, repeatable=True)


def _row(row: Mapping[str, Any]) -> Row:
    """How names are written in a row may change between releases."""
    return {name.lower(): str(value) for name, value in row.items() if name != "links" and value is not None}
