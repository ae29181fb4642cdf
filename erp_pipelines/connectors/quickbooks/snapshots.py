"""What people could change about an invoice that we would overwrite: its look after our last write, and what differs now.

Money and dates only, as short texts to be read side by side. What an update leaves alone (e-mail addresses, memos to the
customer) is no conflict, nor is a payment, although it moves the version too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from erp_pipelines.connectors.mapping import number
from erp_pipelines.connectors.quickbooks.wire import FormLine, InvoiceDoc
from erp_pipelines.domain.errors import Rejected

VERSION = "version"


def snapshot(doc: InvoiceDoc) -> dict[str, str]:
    """The invoice as it stands, and its version."""
    return {VERSION: doc.sync_token, **_looks(doc)}


def moved(known: Mapping[str, str] | None, version: str | None) -> bool:
    """Whether somebody may have changed the document since our last write; unknown for one that we never wrote whole."""
    return known is not None and known.get(VERSION) != version


def refuse_edited(doc: InvoiceDoc, last: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """Raise with every field that was changed there and that `body` would change again. What agrees with it is none."""
    stands, wanted = _looks(doc), _looks(InvoiceDoc.model_validate({"Id": doc.id, **body}))
    edited = [name for name in _names(stands, last) if stands.get(name) != last.get(name)]
    lost = [name for name in edited if _overwritten(name, wanted) and stands.get(name) != wanted.get(name)]
    if not lost:
        return
    told = "; ".join(_side_by_side(name, last, stands, wanted) for name in lost)
    raise Rejected(
        f"Invoice {doc.doc_number or doc.id} was edited in QuickBooks since it was last sent: {told}.",
        cause="edited-in-erp",
        mend="Bring the two into line, there or in the shop, then retry: what agrees is left as it stands.",
        definitive=False,
    )


def _looks(doc: InvoiceDoc) -> dict[str, str]:
    head = {
        "number": doc.doc_number or "",
        "date": doc.txn_date,
        "due": doc.due_date,
        "tax": f"{number(doc.txn_tax_detail.total_tax):f}",
    }
    sold = [line for line in doc.line if line.detail_type != "SubTotalLineDetail"]
    lines = {f"line {place}": _line(line) for place, line in enumerate(sold, 1)}
    return {name: text for name, text in (head | lines).items() if text}


def _line(line: FormLine) -> str:
    if line.detail_type == "DiscountLineDetail":
        return f"discount {number(line.amount):f}"
    detail = line.sales_item_line_detail
    pieces = f"{number(detail.qty):f} of " if detail.qty is not None else ""
    return f"{pieces}item {detail.item_ref.value}, {detail.tax_code_ref.value or 'no code'}, {number(line.amount):f}"


def _names(stands: Mapping[str, str], last: Mapping[str, str]) -> Iterator[str]:
    yield from (name for name in dict.fromkeys((*last, *stands)) if name != VERSION)


def _overwritten(name: str, wanted: Mapping[str, str]) -> bool:
    """Lines are replaced as a whole; of the head only what is sent."""
    return name.startswith("line ") or name in wanted


def _side_by_side(name: str, last: Mapping[str, str], stands: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    nothing = "nothing"
    return (
        f"{name}: sent {last.get(name, nothing)}, stands {stands.get(name, nothing)}, "
        f"the shop has {wanted.get(name, nothing)}"
    )
