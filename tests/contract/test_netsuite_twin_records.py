"""Records of the NetSuite twin: creating, reading, changing, external ids, references, names, mandatory fields."""

from __future__ import annotations

import pytest

from tests.contract.netsuite_twin_support import BASE, RECORD, Shop, refusal

OK = (204, b"")


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def small():
    """An account without OneWorld, departments, classes and locations."""
    return Shop(one_world=False, features=("multicurrency", "multiprice"))


# --- what answers look like ---


def test_create_answers_204_with_nothing_but_the_address(shop):
    answer = shop.call("POST", "customer", {"companyName": "A", "subsidiary": {"id": "1"}})
    assert (answer.status_code, answer.content) == OK
    assert answer.headers["location"] == f"{BASE}{RECORD}/customer/101"


def test_read_gives_references_with_names_and_leaves_out_what_is_empty(shop):
    shop.customer("A", email="a@example.com")
    body = shop.get("customer/101")
    assert body["subsidiary"] == {
        "links": [{"rel": "self", "href": f"{BASE}{RECORD}/subsidiary/1"}],
        "id": "1",
        "refName": "Harbor Foods Inc (twin)",
    }
    assert (body["id"], body["entityId"], body["email"], body["isPerson"]) == ("101", "A", "a@example.com", False)
    assert (body["dateCreated"], body["lastModifiedDate"]) == ("2026-03-02T20:00:00Z",) * 2
    assert "phone" not in body
    assert "addressBook" not in body


def test_links_carry_the_host_that_was_asked(shop):
    shop.customer()
    headers = {"authorization": f"Bearer {shop.token}"}
    body = shop.http.get(f"http://127.0.0.1:9999{RECORD}/customer/101", headers=headers).json()
    assert body["links"][0]["href"] == f"http://127.0.0.1:9999{RECORD}/customer/101"


def test_fields_limit_the_body_and_do_not_go_with_expansion(shop):
    shop.customer(email="a@example.com")
    assert set(shop.get("customer/101", fields="email,companyName")) == {"links", "id", "email", "companyName"}
    assert shop.refused("GET", "customer/101", fields="email", expandSubResources="true")[:2] == (
        400,
        "INVALID_PARAMETER",
    )


def test_enumerations_have_a_name_unless_the_simple_form_is_asked_for(shop):
    order = shop.order()
    assert shop.get(f"salesOrder/{order}")["orderStatus"] == {"id": "B", "refName": "Pending Fulfillment"}
    assert shop.get(f"salesOrder/{order}", simpleEnumFormat="true")["orderStatus"] == "B"


def test_sublists_are_links_until_they_are_expanded(shop):
    order = shop.order()
    link = f"{BASE}{RECORD}/salesOrder/{order}/item"
    assert shop.get(f"salesOrder/{order}")["item"] == {"links": [{"rel": "self", "href": link}]}
    expanded = shop.whole(f"salesOrder/{order}")["item"]
    assert (expanded["totalResults"], [line["line"] for line in expanded["items"]]) == (1, [1])
    assert shop.get(f"salesOrder/{order}/item")["items"] == expanded["items"]
    assert shop.get(f"salesOrder/{order}/item/1") == expanded["items"][0]
    assert shop.refused("GET", f"salesOrder/{order}/item/2")[:2] == (404, "NONEXISTENT_ID")


def test_record_type_and_field_names_are_read_without_regard_to_case(shop):
    shop.post("CUSTOMER", {"companyname": "A", "SUBSIDIARY": {"id": "1"}})
    assert shop.get("Customer/101/")["companyName"] == "A"


def test_patch_leaves_what_it_does_not_name_and_null_clears(shop):
    shop.customer(email="a@example.com", phone="555-0100")
    shop.clock.advance(60)
    assert shop.patch("customer/101", {"phone": None, "comments": "Prompt"}) == "101"
    body = shop.get("customer/101")
    assert (body["email"], body["comments"], "phone" in body) == ("a@example.com", "Prompt", False)
    assert (body["dateCreated"], body["lastModifiedDate"]) == ("2026-03-02T20:00:00Z", "2026-03-02T20:01:00Z")


