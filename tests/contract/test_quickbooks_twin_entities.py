from __future__ import annotations

import pytest

from tests.contract.twin_support import Books, handle_of


@pytest.fixture
def books() -> Books:
    return Books()


def test_created_customer_has_token_zero_and_times_in_the_company_zone(books):
    made = books.customer(GivenName="Ada", PrimaryEmailAddr={"Address": "ada@cafe.example.com"})
    assert (made["Id"], made["SyncToken"], made["domain"], made["sparse"]) == ("1", "0", "QBO", False)
    assert made["MetaData"]["CreateTime"] == "2026-03-02T12:00:00-08:00"
    assert books.get("customer/1") == made


def test_display_name_is_made_of_name_parts_when_absent(books):
    assert books.post("customer", {"GivenName": "Ada", "FamilyName": "Stone"})["DisplayName"] == "Ada Stone"
    assert books.refused("customer", {"CompanyName": "Nameless"}) == ["6080"]


@pytest.mark.parametrize("other", ["customer", "vendor", "employee"])
def test_names_are_one_namespace_without_case_and_blanks(books, other):
    books.post(other, {"DisplayName": "Blue Door"})
    answer = books.call("POST", "customer", {"DisplayName": " BLUE door "})
    (error,) = answer.json()["Fault"]["Error"]
    assert (answer.status_code, error["code"], error["Message"]) == (400, "6240", "Duplicate Name Exists Error")
    assert error["Detail"].startswith(
        "The name supplied already exists. : Another customer, vendor or employee is already using this name."
    )


@pytest.mark.parametrize("name", ["a:b", "a\tb", "a\nb"])
def test_display_name_refuses_colon_tab_and_newline(books, name):
    assert books.refused("customer", {"DisplayName": name}) == ["2040"]


def test_unknown_property_is_2010_and_names_it(books):
    answer = books.call("POST", "customer", {"DisplayName": "X", "Shoe": 44})
    assert answer.json()["Fault"]["Error"][0]["Detail"] == "Property Name:Shoe specified is unsupported or invalid"
    assert books.refused("customer", b"{broken") == ["2010"]


def test_length_and_missing_faults_come_together(books):
    answer = books.call("POST", "invoice", {"DocNumber": "x" * 45, "CustomerRef": {"value": "1"}})
    errors = answer.json()["Fault"]["Error"]
    assert [(one["code"], one["element"]) for one in errors] == [("2020", "Line"), ("2050", "DocNumber")]
    assert errors[1]["Detail"].endswith("Min:0 Max:21 supported. Supplied length:45")


def test_stale_token_is_5010_and_missing_object_610(books):
    made = books.customer()
    books.post("customer", {**handle_of(made), "sparse": True, "Notes": "first"})
    assert books.refused("customer", {**handle_of(made), "sparse": True, "Notes": "late"}) == ["5010"]
    assert books.refused("customer", {"Id": "99", "SyncToken": "0"}) == ["610"]
    assert books.call("GET", "customer/99").json()["Fault"]["Error"][0]["code"] == "610"


def test_full_update_clears_what_is_not_sent_and_sparse_keeps_it(books):
    made = books.customer(Notes="keep?", CompanyName="Blue Door Ltd")
    sparse = books.post("customer", {**handle_of(made), "sparse": True, "CompanyName": "Blue Door plc"})
    assert (sparse["Notes"], sparse["CompanyName"], sparse["SyncToken"]) == ("keep?", "Blue Door plc", "1")
    full = books.post("customer", {**handle_of(sparse), "DisplayName": "Blue Door Cafe", "Notes": ""})
    assert "Notes" not in full
    assert "CompanyName" not in full


def test_sparse_update_cannot_blank_the_display_name(books):
    made = books.customer()
    assert (
        books.post("customer", {**handle_of(made), "sparse": True, "DisplayName": ""})["DisplayName"]
        == "Blue Door Cafe"
    )


def test_deactivation_renames_hides_and_frees_the_name(books):
    made = books.customer("Acme")
    gone = books.post("customer", {**handle_of(made), "sparse": True, "Active": False})
    assert (gone["DisplayName"], gone["FullyQualifiedName"], gone["Active"]) == (
        "Acme (deleted)",
        "Acme (deleted)",
        False,
    )
    again = books.customer("Acme")
    assert books.query("select * from Customer")["Customer"] == [again]
    second = books.post("customer", {**handle_of(again), "sparse": True, "Active": False})
    assert second["DisplayName"] == "Acme (deleted) 2"


def test_reactivated_customer_gets_its_name_back(books):
    gone = books.post("customer", {**handle_of(books.customer("Acme")), "sparse": True, "Active": False})
    assert books.post("customer", {**handle_of(gone), "sparse": True, "Active": True})["DisplayName"] == "Acme"


