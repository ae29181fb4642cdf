"""Letters of the statuses of transactions."""

from __future__ import annotations

# By SuiteQL's type: cancelled orders, voided invoices and payments.
VOIDED = {
    "SalesOrd": frozenset("C"),
    "CustInvc": frozenset("V"),
    "CustPymt": frozenset("V"),
    "CustCred": frozenset("V"),
    "CustDep": frozenset("V"),
}
# By REST's type: what a changed order must not bring back to life.
OVER = {"salesOrder": frozenset("CH"), "invoice": frozenset("V")}
OPEN_INVOICE = "A"


def letter(status: str) -> str:
    """The letter of a status, which some answers write as `SalesOrd:B`."""
    return status.rpartition(":")[2]


def is_over(status: str, record_type: str) -> bool:
    """Whether a document is cancelled, closed or voided."""
    return letter(status) in OVER[record_type]