def test_delete_removes_what_nothing_depends_on(shop):
    kept, gone = shop.order(), shop.customer("Short-lived")
    assert shop.write("DELETE", f"customer/{gone}") == ""
    assert shop.refused("GET", f"customer/{gone}")[:2] == (404, "NONEXISTENT_ID")
    assert shop.refused("DELETE", "customer/101")[:2] == (400, "USER_ERROR")
    assert shop.refused("DELETE", "nonInventorySaleItem/201")[:2] == (400, "USER_ERROR")
    assert shop.query("SELECT recordid, type, scriptid, name FROM deletedrecord") == [
        {"recordid": gone, "type": "Customer", "scriptid": "customer", "name": "Short-lived"}
    ]
    assert shop.get(f"salesOrder/{kept}")["id"] == kept


def test_liveness_probe_needs_no_login(shop):
    assert shop.http.options("/services/rest/record/v1").status_code == 204


# --- bodies that are refused ---


@pytest.mark.parametrize("body", [b"[1]", b'"{}"', b"{", b"\xff"])
def test_body_that_is_no_json_object_is_invalid_content(shop, body):
    assert shop.refused("POST", "customer", body) == (400, "INVALID_CONTENT", "Invalid content in the request body.")


def test_unknown_fields_are_dropped_with_a_header_unless_the_request_wants_an_error(shop):
    body = {"companyName": "A", "subsidiary": {"id": "1"}, "shoeSize": 43}
    answer = shop.call("POST", "customer", body)
    assert "shoeSize" in answer.headers["x-netsuite-propertyvalidation"]
    strict = shop.call("POST", "customer", body, {"X-NetSuite-PropertyNameValidation": "error"})
    assert refusal(strict)[:2] == (400, "INVALID_CONTENT")
    assert strict.json()["o:errorDetails"][0]["o:errorPath"] == "shoeSize"
    silent = shop.call("PATCH", "customer/101", body, {"X-NetSuite-PropertyNameValidation": "ignore"})
    assert (silent.status_code, "x-netsuite-propertyvalidation" in silent.headers) == (204, False)
    assert len(shop.account.rows("customer")) == 1


def test_read_only_fields_are_dropped_without_a_word(shop):
    shop.customer()
    answer = shop.call("PATCH", "customer/101", {"balance": 5, "lastModifiedDate": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, "x-netsuite-propertyvalidation" in answer.headers) == (204, False)
    assert shop.get("customer/101")["balance"] == 0


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"terms": {"id": "99"}}, "terms"),
        ({"isInactive": "perhaps"}, "isInactive"),
        ({"creditLimit": "much"}, "creditLimit"),
        ({"emailPreference": {"id": "PIGEON"}}, "emailPreference"),
        ({"email": {"id": "1"}}, "email"),
        ({"addressBook": [1]}, "addressBook"),
        (
            {"addressBook": {"items": [{"addressBookAddress": {"country": "Narnia"}}]}},
            "addressBook.items[0].addressBookAddress.country",
        ),
    ],
)
def test_wrong_values_are_refused_with_their_path(shop, changes, path):
    shop.customer()
    answer = shop.call("PATCH", "customer/101", changes)
    assert refusal(answer)[:2] == (400, "INVALID_CONTENT")
    assert answer.json()["o:errorDetails"][0]["o:errorPath"] == path


@pytest.mark.parametrize(
    "reference", [{"id": "3"}, {"id": 3}, "3", {"refName": "net 30"}, {"id": "3", "refName": "Whatever"}]
)
def test_references_come_in_several_forms(shop, reference):
    shop.customer(terms=reference)
    assert shop.get("customer/101")["terms"]["refName"] == "Net 30"


