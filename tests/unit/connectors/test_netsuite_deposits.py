"""Deposits and refunds, which the twin does not link: rows as SuiteQL gives them, and the money they come to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from erp_pipelines.connectors.base import ExternalRef
from erp_pipelines.connectors.netsuite.truth import read_truth
from tests.support.clock import START
from tests.unit.connectors.netsuite_support import books

D = Decimal
ORDER = ExternalRef("salesOrder", "1")


class Account:
    """Answers the three queries of a look: links upwards, links downwards, transactions."""

    def __init__(self, links: list[tuple[str, str, str, str]], types: dict[str, str], **status: str) -> None:
        self.links, self.types, self.status = links, types, status

    def by_ids(self, statement: str, ids: list[str]) -> tuple[dict[str, Any], ...]:
        if "AS asked" in statement:
            return tuple(self._up(ids))
        if "d.previousdoc" in statement:
            return tuple(self._down(ids))
        return tuple(self._transaction(one) for one in ids if one in self.types)

    def _up(self, ids):
        for before, after, _, _ in self.links:
            if after in ids:
                second = [one for one in self.links if one[1] == before] or [("", "", "", "")]
                for one in second:
                    row = {"asked": after, "first": before, "firsttype": self.types[before]}
                    yield {**row, **({"second": one[0], "secondtype": self.types[one[0]]} if one[0] else {})}

    def _down(self, ids):
        for before, after, kind, amount in self.links:
            if before not in ids:
                continue
            row = {"previousdoc": before, "previousline": "0", "nextdoc": after, "nextline": "0"}
            row |= {"nexttype": self.types[after], "linktype": kind, "foreignamount": amount}
            second = [one for one in self.links if one[0] == after]
            yield row
            for one in second:
                more = {"line2": "0", "nextdoc2": one[1], "nextline2": "0", "nexttype2": self.types[one[1]]}
                yield {**row, **more, "linktype2": one[2], "amount2": one[3]}

    def _transaction(self, ident):
        row = {"id": ident, "type": self.types[ident], "status": self.status.get(f"s{ident}", "B")}
        return {**row, "foreigntotal": "25", "at": "2026-03-02 01:00:00", "day": "2026-03-02", "tranid": f"T{ident}"}


TYPES = {"1": "SalesOrd", "2": "CustInvc", "3": "CustDep", "4": "DepAppl", "5": "CustRfnd", "6": "CustCred"}


def look(account: Account, *asked: ExternalRef):
    return read_truth(account, books(), asked or (ORDER,), START)


def test_deposit_counts_before_there_is_an_invoice():
    truth = look(Account([("1", "3", "OrdDep", "10")], TYPES))
    assert truth.documents[0].balance == D(15)
    (deposit,) = truth.payments
    assert (deposit.ref.external_type, deposit.method, deposit.applied) == (
        "customerDeposit",
        "Deposit",
        {ORDER: D(10)},
    )


def test_deposit_that_is_applied_to_the_invoice_counts_once():
    links = [("1", "2", "OrdBill", "25"), ("1", "3", "OrdDep", "10"), ("2", "4", "Payment", "10")]
    truth = look(Account(links, TYPES))
    assert truth.documents[0].balance == D(15)
    assert [(one.ref.external_id, one.applied) for one in truth.payments] == [("3", {ORDER: D(10)}), ("4", {})]


def test_refund_of_a_deposit_is_taken_off():
    links = [("1", "3", "OrdDep", "10"), ("3", "5", "DepRfnd", "4")]
    assert look(Account(links, TYPES)).documents[0].balance == D(19)
    refund = ExternalRef("customerRefund", "5")
    assert look(Account(links, TYPES), refund).behind == {refund: frozenset({ORDER})}


def test_credit_memo_that_was_made_from_its_invoice_counts_once():
    links = [("1", "2", "OrdBill", "25"), ("2", "6", "SaleRet", "25"), ("2", "6", "Payment", "5")]
    assert look(Account(links, TYPES)).documents[0].balance == D(20)


def test_lines_of_a_bill_do_not_multiply_its_payment():
    links = [("1", "2", "OrdBill", "10"), ("1", "2", "OrdBill", "15"), ("2", "6", "Payment", "5")]
    assert look(Account(links, TYPES)).documents[0].balance == D(20)


def test_payments_of_a_voided_invoice_count_for_nothing():
    links = [("1", "2", "OrdBill", "25"), ("2", "6", "Payment", "25")]
    assert look(Account(links, TYPES, s2="CustInvc:V")).documents[0].balance == D(25)
