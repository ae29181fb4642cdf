"""Each row of the providers' tables of errors: the twin refuses so, the connector meets it, and an admin reads what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from erp_pipelines.connectors.base import ExternalRef, Ref, Write
from erp_pipelines.connectors.netsuite.faults import RULES as NETSUITE_RULES
from erp_pipelines.connectors.quickbooks.faults import RULES as QUICKBOOKS_RULES
from erp_pipelines.domain import errors, outcomes
from erp_pipelines.domain.outcomes import Explained, Verdict, judge
from erp_twins.quickbooks.codes import MESSAGES
from tests.contract.connector_suite import write
from tests.contract.netsuite_connection import Connection
from tests.contract.quickbooks_shop import Shop
from tests.support.error_tables import NAMES, page, page_of, rows
from tests.support.factories import make_customer

BECOMES = {"pause": outcomes.Pause, "park": outcomes.Park, "abandon": outcomes.Abandon}
QUICKBOOKS = [{**row, "code": str(code)} for row in rows("quickbooks") for code in row.get("codes", [""])]
NETSUITE = rows("netsuite")


def verdict_on(attempt: Callable[[], Any], clock: Any) -> Verdict:
    with pytest.raises(errors.ErpError) as met:
        attempt()
    return judge(met.value, retries=0, max_retries=5, now=clock.now(), jitter=0)


def becomes(verdict: Verdict) -> str:
    if isinstance(verdict, outcomes.Retry):
        return "doubt" if verdict.in_doubt else "retry"
    return next(word for word, kind in BECOMES.items() if isinstance(verdict, kind))


def told(verdict: Verdict) -> Explained:
    assert not isinstance(verdict, outcomes.Completed)
    return verdict.error


def check(verdict: Verdict, row: dict[str, Any], says: str) -> None:
    why = told(verdict)
    assert (becomes(verdict), why.cause, why.owner) == (row["becomes"], row["cause"], row["owner"])
    assert why.retriable is (row["becomes"] in {"pause", "retry", "doubt"})
    assert why.message == row.get("says", says)
    assert why.mend == row["mend"]


def name_of(row: dict[str, Any]) -> str:
    return f"{row.get('http', '')} {row.get('code', '')} {row.get('pushing', '')}{'searching' if 'searching' in row else ''}".strip()


# --- QuickBooks ---


@pytest.fixture(scope="module")
def quickbooks() -> Shop:
    shop = Shop()
    shop.wanted = {"Order": shop.order(), "Customer": write(Ref("Customer", "c9"), make_customer("c9"))}
    return shop


@pytest.mark.parametrize("row", QUICKBOOKS, ids=name_of)
def test_every_row_of_quickbooks_table(quickbooks, row):
    shop, twin = quickbooks, quickbooks.books.twin
    twin.clear_faults()
    if row["code"]:
        twin.add_fault("refusal", code=row["code"], operation="create", times=None)
    else:
        twin.add_fault("status", status=row["http"], operation="create", times=None)
    verdict = verdict_on(lambda: shop.push(shop.wanted[row.get("pushing", "Order")]), shop.desk.clock)
    check(verdict, row, f"QuickBooks: {MESSAGES.get(row['code'], '')}")
    assert not shop.company.rows("Invoice")


def test_no_code_of_quickbooks_is_left_out():
    listed = {row["code"] for row in QUICKBOOKS} - {"", "4242"}
    assert listed == set(MESSAGES) | {"3001", "3100", "3200", "3202"} == set(QUICKBOOKS_RULES)


# --- NetSuite ---


@pytest.fixture(scope="module")
def netsuite() -> Connection:
    erp = Connection()
    erp.wanted = erp.order()
    return erp


@pytest.mark.parametrize("row", NETSUITE, ids=name_of)
def test_every_row_of_netsuites_table(netsuite, row):
    netsuite.twin.clear_faults()
    searched = "searching" in row
    aim = {"path": "suiteql"} if searched else {"entity": "salesOrder"}
    if "code" in row:
        told_so = {name: row[name] for name in ("code", "detail", "pointer") if name in row}
        netsuite.twin.add_fault("refusal", status=row["http"], times=None, **told_so, **aim)
    else:
        netsuite.twin.add_fault("status", status=row["http"], times=None, **aim)
    verdict = verdict_on(lambda: _meet(netsuite, netsuite.wanted, searched=searched), netsuite.desk.clock)
    pointer = row.get("pointer", "").partition(":")[2]
    check(verdict, row, f"NetSuite: {row.get('detail')}{f' [{pointer}]' if pointer else ''}")
    assert not netsuite.rows("salesOrder")


def _meet(erp: Connection, wanted: Write, *, searched: bool) -> None:
    if searched:
        erp.session.truth([ExternalRef("salesOrder", "1")])
    else:
        erp.push(wanted)


def test_no_code_of_netsuite_is_left_out():
    assert {code.partition("/")[0] for code in NETSUITE_RULES} == {row["code"] for row in NETSUITE if "code" in row} - {
        "NONEXISTENT_RECORD_TYPE"
    }


# --- the pages ---


@pytest.mark.parametrize("provider", NAMES)
def test_pages_of_errors_are_those_of_the_catalogues(provider):
    assert page_of(provider).read_text(encoding="utf-8") == page(provider), "write it anew: ./dev docs"