def test_references_by_external_id(shop):
    shop.customer(externalId="c-1")
    shop.item(externalId="i-1")
    lines = {"items": [{"item": {"externalId": "i-1"}, "quantity": 1}]}
    first = shop.post("salesOrder", {"entity": {"externalId": "C-1"}, "item": lines})
    second = shop.post("salesOrder", {"entity": {"id": "eid:c-1"}, "item": lines})
    assert [shop.get(f"salesOrder/{one}")["entity"]["id"] for one in (first, second)] == ["101", "101"]


def test_numbers_and_dates_are_read_from_text_and_moments_turned_to_utc(shop):
    order = shop.order(tranDate="2026-02-28T10:00:00", otherRefNum=4711)
    body = shop.get(f"salesOrder/{order}")
    assert (body["tranDate"], body["otherRefNum"]) == ("2026-02-28", "4711")


# --- external ids ---


def test_put_creates_then_updates_by_external_id(shop):
    body = {"companyName": "A", "subsidiary": {"id": "1"}}
    first = shop.call("PUT", "customer/eid:C-1", body)
    assert (first.status_code, first.headers["location"]) == (204, f"{BASE}{RECORD}/customer/101")
    second = shop.call("PUT", "customer/eid:c-1", {"email": "a@example.com"})
    assert second.headers["location"] == f"{BASE}{RECORD}/customer/101"
    assert [(row["externalId"], row["companyName"], row["email"]) for row in shop.account.rows("customer")] == [
        ("c-1", "A", "a@example.com")
    ]
    assert shop.get("customer/eid:C-1")["id"] == "101"
    assert shop.patch("customer/eid:C-1", {"email": "b@example.com"}) == "101"
    assert shop.refused("GET", "customer/eid:C-2")[:2] == (404, "NONEXISTENT_ID")


def test_put_needs_an_external_id_and_on_a_new_record_the_mandatory_fields(shop):
    shop.customer()
    assert shop.refused("PUT", "customer/101", {"email": "a@example.com"})[:2] == (405, "INVALID_METHOD")
    assert shop.refused("PUT", "customer/eid:new", {"companyName": "B"})[2].endswith(
        "Please enter value(s) for: Subsidiary."
    )


def test_second_create_with_an_external_id_is_refused(shop):
    shop.customer(externalId="c-1")
    body = {"companyName": "B", "subsidiary": {"id": "1"}, "externalId": "C-1"}
    assert shop.refused("POST", "customer", body) == (
        400,
        "USER_ERROR",
        "Error while accessing a resource. This entity already exists.",
    )
    assert shop.query("SELECT COUNT(*) AS n FROM customer") == [{"n": "1"}]


def test_external_ids_are_shared_by_transactions_and_by_items_but_not_between_them(shop):
    order = shop.order(externalId="x-1")
    invoice = shop.refused("POST", f"salesOrder/{order}/!transform/invoice", {"externalId": "x-1"})
    assert invoice[:2] == (400, "USER_ERROR")
    assert shop.account.rows("invoice") == []
    assert shop.account.rows("salesOrder")[0]["item"][0]["quantityBilled"] == 0
    shop.item("Second", externalId="x-1")
    body = {
        "itemId": "Third",
        "incomeAccount": {"id": "5"},
        "taxSchedule": {"id": "1"},
        "subsidiary": {"items": [{"id": "1"}]},
    }
    assert shop.refused("POST", "serviceSaleItem", {**body, "externalId": "x-1"})[:2] == (400, "USER_ERROR")


@pytest.mark.parametrize("external", ["gid://shop/1", "a@b.c", "SKU.1", "a|b", "a b"])
def test_external_ids_have_a_narrow_alphabet(shop, external):
    body = {"companyName": "B", "subsidiary": {"id": "1"}, "externalId": external}
    assert shop.refused("POST", "customer", body)[:2] == (400, "USER_ERROR")
    assert shop.account.rows("customer") == []


def test_letters_of_any_script_are_in_the_alphabet(shop):
    assert shop.customer(externalId="\u0141\u00f3d\u017a-1_a") == "101"


# --- names and mandatory fields ---