def test_customer_with_a_balance_cannot_be_deactivated_over_the_api(books):
    books.invoice()
    assert books.get("customer/1")["Balance"] == 108
    assert books.refused("customer", {**handle_of(books.get("customer/1")), "sparse": True, "Active": False}) == [
        "6220"
    ]


def test_inactive_reference_is_610_and_unknown_one_2500(books):
    books.customer()
    item = books.item()
    books.post("item", {**handle_of(item), "sparse": True, "Active": False})
    assert books.refused("invoice", books.draft()) == ["610"]
    assert books.refused("invoice", {**books.draft(), "CustomerRef": {"value": "77"}}) == ["2500"]


def test_sub_customers_are_qualified_and_at_most_five_deep(books):
    parent = books.customer("L1")
    for level in range(2, 6):
        parent = books.customer(f"L{level}", ParentRef={"value": parent["Id"]})
    assert parent["FullyQualifiedName"] == "L1:L2:L3:L4:L5"
    assert books.refused("customer", {"DisplayName": "L6", "ParentRef": {"value": parent["Id"]}}) == ["6180"]


def test_name_lists_have_no_hard_delete(books):
    assert books.refused("customer", handle_of(books.customer()), operation="delete") == ["500"]


def test_item_rules_by_type(books):
    item = books.item("Oil", Sku="OIL-1")
    assert item["FullyQualifiedName"] == "Oil"
    assert books.refused("item", {"Name": "OIL", "Type": "Service", "IncomeAccountRef": {"value": "6"}}) == ["6240"]
    assert books.refused("item", {"Name": "No income", "Type": "Service"}) == ["2020"]
    assert books.refused("item", {"Name": "Odd", "Type": "Gadget"}) == ["2170"]
    stock = {"Name": "Crate", "Type": "Inventory", "IncomeAccountRef": {"value": "5"}}
    assert (
        books.refused("item", {**stock, "TrackQtyOnHand": True}) == ["2020"] * 4
    )  # expense and asset account, start date, quantity
    whole = {
        "ExpenseAccountRef": {"value": "9"},
        "AssetAccountRef": {"value": "4"},
        "InvStartDate": "2026-03-01",
        "QtyOnHand": 5,
        "TrackQtyOnHand": True,
    }
    assert books.post("item", {**stock, **whole})["QtyOnHand"] == 5
    assert books.refused("item", {**stock, **whole, "Name": "Plain", "Type": "NonInventory"}) == ["2010"] * 3


def test_inventory_cannot_be_sold_before_its_start_date(books):
    books.customer()
    accounts = {
        "IncomeAccountRef": {"value": "5"},
        "ExpenseAccountRef": {"value": "9"},
        "AssetAccountRef": {"value": "4"},
    }
    books.post(
        "item",
        {
            "Name": "Crate",
            "Type": "Inventory",
            "InvStartDate": "2026-03-10",
            "QtyOnHand": 5,
            "TrackQtyOnHand": True,
            **accounts,
        },
    )
    assert books.refused("invoice", books.draft()) == ["6270"]


def test_new_company_has_its_lists(books):
    names = {row["Name"] for row in books.query("select * from Account")["Account"]}
    assert {"Sales of Product Income", "Undeposited Funds", "Cost of Goods Sold", "Checking"} <= names
    assert {row["Id"] for row in books.query("select * from TaxCode")["TaxCode"]} == {"TAX", "NON", "2"}
    preferences = books.get("preferences")
    assert preferences["SalesFormsPrefs"]["CustomTxnNumbers"] is True
    assert preferences["CurrencyPrefs"] == {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": "USD"}}
    assert books.get(f"companyinfo/{books.company.realm}")["CompanyName"] == "Harbor Foods Ltd (twin)"


def test_subscription_end_refuses_writes_with_6190_and_allows_reads(books):
    made = books.customer()
    books.twin.add_company(books.company.realm, subscription_active=False)
    assert books.refused("customer", {"DisplayName": "Late"}) == ["6190"]
    assert books.get("customer/1") == made


def test_unknown_entity_and_operation_are_faults(books):
    assert books.refused("gadget", {}) == ["500"]
    assert books.refused("term", {"Name": "T"}, operation="void") == ["500"]


def test_short_lists_have_unique_names_too(books):
    assert books.refused("account", {"Name": "checking", "AccountType": "Bank"}) == ["6240"]
    assert books.refused("account", {"Name": "No type"}) == ["6010"]
    assert books.post("term", {"Name": "Net 45", "DueDays": 45})["Id"] == "5"
    assert books.post("paymentmethod", {"Name": "Card", "Type": "CREDIT_CARD"})["Active"] is True
