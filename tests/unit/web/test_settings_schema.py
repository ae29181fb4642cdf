from __future__ import annotations

from erp_pipelines.connectors.netsuite.config import NetSuiteConfig
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.registry import connectors
from webhook_api.console.settings_schema import Kind, in_words, label_of, own_settings, unshown

QUICKBOOKS = QuickBooksConfig("id", "secret", verifier_token="v")
FOUND = connectors(quickbooks=QUICKBOOKS, netsuite=NetSuiteConfig())


def shown(provider: str) -> dict[str, Kind]:
    return {
        one.path.removeprefix("providerSettings."): one.kind for one in own_settings(FOUND[provider].settings_model)
    }


def test_every_setting_of_quickbooks_has_a_field_and_a_word_about_it() -> None:
    model = FOUND["quickbooks"].settings_model
    assert unshown(model) == ()
    assert {one.path for one in own_settings(model) if not one.hint} == set()
    kinds = shown("quickbooks")
    assert (kinds["taxCodes"], kinds["overpayments"], kinds["cancelVoids"]) == (Kind.TABLE, Kind.WORD, Kind.SWITCH)
    assert (kinds["roundingLimit"], kinds["classId"]) == (Kind.NUMBER, Kind.TEXT)


def test_of_netsuite_only_values_of_any_kind_are_left_to_json() -> None:
    model = FOUND["netsuite"].settings_model
    assert unshown(model) == ("customerFields", "itemFields", "orderFields", "lineFields", "paymentFields")
    kinds = shown("netsuite")
    assert (kinds["customFormIds.salesOrder"], kinds["taxEngine"], kinds["concurrency"]) == (
        Kind.TEXT, Kind.WORD, Kind.NUMBER,
    )  # fmt: skip
    forms = [one.label for one in own_settings(model) if one.path.startswith("providerSettings.customFormIds.")]
    assert "Custom form: Sales order" in forms


def test_a_provider_without_settings_has_no_fields() -> None:
    assert (own_settings(None), unshown(None)) == ((), ())


def test_names_are_read_as_words() -> None:
    assert [label_of(name) for name in ("refundAccountId", "id", "taxCodes")] == ["Refund account", "Id", "Tax codes"]
    assert [in_words(word) for word in ("A", "suiteTax", "externalId")] == ["A", "Suite tax", "External id"]
