"""The Accounting API, one method per endpoint: bodies in, what was answered out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from erp_pipelines.connectors.base import Lent
from erp_pipelines.connectors.calling import Caller
from erp_pipelines.connectors.http import Answer, Call, ErpHttp, encode
from erp_pipelines.connectors.quickbooks import text
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.faults import refusal
from erp_pipelines.connectors.quickbooks.wire import ChangedDoc, CompanyInfoDoc, PreferencesDoc, Wire
from erp_pipelines.domain.errors import ErpError

D = TypeVar("D", bound=Wire)

MOST_ROWS = 1000
IDS_AT_ONCE = 100
NAME_LISTS = frozenset({"Customer", "Item"})  # their inactive rows are hidden unless they are asked for
JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Got(Generic[D]):
    """A document as it stands now, and Intuit's id of the call that told so."""

    doc: D
    request_id: str


@dataclass(frozen=True)
class BatchAnswer:
    """What was answered to each item of a batch, by its bId."""

    call: Call
    answer: Answer
    rows: Mapping[str, Mapping[str, Any]]


class QuickBooksClient:
    """One company. Raises the errors of `domain.errors` only."""

    def __init__(self, config: QuickBooksConfig, http: ErpHttp, company_id: str, lent: Lent) -> None:
        self._config, self.company_id = config, company_id
        self._caller = Caller(http, lent, refusal=refusal)

    def create(self, model: type[D], entity: str, body: Mapping[str, Any], key: str) -> Got[D]:
        """`key` goes as the query parameter `requestid`: the first answer to it comes back on every repeat."""
        return self._write(model, entity, body, key, "create")

    def update(
        self, model: type[D], entity: str, body: Mapping[str, Any], key: str, *, external_id: str, sync_token: str
    ) -> Got[D]:
        """A sparse update: what the body leaves out stays, its Line array replaces the old one. StaleVersion: 5010."""
        whole = {**body, "Id": external_id, "SyncToken": sync_token, "sparse": True}
        return self._write(model, entity, whole, key, "update")

    def void(self, model: type[D], entity: str, key: str, external_id: str, sync_token: str) -> Got[D]:
        """The document stays, with nothing in it. An invoice's way: payments are voided otherwise."""
        return self._write(model, entity, {"Id": external_id, "SyncToken": sync_token}, key, "void", operation="void")

    def batch(self, items: Sequence[Mapping[str, Any]], key: str) -> BatchAnswer:
        """Several operations in one call, each with a `bId` of up to 10 characters that tells its answer.

        `key` goes as the query parameter `requestid`: repeated with the same bIds, the first answer comes back.
        """
        call = Call(
            kind="batch",
            method="POST",
            url=self._url("batch"),
            write=True,
            repeatable=self._config.honour_requestid,
            makes=True,
            batch=True,
            params={"minorversion": self._config.minor_version, "requestid": key},
            headers=JSON_HEADERS,
            body=encode({"BatchItemRequest": list(items)}),
        )
        answer = self._caller.call(call)
        rows = answer.body.get("BatchItemResponse") if isinstance(answer.body, dict) else None
        if not isinstance(rows, list):
            raise self._caller.lost(call, "the answer has no BatchItemResponse.", answer)
        return BatchAnswer(call, answer, {str(row.get("bId")): row for row in rows if isinstance(row, dict)})

    def noted(self, refused: ErpError, call: Call) -> ErpError:
        """A refusal within an answer that was none as a whole, counted if no catalogue knows it."""
        return self._caller.noted(refused, call)

    def read(self, model: type[D], entity: str, external_id: str) -> Got[D]:
        """Raises Rejected with code 610 when there is no such document."""
        call = self._get(f"{entity.lower()}.read", f"{entity.lower()}/{external_id}")
        answer = self._caller.call(call)
        return Got(self._parsed(model, call, answer, entity), answer.request_id)

    def query(self, model: type[D], entity: str, where: str = "", *, start: int = 1) -> tuple[D, ...]:
        """The first 1000 rows, or those from the `start`th on. Of name lists only active ones, unless `where` says otherwise."""
        # Values come quoted by `quoted`, names from this package.
        statement = f"select * from {entity}{f' where {where}' if where else ''}"  # noqa: S608
        statement += f" startposition {start} maxresults {MOST_ROWS}" if start > 1 else f" maxresults {MOST_ROWS}"
        call = self._get(f"{entity.lower()}.query", "query", query=statement)
        answer = self._caller.call(call)
        response = answer.body.get("QueryResponse") if isinstance(answer.body, dict) else None
        if not isinstance(response, dict):
            raise self._caller.lost(call, "the answer has no QueryResponse.", answer)
        # No rows: the entity's key is missing.
        return tuple(self._parsed(model, call, answer, row=row) for row in response.get(entity, []))

    def by_ids(self, model: type[D], entity: str, ids: Iterable[str]) -> tuple[D, ...]:
        """The documents that exist of these, a hundred per call; of name lists the inactive ones too."""
        active = " and Active in (true, false)" if entity in NAME_LISTS else ""
        wanted = sorted({external_id for external_id in ids if external_id})
        chunks = (wanted[start : start + IDS_AT_ONCE] for start in range(0, len(wanted), IDS_AT_ONCE))
        return tuple(
            row
            for chunk in chunks
            for row in self.query(model, entity, f"Id in ({', '.join(self.quoted(one) for one in chunk)}){active}")
        )

    def changed(self, entities: Sequence[str], since: str) -> dict[str, list[ChangedDoc]]:
        """Change data capture: what changed at or after `since` (RFC 3339), by entity; deleted ones as stubs.

        At most 1000 rows in all, the rest is missing without a word. Refused for a moment over 30 days ago.
        """
        call = self._get("cdc", "cdc", entities=",".join(entities), changedSince=since)
        answer = self._caller.call(call)
        responses = answer.body.get("CDCResponse") if isinstance(answer.body, dict) else None
        if not isinstance(responses, list):
            raise self._caller.lost(call, "the answer has no CDCResponse.", answer)
        parts = [part for response in responses for part in response.get("QueryResponse", [])]
        return {
            entity: [self._parsed(ChangedDoc, call, answer, row=row) for part in parts for row in part.get(entity, [])]
            for entity in entities
        }

    def changed_at(self, entity: str, since: str, start: int = 1) -> tuple[ChangedDoc, ...]:
        """What changed at or after `since`, oldest first, a thousand at a time; without what was deleted."""
        active = " and Active in (true, false)" if entity in NAME_LISTS else ""
        where = f"MetaData.LastUpdatedTime >= {self.quoted(since)}{active} orderby MetaData.LastUpdatedTime"
        return self.query(ChangedDoc, entity, where, start=start)

    def company_info(self) -> CompanyInfoDoc:
        call = self._get("companyinfo.read", f"companyinfo/{self.company_id}")
        return self._parsed(CompanyInfoDoc, call, self._caller.call(call), "CompanyInfo")

    def preferences(self) -> PreferencesDoc:
        call = self._get("preferences.read", "preferences")
        return self._parsed(PreferencesDoc, call, self._caller.call(call), "Preferences")

    def quoted(self, value: str) -> str:
        return text.quoted(value, escape_backslash=self._config.escape_backslash)

    def _write(
        self, model: type[D], entity: str, body: Mapping[str, Any], key: str, kind: str, **params: str
    ) -> Got[D]:
        call = Call(
            kind=f"{entity.lower()}.{kind}",
            method="POST",
            url=self._url(entity.lower()),
            write=True,
            repeatable=self._config.honour_requestid,
            makes=kind == "create",
            params={"minorversion": self._config.minor_version, "requestid": key, **params},
            headers=JSON_HEADERS,
            body=encode(body),
        )
        answer = self._caller.call(call)
        return Got(self._parsed(model, call, answer, entity), answer.request_id)

    def _get(self, kind: str, path: str, **params: str) -> Call:
        return Call(
            kind=kind,
            method="GET",
            url=self._url(path),
            repeatable=True,
            params={**params, "minorversion": self._config.minor_version},
        )

    def _url(self, path: str) -> str:
        return f"{self._config.api_url}/v3/company/{self.company_id}/{path}"

    def _parsed(self, model: type[D], call: Call, answer: Answer, entity: str = "", *, row: Any = None) -> D:
        """The document in an answer. A written one that cannot be read counts as an answer lost."""
        found = row if row is not None or not isinstance(answer.body, dict) else answer.body.get(entity)
        try:
            return model.model_validate(found)
        except ValidationError:
            # `from None`: its text would quote the document.
            raise self._caller.lost(call, "the answer is not what was asked for.", answer) from None
