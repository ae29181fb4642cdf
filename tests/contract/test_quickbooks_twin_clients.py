"""Two independent client libraries, written for the real service, drive the twin over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks, exceptions
from quickbooks.batch import batch_create
from quickbooks.cdc import change_data_capture
from quickbooks.objects import (
    Customer,
    EmailAddress,
    Invoice,
    Item,
    Payment,
    Ref,
    SalesItemLine,
    SalesItemLineDetail,
    Vendor,
)
from quickbooks.objects.base import LinkedTxn
from quickbooks.objects.payment import PaymentLine
from quickbooks.objects.tax import TxnTaxDetail

from erp_twins.quickbooks import QuickBooksTwin
from erp_twins.serve import TwinServer
from tests.contract.twin_support import REALM, REDIRECT

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def server():
    twin = QuickBooksTwin()
    twin.configure(throttle=False)
    twin.add_app("app-1", "app-secret", (REDIRECT,), "Test shop")
    with TwinServer(twin) as running:
        yield running


@pytest.fixture
def auth(server, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    server.twin.reset()
    client = AuthClient("app-1", "app-secret", REDIRECT, f"{server.url}/.well-known/openid_configuration/")
    yield client
    client.close()


def approve(auth, scopes=(Scopes.ACCOUNTING,)):
    """What the user's browser does between the two steps of the app."""
    url = auth.get_authorization_url(list(scopes), state_token="state-1")
    answer = httpx.get(f"{url}&twin_approve={REALM}")
    back = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert back["state"] == "state-1"
    auth.get_bearer_token(back["code"], realm_id=back["realmId"])


@pytest.fixture
def qb(server, auth, monkeypatch):
    monkeypatch.setattr(QuickBooks, "api_url_v3", f"{server.url}/v3")
    approve(auth)
    client = QuickBooks(auth_client=auth, refresh_token=auth.refresh_token, company_id=REALM, minorversion=75)
    yield client
    client.session.close()


@pytest.fixture
def world(qb):
    """A customer and an item, as the library saves them: with its empty strings and zeros."""
    customer = Customer()
    customer.DisplayName = "O'Brien & Sons"
    customer.PrimaryEmailAddr = EmailAddress()
    customer.PrimaryEmailAddr.Address = "books@obrien.example.com"
    item = Item()
    item.Name, item.Type, item.UnitPrice = "Olive oil", "NonInventory", 12.5
    item.IncomeAccountRef = Ref()
    item.IncomeAccountRef.value = "5"
    return SimpleNamespace(customer=customer.save(qb=qb), item=item.save(qb=qb), qb=qb)


def invoice_for(world, number="SHOP-1", qty=3, price=12.5, tax=3.09):
    line = SalesItemLine()
    line.Amount, line.Description = qty * price, "Oil"
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.Qty, line.SalesItemLineDetail.UnitPrice = qty, price
    line.SalesItemLineDetail.ItemRef = world.item.to_ref()
    invoice = Invoice()
    invoice.DocNumber = number
    invoice.CustomerRef = world.customer.to_ref()
    invoice.Line.append(line)
    invoice.TxnTaxDetail = TxnTaxDetail()
    invoice.TxnTaxDetail.TotalTax = tax
    return invoice


def payment_for(world, invoice, amount):
    link = LinkedTxn()
    link.TxnId, link.TxnType = invoice.Id, "Invoice"
    line = PaymentLine()
    line.Amount = amount
    line.LinkedTxn.append(link)
    payment = Payment()
    payment.CustomerRef, payment.TotalAmt = world.customer.to_ref(), amount
    payment.Line.append(line)
    return payment


# --- intuit-oauth ---


def test_oauth_client_connects_refreshes_and_revokes(auth):
    approve(auth)
    assert (auth.realm_id, auth.expires_in, auth.x_refresh_token_expires_in) == (REALM, 3600, 8726400)
    before = auth.access_token
    auth.refresh()
    assert auth.access_token != before
    token = auth.refresh_token
    assert auth.revoke(token=token) is True
    with pytest.raises(AuthClientError) as error:
        auth.refresh(refresh_token=token)
    assert error.value.status_code == 400


def test_oauth_client_verifies_the_id_token_and_reads_user_info(auth):
    approve(auth, (Scopes.ACCOUNTING, Scopes.OPENID, Scopes.EMAIL))
    assert auth.id_token
    assert auth.get_user_info().json()["emailVerified"] is True


def test_oauth_client_sees_a_wrong_secret(auth):
    auth.client_secret = "wrong"
    with pytest.raises(AuthClientError) as error:
        auth.refresh(refresh_token="x")
    assert error.value.status_code == 401


# --- python-quickbooks ---


def test_customer_is_saved_found_counted_and_updated(world):
    qb = world.qb
    assert world.customer.Id == "1"
    (found,) = Customer.filter(DisplayName="O'Brien & Sons", qb=qb)
    assert found.PrimaryEmailAddr.Address == "books@obrien.example.com"
    assert Customer.count(qb=qb) == 1
    found.CompanyName = "O'Brien Ltd"
    assert found.save(qb=qb).SyncToken == "1"
    assert Customer.get("1", qb=qb).CompanyName == "O'Brien Ltd"
    assert [item.Name for item in Item.all(qb=qb, order_by="Name")] == ["Olive oil"]
    assert Customer.filter(DisplayName="Nobody", qb=qb) == []
    assert Customer.choose(["1"], qb=qb)[0].Id == "1"


