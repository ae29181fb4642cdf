"""Fields without which a record is not saved. They are not in the metadata: features, forms and scripts decide."""

from __future__ import annotations

from erp_twins.jsonio import Doc
from erp_twins.netsuite.accounts import Account
from erp_twins.netsuite.errors import missing
from erp_twins.netsuite.schema import RecordType

_ALWAYS = {
    "salesOrder": ["entity"],
    "invoice": ["entity"],
    "creditMemo": ["entity"],
    "customerPayment": ["customer"],
    "customerDeposit": ["customer", "payment"],
}


def names(account: Account, kind: RecordType, form: str) -> list[str]:
    """The mandatory fields of a form: as the account says, else the usual ones."""
    wanted = account.settings.mandatory
    return wanted.get(f"{kind.name}/{form}") or wanted.get(kind.name) or _usual(account, kind)


def _usual(account: Account, kind: RecordType) -> list[str]:
    own = ["subsidiary"] if kind.group in {"entity", "item"} and account.has("one_world") else []
    if kind.group != "item":
        return [*own, *_ALWAYS.get(kind.name, [])]
    own += ["itemId", *(["taxSchedule"] if account.has("suite_tax") else [])]
    own += ["incomeAccount"] if kind.name != "discountItem" else []
    return [*own, "cogsAccount", "assetAccount"] if kind.name == "inventoryItem" else own


def check(account: Account, kind: RecordType, doc: Doc) -> None:
    lacking = [name for name in names(account, kind, str(doc.get("customForm", ""))) if doc.get(name) in (None, "", [])]
    if lacking:
        raise missing(*(kind.fields[name].label for name in lacking))
