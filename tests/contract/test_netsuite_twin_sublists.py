"""What a written sublist does to stored lines in the NetSuite twin: merge, append, replace, empty."""

from __future__ import annotations

import pytest

from tests.contract.netsuite_twin_support import Shop


@pytest.fixture
def shop():
    return Shop(tax_rate_percent=0)


def lines(shop, order):
    """Line, quantity and amount of every line."""
    return [
        (line["line"], line["quantity"], line["amount"]) for line in shop.whole(f"salesOrder/{order}")["item"]["items"]
    ]


def rows(*items):
    return {"item": {"items": list(items)}}


def line(item="201", **more):
    return {"item": {"id": item}, "price": {"id": "-1"}, **more}


@pytest.fixture
def order(shop):
    shop.stocked()
    return shop.order(line(quantity=1, rate=10), line(quantity=2, rate=10), externalId="so-1")


def test_lines_sent_again_without_their_number_are_added(shop, order):
    shop.patch(f"salesOrder/{order}", rows(line(quantity=1, rate=10)))
    assert lines(shop, order) == [(1, 1, 10), (2, 2, 20), (3, 1, 10)]
    shop.write("PUT", "salesOrder/eid:so-1", rows(line(quantity=1, rate=10)))
    assert len(lines(shop, order)) == 4
    assert shop.get(f"salesOrder/{order}")["total"] == 50


def test_line_number_updates_that_line_alone(shop, order):
    shop.patch(f"salesOrder/{order}", rows({"line": 2, "quantity": 5}))
    assert lines(shop, order) == [(1, 1, 10), (2, 5, 50)]


def test_replace_keeps_matched_lines_removes_the_others_and_adds_new_ones(shop, order):
    keys = [one["lineUniqueKey"] for one in shop.whole(f"salesOrder/{order}")["item"]["items"]]
    shop.patch(f"salesOrder/{order}", rows({"line": 2, "rate": 20}, line(quantity=1, rate=1)), replace="item")
    assert lines(shop, order) == [(2, 2, 40), (3, 1, 1)]
    kept = shop.whole(f"salesOrder/{order}")["item"]["items"]
    assert kept[0]["lineUniqueKey"] == keys[1]
    assert kept[1]["lineUniqueKey"] not in keys


def test_numbers_of_removed_lines_are_not_given_again(shop, order):
    shop.patch(f"salesOrder/{order}", rows({"line": 1}), replace="item")
    shop.patch(f"salesOrder/{order}", rows(line(quantity=1, rate=3)))
    assert [number for number, _, _ in lines(shop, order)] == [1, 3]


def test_unknown_line_number_adds_a_line_with_a_number_of_its_own(shop, order):
    shop.patch(f"salesOrder/{order}", rows(line(line=9, quantity=1, rate=3)))
    assert [number for number, _, _ in lines(shop, order)] == [1, 2, 3]


@pytest.mark.parametrize("emptied", [{"item": None}, {"item": {"items": None}}])
def test_order_cannot_be_emptied(shop, order, emptied):
    assert shop.refused("PATCH", f"salesOrder/{order}", emptied)[:2] == (400, "USER_ERROR")
    assert len(lines(shop, order)) == 2


def test_null_clears_a_field_of_a_line(shop, order):
    shop.patch(f"salesOrder/{order}", rows({"line": 1, "description": "Extra virgin"}))
    shop.patch(f"salesOrder/{order}", rows({"line": 1, "description": None}))
    assert "description" not in shop.whole(f"salesOrder/{order}")["item"]["items"][0]


def test_billed_lines_cannot_be_replaced_away(shop, order):
    shop.post(f"salesOrder/{order}/!transform/invoice", rows({"orderLine": 2, "quantity": 0}))
    assert shop.refused("PATCH", f"salesOrder/{order}", rows({"line": 2}), replace="item")[:2] == (400, "USER_ERROR")
    shop.patch(f"salesOrder/{order}", rows({"line": 1}), replace="item")
    assert lines(shop, order) == [(1, 1, 10)]


def test_line_without_an_item_or_a_list_without_items_is_refused(shop, order):
    assert shop.refused("PATCH", f"salesOrder/{order}", rows({"quantity": 1}))[2].endswith("for: Item.")
    assert shop.refused("PATCH", f"salesOrder/{order}", {"item": [line()]})[:2] == (400, "INVALID_CONTENT")
    assert shop.refused("PATCH", f"salesOrder/{order}", {"item": {"items": ["x"]}})[:2] == (400, "INVALID_CONTENT")


# --- the address book ---

HOME = {"defaultBilling": True, "defaultShipping": True, "addressBookAddress": {"addr1": "1 Quay", "city": "Oakland", "state": "CA", "zip": "94607", "country": {"id": "US"}}}  # fmt: skip


def book(shop, **query):
    return shop.whole("customer/101")["addressBook"]["items"] if "addressBook" in shop.get("customer/101") else []


def test_address_book_grows_with_every_write_that_does_not_replace_it(shop):
    shop.customer(addressBook={"items": [HOME]})
    shop.patch("customer/101", {"addressBook": {"items": [HOME]}})
    assert [(one["internalId"], one["defaultBilling"]) for one in book(shop)] == [(1, False), (2, True)]
    shop.patch("customer/101", {"addressBook": {"items": [HOME]}}, replace="addressBook")
    assert [one["internalId"] for one in book(shop)] == [3]


def test_address_is_changed_by_its_id_and_shown_formatted(shop):
    shop.customer(addressBook={"items": [HOME, {"label": "Shop"}]})
    changed = {"internalId": 1, "addressBookAddress": {"addr1": "2 Quay", "country": "US"}}
    shop.patch("customer/101", {"addressBook": {"items": [changed]}})
    first, second = book(shop)
    assert first["addressBookAddress"]["addrText"] == first["addressBookAddress_text"] == "2 Quay\nUS"
    assert first["addressBookAddress"]["country"] == {"id": "US", "refName": "US"}
    assert (first["defaultBilling"], second["label"]) == (True, "Shop")
    assert shop.get("customer/101")["defaultAddress"] == "2 Quay\nUS"
    assert shop.get("customer/101/addressbook/1/addressbookaddress")["addr1"] == "2 Quay"


def test_address_book_can_be_emptied(shop):
    shop.customer(addressBook={"items": [HOME]})
    shop.patch("customer/101", {"addressBook": None})
    assert book(shop) == []


def test_orders_take_the_customers_default_address_or_their_own(shop):
    shop.customer(addressBook={"items": [HOME]})
    shop.item()
    plain = shop.whole(f"salesOrder/{shop.order()}")
    assert plain["billingAddress"]["addr1"] == plain["shippingAddress"]["addr1"] == "1 Quay"
    assert plain["shipAddress"] == "1 Quay\nOakland CA 94607\nUS"
    own = shop.whole(f"salesOrder/{shop.order(shippingAddress={'addr1': '9 Pier'})}")
    assert (own["shippingAddress"]["addr1"], own["billingAddress"]["addr1"]) == ("9 Pier", "1 Quay")
    assert own["shipAddress"] == "9 Pier"
