"""A customer's address book: it grows with every write that does not say what becomes of the entries that stand there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp_pipelines.connectors.netsuite.mapper_names import OUR_LABELS
from erp_pipelines.connectors.netsuite.wire import AddressBook, AddressDoc, AddressEntry

_COMPUTED = frozenset({"links", "id", "internalId", "addressId", "addrText", "addressBookAddress_text", "refName"})
_DEFAULTS = ("defaultBilling", "defaultShipping")


def with_addresses(body: Mapping[str, Any], stored: AddressBook) -> dict[str, Any]:
    """The body of an update with the whole address book that is to stand: ours as sent, each entry of others as it is.

    Without any, where the address book says already what was sent.
    """
    sent = body.get("addressBook", {}).get("items", [])
    rest = {name: part for name, part in body.items() if name != "addressBook"}
    if all(any(_says(entry, one) for entry in stored.items) for one in sent):
        return rest
    ours = [_ours(one, stored) for one in sent]
    taken = {flag for flag in _DEFAULTS if any(one.get(flag) for one in sent)}
    others = [_as_it_is(entry, taken) for entry in stored.items if _is_others(entry, sent)]
    return {**rest, "addressBook": {"items": [*others, *ours]}}


def _says(entry: AddressEntry, sent: Mapping[str, Any]) -> bool:
    flags = entry.default_billing >= sent["defaultBilling"] and entry.default_shipping >= sent["defaultShipping"]
    return flags and _same(entry, sent)


def _same(entry: AddressEntry, sent: Mapping[str, Any]) -> bool:
    return _content(entry.address) == _content(AddressDoc.model_validate(sent["addressBookAddress"]))


def _content(address: AddressDoc) -> dict[str, Any]:
    return {name: getattr(address, name) for name in AddressDoc.model_fields}


def _is_others(entry: AddressEntry, sent: list[dict[str, Any]]) -> bool:
    """Neither one of ours nor the same address again."""
    return entry.label not in OUR_LABELS and not any(_same(entry, one) for one in sent)


def _ours(sent: Mapping[str, Any], stored: AddressBook) -> dict[str, Any]:
    """Over the entry that we made earlier, or that has the same address, where there is one."""
    standing = [entry for entry in stored.items if entry.label == sent["label"] or _same(entry, sent)]
    return {"internalId": standing[0].internal_id, **sent} if standing and standing[0].internal_id else dict(sent)


def _as_it_is(entry: AddressEntry, taken: set[str]) -> dict[str, Any]:
    """Everything that NetSuite told of an entry, except that its place as the default may be taken."""
    told = {name: part for name, part in entry.model_dump(by_alias=True).items() if name not in _COMPUTED}
    address = {name: part for name, part in told["addressBookAddress"].items() if part and name not in _COMPUTED}
    country = {"country": {"id": entry.address.country}} if entry.address.country else {}
    defaults = {flag: told[flag] and flag not in taken for flag in _DEFAULTS}
    key = {"internalId": entry.internal_id} if entry.internal_id else {}
    return {**key, **told, **defaults, "addressBookAddress": {**address, **country}}