def test_stale_and_duplicate_become_the_library_s_exceptions(world):
    old = Customer.get("1", qb=world.qb)
    world.customer.save(qb=world.qb)
    with pytest.raises(exceptions.QuickbooksException) as stale:
        old.save(qb=world.qb)
    assert stale.value.error_code == 5010
    vendor = Vendor()
    vendor.DisplayName = "o'brien & sons"
    with pytest.raises(exceptions.QuickbooksException) as taken:
        vendor.save(qb=world.qb)
    assert (taken.value.error_code, taken.value.message) == (6240, "Duplicate Name Exists Error")


def test_missing_object_validation_and_expired_token_become_exceptions(server, world):
    with pytest.raises(exceptions.ObjectNotFoundException):
        Invoice.get("999", qb=world.qb)
    with pytest.raises(exceptions.ValidationException):
        Customer.where("Shoe = '1'", qb=world.qb)
    server.twin.grants.expire_access()
    with pytest.raises(exceptions.AuthorizationException):
        Customer.get("1", qb=world.qb)


def test_invoice_payment_void_and_delete(world):
    qb = world.qb
    invoice = invoice_for(world).save(qb=qb)
    assert (invoice.TotalAmt, invoice.Balance, invoice.DocNumber) == (40.59, 40.59, "SHOP-1")
    payment = payment_for(world, invoice, 40.59).save(qb=qb)
    assert payment.UnappliedAmt == 0
    paid = Invoice.get(invoice.Id, qb=qb)
    assert (paid.Balance, paid.LinkedTxn[0].TxnId, paid.SyncToken) == (0, payment.Id, "1")
    payment.void(qb=qb)
    assert Payment.get(payment.Id, qb=qb).PrivateNote == "Voided"
    Invoice.get(invoice.Id, qb=qb).void(qb=qb)
    assert Invoice.get(invoice.Id, qb=qb).TotalAmt == 0
    Invoice.get(invoice.Id, qb=qb).delete(qb=qb)
    assert Invoice.count(qb=qb) == 0


def test_round_trip_of_an_invoice_keeps_its_amounts(world):
    made = invoice_for(world).save(qb=world.qb)
    again = Invoice.get(made.Id, qb=world.qb)
    again.PrivateNote = "seen"
    saved = again.save(qb=world.qb)
    assert (saved.TotalAmt, saved.PrivateNote, len(saved.Line), saved.SyncToken) == (40.59, "seen", 2, "1")


def test_round_trip_of_a_payment_keeps_its_links(world):
    invoice = invoice_for(world).save(qb=world.qb)
    payment = Payment.get(payment_for(world, invoice, 10).save(qb=world.qb).Id, qb=world.qb)
    payment.PrivateNote = "seen"
    saved = payment.save(qb=world.qb)
    assert (saved.UnappliedAmt, saved.PrivateNote) == (0, "seen")
    assert Invoice.get(invoice.Id, qb=world.qb).Balance == 30.59


def test_requestid_makes_a_repeated_save_harmless(server, world):
    first = invoice_for(world).save(qb=world.qb, request_id="r-1")
    second = invoice_for(world).save(qb=world.qb, request_id="r-1")
    assert first.Id == second.Id
    assert len(server.twin.ledger().documents["Invoice"]) == 1


def test_invoice_is_mailed_and_printed(world):
    invoice = invoice_for(world).save(qb=world.qb)
    invoice.send(qb=world.qb, send_to="ap@obrien.example.com")
    assert Invoice.get(invoice.Id, qb=world.qb).EmailStatus == "EmailSent"
    assert invoice.download_pdf(qb=world.qb).startswith(b"%PDF-")


def test_change_data_capture(world):
    invoice = invoice_for(world).save(qb=world.qb)
    gone = invoice_for(world, "SHOP-2").save(qb=world.qb)
    gone.delete(qb=world.qb)
    since = datetime.now(UTC).replace(hour=0, minute=0).isoformat(timespec="seconds")
    found = change_data_capture([Invoice, Customer, Payment], since, qb=world.qb)
    assert [row.Id for row in found.Invoice] == [invoice.Id, gone.Id]
    assert [row.DisplayName for row in found.Customer] == ["O'Brien & Sons"]
    assert not hasattr(found, "Payment")


def test_batch_create_reports_successes_and_faults(world):
    customers = []
    for name in ("Alpha", "Beta", "O'Brien & Sons"):
        customer = Customer()
        customer.DisplayName = name
        customers.append(customer)
    done = batch_create(customers, qb=world.qb)
    assert sorted(row.DisplayName for row in done.successes) == ["Alpha", "Beta"]
    assert [fault.Error[0].code for fault in done.faults] == ["6240"]


def test_binary_fractions_of_a_client_become_exact_cents(server, world):
    made = invoice_for(world, qty=7, price=0.1, tax=0.07).save(qb=world.qb)
    precise = server.twin.company().get("Invoice", made.Id)
    assert (precise["TotalAmt"], precise["Line"][0]["Amount"]) == (Decimal("0.77"), Decimal("0.70"))
