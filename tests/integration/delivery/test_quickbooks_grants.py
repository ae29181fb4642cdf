"""QuickBooks' two ends of a grant, a hundred days unused and five years, against its twin: years pass in a moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from erp_pipelines.access import consent
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.commerce import customers, tenants
from erp_pipelines.connectors.http import MockTransport
from erp_pipelines.connectors.quickbooks.config import QuickBooksConfig
from erp_pipelines.connectors.quickbooks.connector import QuickBooksConnector
from erp_pipelines.delivery import worker
from erp_pipelines.delivery.probe import probe
from erp_pipelines.domain.connections import ConnectionKey
from erp_pipelines.security.cipher import Cipher, new_key
from erp_twins.clock import TwinClock
from erp_twins.http import Request
from erp_twins.quickbooks import QuickBooksTwin, TwinConfig
from erp_twins.transport import twin_handler
from tests.support.clock import FakeClock
from tests.support.factories import make_customer

KEY = ConnectionKey("acme", "quickbooks")
HOST, PUBLIC = "https://erp.test", "https://shop.test"
CLIENT, REALM = ("app", "made-up"), "9130350000000001"
FIVE_YEARS = dt.timedelta(seconds=157_680_000)


class SharedTime(FakeClock):
    """The one time, also of the twin."""

    def __init__(self, twin: QuickBooksTwin, start: dt.datetime) -> None:
        super().__init__(start)
        self._twin = twin

    def advance(self, seconds: float = 0, **parts: float) -> None:
        super().advance(seconds, **parts)
        self._twin.clock.set(self.moment)


@dataclass
class Account:
    """A tenant's QuickBooks through the years."""

    runtime: Runtime
    twin: QuickBooksTwin
    clock: SharedTime

    def connect(self) -> None:
        url = consent.begin(self.runtime, KEY.tenant_id, "admin", KEY.provider)
        answer = self.twin.handle(Request.make("GET", f"{url}&twin_approve={REALM}", {}, b""))
        query = dict(pair.split("=", 1) for pair in answer.header("location").split("?", 1)[1].split("&"))
        consent.finish(
            self.runtime, KEY.provider, code=query["code"], company_id=query["realmId"], state=query["state"]
        )

    def probe(self):
        return probe(self.runtime, KEY)

    def deliver(self, customer_id):
        with self.runtime.db.tenant(KEY.tenant_id) as conn:
            customers.save(conn, KEY.tenant_id, make_customer(customer_id))
        return worker.serve(self.runtime, KEY)

    def alerts(self):
        with self.runtime.db.tenant(KEY.tenant_id) as conn:
            rows = conn.execute(sa.text("select cause, message, mend from erp.integration_alerts order by created_at"))
            return [tuple(row) for row in rows]

    def calls(self, path):
        return [call for call in self.twin.calls.since() if call.path.endswith(path)]


@pytest.fixture
def account(database, clock):
    twin = QuickBooksTwin(TwinConfig(throttle=False), clock=TwinClock(clock.now()))
    twin.add_app(*CLIENT, (f"{PUBLIC}/api/integrations/quickbooks/callback",))
    time = SharedTime(twin, clock.now())
    config = QuickBooksConfig(
        *CLIENT, api_url=HOST, authorize_url=f"{HOST}/connect/oauth2", token_url=f"{HOST}/oauth2/v1/tokens/bearer",
        revoke_url=f"{HOST}/v2/oauth2/tokens/revoke",
    )  # fmt: skip
    connector = QuickBooksConnector(config, transport=MockTransport(twin_handler(twin)), clock=time)
    runtime = Runtime(
        db=database, cipher=Cipher.from_keys(f"k1:{new_key()}"), connectors={"quickbooks": connector}, clock=time,
        public_url=PUBLIC, requests_per_minute={"quickbooks": 600_000.0}, jitter=lambda: 0.0,
    )  # fmt: skip
    with database.tenant(KEY.tenant_id) as conn:
        tenants.add(conn, KEY.tenant_id, "Acme")
    made = Account(runtime, twin, time)
    made.connect()
    return made


def test_after_99_days_without_the_product_the_next_look_keeps_the_grant_and_nobody_is_told(account):
    account.clock.advance(days=99)
    found = account.probe()
    assert (found.summary, found.needs_person, found.warnings) == ("renewed, answers", False, ())
    account.clock.advance(days=99)
    assert account.deliver("c1").counts == {"Created": 1}
    assert account.alerts() == []


def test_after_101_days_without_the_product_it_is_parked_with_reason_and_mend_and_a_reconnect_brings_all_back(account):
    account.clock.advance(days=101, seconds=1)
    found = account.probe()
    assert (found.row.state, found.needs_person) == ("Reconnect needed", True)
    (why,) = found.reasons
    assert why.message.startswith(
        "Intuit refused to renew the access (invalid_grant). Unused, the grant was good until "
    )
    assert why.message.endswith("Reconnect QuickBooks in the integration settings.")
    assert [(cause, mend) for cause, _, mend in account.alerts()] == [
        ("reconnect-needed", "Reconnect QuickBooks in the integration settings.")
    ]
    assert account.deliver("c1").counts == {}
    asked = len(account.twin.calls.since())
    assert account.probe().said == "not asked"
    assert len(account.twin.calls.since()) == asked, "a parked connection is left alone"
    account.connect()
    assert worker.serve(account.runtime, KEY).counts == {"Created": 1}
    assert (account.probe().needs_person, len(account.alerts())) == (False, 1)


def test_a_shop_without_an_order_costs_a_renewal_and_a_read_a_day(account):
    began = len(account.calls("/tokens/bearer")), len(account.calls(f"/companyinfo/{REALM}"))
    for _ in range(4 * 30):  # a pass every six hours, for a month
        account.clock.advance(hours=6)
        assert not account.probe().needs_person
    ended = len(account.calls("/tokens/bearer")), len(account.calls(f"/companyinfo/{REALM}"))
    assert [after - before for before, after in zip(began, ended, strict=True)] == [30, 30]


def test_five_years_are_told_of_at_30_7_and_1_days_and_their_end_is_parked_with_its_reason(account):
    ends = account.clock.now() + FIVE_YEARS
    heard = {}
    while account.clock.now() < ends:
        found = account.probe()
        assert found.row.grant_ends_at == ends, "however often it was renewed"
        assert found.needs_person == bool(found.warnings)
        heard |= {(ends - account.clock.now()).days: len(account.alerts())}
        account.clock.advance(days=1 if ends - account.clock.now() <= dt.timedelta(days=31) else 69)  # 26 * 69 + 31
    assert (heard[31], heard[30], heard[29], heard[8], heard[7], heard[2], heard[1]) == (0, 1, 1, 1, 2, 2, 3)
    assert {cause for cause, _, _ in account.alerts()} == {"consent-ends-soon"}
    found = account.probe()
    assert found.row.state == "Reconnect needed"
    assert f"The consent was good until {ends:%Y-%m-%d %H:%M} UTC" in found.reasons[0].message
    account.connect()
    found = account.probe()
    assert (found.row.grant_ends_at, found.needs_person) == (account.clock.now() + FIVE_YEARS, False)
    assert len(account.alerts()) == 4


def test_a_grant_ended_in_quickbooks_is_found_before_the_next_order(account):
    account.twin.grants.disconnect(REALM)
    account.clock.advance(days=1)
    assert account.probe().row.state == "Reconnect needed"
    assert [cause for cause, _, _ in account.alerts()] == ["reconnect-needed"]
