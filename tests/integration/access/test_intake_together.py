from __future__ import annotations

from erp_pipelines.access import intake
from erp_pipelines.access.intake import Delivery, Received
from erp_pipelines.access.runtime import Runtime
from erp_pipelines.connectors.base import ExternalRef
from erp_pipelines.connectors.provider import Notice
from erp_pipelines.storage.engine import Unstorable
from tests.integration.access.fakes import connect, scalar


def notice(event_id: str, company: str = "9130", external_id: str = "1") -> Notice:
    return Notice(event_id, company, ExternalRef("Invoice", external_id), "Update", None)


def stored(runtime: Runtime) -> str | None:
    found = "select string_agg(external_event_id || ' ' || external_id, ', ' order by external_event_id)"
    return scalar(runtime.db, f"{found} from erp.integration_inbox")


def test_several_deliveries_are_stored_in_one_transaction_and_each_hears_of_its_own(runtime: Runtime) -> None:
    connect(runtime)
    results = intake.store(
        runtime,
        "quickbooks",
        [
            Delivery((notice("b"), notice("a"))),
            Delivery((notice("a"), notice("c"))),
            Delivery((notice("x", company="stranger"),)),
            Delivery(()),
        ],
    )
    assert results == [Received(new=2), Received(new=1, duplicates=1), Received(unknown=1), Received()]
    assert stored(runtime) == "a 1, b 1, c 1"
    assert scalar(runtime.db, "select count(distinct received_at) from erp.integration_inbox") == 1


def test_one_that_no_table_takes_harms_no_other(runtime: Runtime) -> None:
    connect(runtime)
    first, broken, last = intake.store(
        runtime,
        "quickbooks",
        [Delivery((notice("a"),)), Delivery((notice("b", external_id="\x00"),)), Delivery((notice("c"),))],
    )
    assert (first, last) == (Received(new=1), Received(new=1))
    assert isinstance(broken, Unstorable)
    assert stored(runtime) == "a 1, c 1"
