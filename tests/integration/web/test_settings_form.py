"""A provider's own settings in a form: drawn from its model, with the company's lists, each error beside its field."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from erp_pipelines.connectors.provider import Choice
from erp_pipelines.domain.errors import RecordInvalid, Unavailable
from tests.integration.access.fakes import connect
from tests.integration.web.conftest import Api
from tests.integration.web.console_support import signed_in

PAGE = "/console/connections/quickbooks/settings"
Id = Annotated[str, StringConstraints(min_length=1, max_length=5)]


class Forms(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)
    sales_order: Id | None = None


class Own(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True)
    tax_codes: dict[str, Id] = {}
    """The code of each rate."""
    refund_as: Literal["refundReceipt", "creditMemo"] = "refundReceipt"
    class_id: Id | None = None
    cancel_voids: bool = False
    limit: int | None = Field(default=None, ge=1)
    form_ids: Forms = Forms()
    fields: dict[str, Any] = {}


@pytest.fixture
def own(api: Api) -> Api:
    """A connection whose provider has settings of its own and a list of classes and tax codes."""
    connect(api.runtime)
    connector = api.runtime.connectors["quickbooks"]
    connector.settings_model = Own
    lists = {"providerSettings.classId": [Choice("7", "Web <b>")], "providerSettings.taxCodes": [Choice("1", "20 %")]}
    connector.choices = lambda *_: lists
    return api


def fields(**given: Any) -> dict[str, Any]:
    """What a browser sends of the form."""
    blank = {
        "documentsWhen": "paid", "switch": "providerSettings.cancelVoids", "providerSettings.taxCodes.name": ["", ""],
        "providerSettings.taxCodes.value": ["", ""], "providerSettings.refundAs": "refundReceipt",
        "providerSettings.classId": "", "providerSettings.limit": "", "providerSettings.formIds.salesOrder": "",
    }  # fmt: skip
    return blank | {
        name if name in blank or name == "on" else f"providerSettings.{name}": value for name, value in given.items()
    }


def saved(api: Api) -> dict[str, Any]:
    return api.get("/api/integrations/connections/quickbooks").json()["settings"]


def inputs(text: str, name: str) -> list[str]:
    return re.findall(rf'<(?:input|select)[^>]* name="{re.escape(name)}"[^>]*>', text)


def test_the_models_fields_are_shown_with_what_may_be_chosen(own: Api) -> None:
    text = signed_in(own).get(PAGE).text
    assert "<span>Refund as</span>" in text
    assert '<option value="creditMemo">Credit memo</option>' in text
    assert '<option value="7">Web &lt;b&gt;</option>' in text
    assert '<small class="muted">The code of each rate.</small>' in text
    assert len(inputs(text, "providerSettings.taxCodes.value")) == 2
    assert "<span>Form: Sales order" in text
    assert inputs(text, "providerSettings.fields") == []
    assert "Only here: fields." in text


def test_what_is_entered_is_saved_and_what_is_emptied_is_taken_away(own: Api) -> None:
    visitor = signed_in(own)
    form = fields(
        **{"providerSettings.taxCodes.name": ["0.2", ""], "providerSettings.taxCodes.value": ["1", ""]},
        refundAs="creditMemo", classId="7", on="providerSettings.cancelVoids", limit="3", **{"formIds.salesOrder": "9"},
    )  # fmt: skip
    assert visitor.post(PAGE, PAGE, **form).headers["location"] == "/console/connections?done=saved"
    assert saved(own)["providerSettings"] == {
        "taxCodes": {"0.2": "1"}, "refundAs": "creditMemo", "classId": "7", "cancelVoids": True, "limit": 3,
        "formIds": {"salesOrder": "9"},
    }  # fmt: skip
    shown = visitor.get(PAGE).text
    assert '<option value="7" selected>' in shown
    assert len(inputs(shown, "providerSettings.taxCodes.value")) == 3
    assert visitor.post(PAGE, PAGE, **fields()).status_code == 303
    assert saved(own)["providerSettings"] == {}


def test_saving_the_form_keeps_what_it_cannot_show(own: Api) -> None:
    visitor = signed_in(own)
    assert visitor.post(PAGE, PAGE, providerSettings='{"fields": {"a": [1]}, "classId": "99"}').status_code == 303
    assert '<option value="99" selected>99 (not in the list)</option>' in visitor.get(PAGE).text
    assert visitor.post(PAGE, PAGE, **fields(classId="99")).status_code == 303
    assert saved(own)["providerSettings"] == {"fields": {"a": [1]}, "classId": "99"}


@pytest.mark.parametrize(
    ("form", "path", "words"),
    [
        ({"limit": "many"}, "limit", "providerSettings: limit: Input should be a valid integer"),
        ({"classId": "toolong"}, "classId", "at most 5 characters"),
        ({"providerSettings.taxCodes.name": ["", ""], "providerSettings.taxCodes.value": ["1", ""]}, "taxCodes", "a row has no name"),
        ({"providerSettings.taxCodes.name": ["a", "a"], "providerSettings.taxCodes.value": ["1", "2"]}, "taxCodes", "same name"),
        ({"providerSettings.taxCodes.name": ["a", ""], "providerSettings.taxCodes.value": ["toolong", ""]}, "taxCodes", "at most 5"),
        ({"formIds.salesOrder": "toolong"}, "formIds.salesOrder", "at most 5"),
    ],
)  # fmt: skip
def test_an_error_stands_beside_its_field_and_what_was_entered_stays(
    own: Api, form: dict[str, Any], path: str, words: str
) -> None:
    answer = signed_in(own).post(PAGE, PAGE, **fields(**{"limit": "12", "classId": "7"} | form))
    assert answer.status_code == 422
    [beside] = re.findall(r'<p class="field-error" id="wrong-([\w.]+)">([^<]*)</p>', answer.text)
    assert beside[0] == f"providerSettings.{path}"
    assert words in beside[1]
    assert f'aria-describedby="wrong-providerSettings.{path}"' in answer.text
    for name, value in form.items():
        for one in [value] if isinstance(value, str) else value:
            assert f'value="{one}"' in answer.text, name
    assert saved(own)["providerSettings"] is None


def test_what_the_company_says_stands_beside_the_field_too(own: Api) -> None:
    def check(*_: object) -> dict[str, object]:
        raise RecordInvalid("classId: 7 is no active Class.", field="providerSettings.classId")

    own.runtime.connectors["quickbooks"].check_settings = check
    answer = signed_in(own).post(PAGE, PAGE, **fields(classId="7"))
    assert (
        '<p class="field-error" id="wrong-providerSettings.classId">classId: 7 is no active Class.</p>' in answer.text
    )


def test_without_the_companys_lists_ids_are_entered(own: Api) -> None:
    def silent(*_: object) -> dict[str, list[Choice]]:
        raise Unavailable("QuickBooks does not answer.")

    own.runtime.connectors["quickbooks"].choices = silent
    visitor = signed_in(own)
    text = visitor.get(PAGE).text
    assert "lists cannot be read now (QuickBooks does not answer.)" in text
    assert [one.startswith("<input") for one in inputs(text, "providerSettings.classId")] == [True]
    assert visitor.post(PAGE, PAGE, **fields(classId="7")).status_code == 303


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"made": "up"}'])
def test_json_that_cannot_be_is_refused_and_changes_nothing(own: Api, text: str) -> None:
    assert signed_in(own).post(PAGE, PAGE, providerSettings=text).status_code == 422
    assert saved(own)["providerSettings"] is None


def test_orders_of_before_the_start_are_named_by_a_date(own: Api) -> None:
    visitor = signed_in(own)
    assert visitor.post(PAGE, PAGE, **fields(), startDate="2026-02-01").status_code == 303
    assert saved(own)["startDate"] == "2026-02-01"
    assert '<input class="form-control" type="date" name="startDate" value="2026-02-01">' in visitor.get(PAGE).text
    wrong = visitor.post(PAGE, PAGE, **fields(), startDate="soon")
    assert (wrong.status_code, 'id="wrong-startDate"' in wrong.text) == (422, True)
    assert visitor.post(PAGE, PAGE, **fields(), startDate="").status_code == 303
    assert saved(own)["startDate"] is None