def test_entity_ids_are_unique_and_come_from_the_name(shop):
    shop.customer("Acme")
    assert shop.refused("POST", "customer", {"companyName": "ACME", "subsidiary": {"id": "1"}})[:2] == (
        400,
        "USER_ERROR",
    )
    person = {"isPerson": True, "firstName": "Jo", "lastName": "Low", "subsidiary": {"id": "1"}}
    assert shop.get(f"customer/{shop.post('customer', person)}")["entityId"] == "Jo Low"
    shop.patch("customer/101", {"entityId": "Acme Ltd"})
    assert shop.customer("Acme") != "101"


def test_auto_numbering_ignores_a_sent_entity_id_unless_it_is_switched_off():
    shop = Shop(auto_numbering=True)
    shop.customer("Acme", entityId="MINE")
    shop.customer("Other", entityId="MINE", autoName=False)
    shop.customer("Acme")
    assert [row["entityId"] for row in shop.account.rows("customer")] == ["1001", "MINE", "1002"]


def test_subsidiary_is_mandatory_on_one_world_and_refused_elsewhere(shop, small):
    assert shop.refused("POST", "customer", {"companyName": "A"}) == (
        400,
        "USER_ERROR",
        "Error while accessing a resource. Please enter value(s) for: Subsidiary.",
    )
    answer = small.call("POST", "customer", {"companyName": "A", "subsidiary": {"id": "1"}})
    assert refusal(answer)[:2] == (400, "USER_ERROR")
    assert answer.json()["o:errorDetails"][0]["o:errorPath"] == "subsidiary"
    assert small.customer("A") == "101"
    assert "subsidiary" not in small.get("customer/101")


def test_item_needs_its_accounts_and_schedule_and_a_form_may_ask_for_more(shop):
    assert shop.refused("POST", "inventoryItem", {"itemId": "Oil"})[2].endswith(
        "Please enter value(s) for: Subsidiary, Tax Schedule, Income Account, Cogs Account, Asset Account."
    )
    shop.twin.add_account(
        "1234567", mandatory={"inventoryItem": ["itemId"], "salesOrder/1": ["location"], "salesOrder": ["entity"]}
    )
    assert shop.post("inventoryItem", {"itemId": "Oil"}) == "201"
    assert shop.refused("POST", "inventoryItem", {"itemId": "OIL"})[:2] == (400, "USER_ERROR")
    shop.twin.add_account("1234567", mandatory={"salesOrder/1": ["location"]})
    order = shop.order()
    assert shop.refused("PATCH", f"salesOrder/{order}", {"customForm": {"id": "1"}})[2].endswith("for: Location.")
    assert shop.patch(f"salesOrder/{order}", {"customForm": {"id": "1"}, "location": {"id": "2"}}) == order


def test_inactive_customers_and_items_cannot_be_sold(shop):
    shop.stocked()
    shop.patch("nonInventorySaleItem/201", {"isInactive": True})
    lines = {"items": [{"item": {"id": "201"}, "quantity": 1}]}
    answer = shop.call("POST", "salesOrder", {"entity": {"id": "101"}, "item": lines})
    assert refusal(answer)[:2] == (400, "USER_ERROR")
    assert answer.json()["o:errorDetails"][0]["o:errorPath"] == "item.items[0].item"
    shop.patch("nonInventorySaleItem/201", {"isInactive": False})
    order = shop.order()
    shop.patch("customer/101", {"isInactive": True})
    assert shop.refused("POST", "salesOrder", {"entity": {"id": "101"}, "item": lines})[:2] == (400, "USER_ERROR")
    assert shop.patch(f"salesOrder/{order}", {"memo": "still open to changes"}) == order


def test_customer_item_and_location_must_belong_to_the_orders_subsidiary(shop):
    shop.customer("South")
    north = shop.post("customer", {"companyName": "North", "subsidiary": {"id": "2"}})
    item = shop.item()
    lines = {"items": [{"item": {"id": item}, "quantity": 1}]}
    for body in ({"entity": {"id": "101"}, "subsidiary": {"id": "2"}}, {"entity": {"id": north}}):
        assert shop.refused("POST", "salesOrder", {**body, "item": lines})[:2] == (400, "USER_ERROR")
    shop.patch(f"nonInventorySaleItem/{item}", {"includeChildren": True})
    assert shop.post("salesOrder", {"entity": {"id": north}, "item": lines})
    body = {"entity": {"id": north}, "item": lines, "location": {"id": "1"}}
    assert shop.refused("POST", "salesOrder", body)[:2] == (400, "USER_ERROR")


