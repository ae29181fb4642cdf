from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.events import decode, ordering_key
from erp_pipelines.domain.idempotency import KEY_LENGTH, batch_key, fingerprint, notice_key, request_key
from erp_pipelines.domain.money import check_minor_unit, minor_unit, round_money
from erp_pipelines.domain.payments import PaymentStatus, status_for
from erp_pipelines.domain.states import FINAL, TRANSITIONS, WAITING, DeliveryStatus

D = Decimal


@pytest.mark.parametrize(
    ("amount", "rounded"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("1.004", "1.00")]
)
def test_money_is_rounded_half_up(amount, rounded):
    assert round_money(D(amount), "USD") == D(rounded)


@pytest.mark.parametrize(("currency", "unit"), [("USD", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("CLF", "0.0001")])
def test_each_currency_has_its_own_smallest_unit(currency, unit):
    assert minor_unit(currency) == D(unit)


def test_an_unknown_currency_is_refused_and_not_taken_for_one_with_cents():
    with pytest.raises(RecordInvalid, match="'XYZ' is no currency"):
        minor_unit("XYZ")


def test_an_amount_with_more_digits_than_its_currency_is_refused():
    with pytest.raises(RecordInvalid, match=r"total is 1\.005, but USD has no unit below 0\.01"):
        check_minor_unit(D("1.005"), "USD", "total")


@pytest.mark.parametrize(
    ("total", "paid", "status"),
    [
        ("10", "0", "unpaid"),
        ("10", "3", "partiallyPaid"),
        ("10", "10", "paid"),
        ("10", "12", "paid"),
        ("0", "0", "paid"),
    ],
)
def test_the_payment_status_follows_what_was_received(total, paid, status):
    assert status_for(D(total), D(paid)) == PaymentStatus(status)


def test_the_same_write_has_the_same_key_and_another_one_another():
    key = request_key("conn", "Order", "1", "create", "abc", 0)
    assert key == request_key("conn", "Order", "1", "create", "abc", 0)
    others = {
        request_key("other", "Order", "1", "create", "abc", 0), request_key("conn", "Payment", "1", "create", "abc", 0),
        request_key("conn", "Order", "2", "create", "abc", 0), request_key("conn", "Order", "1", "update:0", "abc", 0),
        request_key("conn", "Order", "1", "create", "abd", 0), request_key("conn", "Order", "1", "create", "abc", 1),
    }  # fmt: skip
    assert len(others | {key}) == 7
    assert len(key) == KEY_LENGTH


def test_keys_and_fingerprints_never_change_from_one_version_to_the_next():
    """What was written down before an update must be recognised after it: else all is sent again, and doubts are not settled."""
    assert request_key("conn", "Order", "1", "create", "abc", 0) == "bacd82185be17687728523a63e976f77"
    assert batch_key(["k1", "k2"]) == "7b03f2f4380b341fc0b3e9153328ff11"
    assert notice_key("a", "b") == "f04cdced9736a69da6103f08a4daaf8c485dd481217d218a1b4993c8c3968e13"
    named = fingerprint({"b": [1, 2], "a": "Zo\u00eb"})
    assert named == "3198dbba8fc32b7e6eb0435314e20d05b92ad918be46d5c343982a992b683a58"


def test_fingerprints_tell_values_apart_and_take_an_amount_for_its_text():
    assert fingerprint({"amount": D("1.50")}) == fingerprint({"amount": "1.50"})
    assert fingerprint({"amount": D("1.50")}) != fingerprint({"amount": D("1.5")})
    assert fingerprint([1, 2]) != fingerprint([2, 1])


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(value):
    assert fingerprint(value) == fingerprint(dict(reversed(list(value.items()))))


@pytest.mark.parametrize(
    "text", ["acme", ":quickbooks", "acme:", "Acme:quickbooks", "a b:quickbooks", "acme:quick books"]
)
def test_a_malformed_connection_key_is_refused(text):
    with pytest.raises(RecordInvalid):
        ConnectionKey.parse(text)


def test_a_connection_key_reads_as_it_is_written():
    assert str(ConnectionKey.parse("acme:quickbooks")) == "acme:quickbooks"


def test_a_payment_queues_behind_its_order():
    assert ordering_key("Payment", "p1", {"orderId": "o1"}) == ordering_key("Order", "o1", {}) == "Order:o1"


def test_an_unknown_entity_type_is_named_with_the_known_ones():
    with pytest.raises(
        RecordInvalid, match=r"'Invoice' is no entity type. Known are Customer, Product, Order, Payment"
    ):
        decode("Invoice", {})


def test_final_and_waiting_states_agree_with_the_transition_table():
    assert TRANSITIONS[DeliveryStatus.COMPLETED] == frozenset()
    assert {state for state, after in TRANSITIONS.items() if DeliveryStatus.PROCESSING in after} == WAITING
    assert frozenset() == FINAL & WAITING