def test_custom_fields_are_known_once_the_account_has_them(shop):
    shop.twin.add_account("1234567", custom_fields=("custentity_shop_id",))
    shop.customer(custentity_shop_id="S-1", custentity_other="x")
    assert shop.get("customer/101")["custentity_shop_id"] == "S-1"
    assert "custentity_other" not in shop.get("customer/101")
    assert shop.query("SELECT custentity_shop_id AS own FROM customer") == [{"own": "S-1"}]


# --- where there is nothing ---


def test_unknown_types_ids_paths_and_methods(shop):
    assert shop.refused("GET", "gadget/1") == (404, "NONEXISTENT_RECORD_TYPE", "Record type 'gadget' does not exist.")
    assert shop.refused("GET", "customer/1") == (
        404,
        "NONEXISTENT_ID",
        "The record instance does not exist. Provide a valid record instance ID.",
    )
    assert shop.refused("PATCH", "customer/1", {})[:2] == (404, "NONEXISTENT_ID")
    assert shop.refused("DELETE", "customer/1")[:2] == (404, "NONEXISTENT_ID")
    assert shop.refused("GET", "/services/rest/nothing/v1")[:2] == (404, "INVALID_URL")
    assert shop.refused("PATCH", "customer", {})[:2] == (405, "INVALID_METHOD")
    assert shop.refused("POST", "term", {"name": "Net 45"})[:2] == (405, "INVALID_METHOD")
    assert shop.refused("POST", "customer/1", {})[:2] == (405, "INVALID_METHOD")
    assert shop.refused("GET", "/services/rest/query/v1/suiteql")[:2] == (405, "INVALID_METHOD")


def test_seeded_lists_can_be_read(shop):
    assert shop.get("term/3")["name"] == "Net 30"
    assert shop.get("subsidiary")["totalResults"] == 2
    assert shop.get("account/2")["acctType"] == "AcctRec"


def test_error_texts_follow_the_language_of_the_account_and_codes_do_not():
    shop = Shop(language="it")
    answer = shop.refused("POST", "customer", {"companyName": "A"})
    assert answer == (400, "USER_ERROR", "Errore durante l'accesso a una risorsa. Immettere i valori per: Subsidiary.")
    assert shop.refused("GET", "customer/1")[:2] == (404, "NONEXISTENT_ID")
    foreign = shop.call("GET", "customer", None, {"accept-language": "en-US,en;q=0.9"})
    assert refusal(foreign)[:2] == (400, "INVALID_HEADER")
    assert foreign.json()["o:errorDetails"][0]["o:errorHeader"] == "Accept-Language"
    assert shop.call("GET", "customer", None, {"accept-language": "it-IT"}).status_code == 200


def test_metadata_lists_types_and_describes_fields(shop, small):
    names = {row["name"] for row in shop.get("metadata-catalog")["items"]}
    assert {"customer", "salesOrder", "invoice", "customerPayment", "serviceSaleItem"} <= names
    headers = {"accept": "application/schema+json"}
    schema = shop.call("GET", "metadata-catalog/customer", None, headers).json()
    assert "required" not in schema
    assert schema["properties"]["email"]["x-ns-filterable"] is True
    assert "subsidiary" in schema["properties"]
    assert "subsidiary" not in small.call("GET", "metadata-catalog/customer", None, headers).json()["properties"]
    swagger = shop.call("GET", "metadata-catalog", None, {"accept": "application/swagger+json"}, select="customer,term")
    assert set(swagger.json()["components"]["schemas"]) == {"customer", "term"}
    assert shop.refused("GET", "metadata-catalog/gadget")[0] == 404
