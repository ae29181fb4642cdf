from __future__ import annotations

from erp_pipelines.assets.kinds import CUSTOMERS, ORDERS, PAYMENTS
from erp_pipelines.assets.metadata import added, lines_of, materializations_of, metadata_of, part_of
from tests.unit.dagster.pretended import ACME, document, failure, report


def test_a_single_document_is_one_line_with_its_writes():
    assert lines_of(report(documents=[document()], writes=2)) == [
        "Order 10248 -> Invoice 10248 created, 2 writes",
    ]


def test_several_records_are_a_line_each_and_a_summary():
    lines = lines_of(
        report(documents=[document(), document(outcome="Unchanged")], failures=[failure()], reads=1, writes=1)
    )
    assert lines == [
        "Order 10248 -> Invoice 10248 created",
        "Order 10248 -> Invoice 10248 unchanged",
        "Order 10249 abandoned: The period is closed. Reopen it, then retry.",
        "acme:quickbooks: 1 created, 1 unchanged, 1 abandoned; 1 read, 1 write in 0.5 s",
    ]


def test_a_round_without_work_says_nothing_and_a_busy_connection_says_so():
    assert lines_of(report()) == []
    assert lines_of(report(busy=True)) == ["acme:quickbooks is served by another worker; its events stay due."]


def test_a_parked_connection_says_why():
    assert lines_of(report(parked="Reconnect needed"))[0] == "acme:quickbooks stopped: Reconnect needed"


def test_metadata_tells_counts_calls_errors_and_the_share_of_the_ceiling():
    done = report(
        documents=[document(), document(outcome="Unchanged")], failures=[failure()], reads=3, writes=1, seconds=2.0
    )
    values = metadata_of(done, requests_per_minute=480)
    numbers = {
        name: values[name].value for name in ("sent", "unchanged", "failed", "abandoned", "reads", "writes", "seconds")
    }
    assert numbers == {"sent": 1, "unchanged": 1, "failed": 0, "abandoned": 1, "reads": 3, "writes": 1, "seconds": 2.0}
    assert values["share_of_ceiling"].value == 0.25
    assert values["errors"].records[0].data == {
        "record": "Order 10249", "status": "Abandoned", "message": "The period is closed.",
        "cause": "closed-period", "mend": "Reopen it, then retry.",
    }  # fmt: skip
    assert values["calls"].records[0].data == {"call": "invoice", "count": 2}


def test_documents_are_linked():
    assert (
        "[Invoice 10248](https://erp.example/i?id=77)" in metadata_of(report(documents=[document()]))["documents"].value
    )


def test_words_of_others_are_no_markup():
    sly = document(number="1](javascript:x) | <b>", url="javascript:alert(1)")
    table = metadata_of(report(documents=[sly]))["documents"].value
    assert "](javascript" not in table.replace("\\]", "").replace("\\(", "")
    assert "\\<b\\>" in table
    assert "\\|" in table


def test_each_kind_is_an_asset_of_its_own_and_only_what_was_brought_in_counts():
    done = report(
        documents=[document(), document("Customer", "ALFKI"), document("Payment", "p1")],
        failures=[failure("Product", "7")],
        counts={"Notices": 2},
    )
    events = {event.asset_key: event for event in materializations_of(done)}
    assert set(events) == {CUSTOMERS, ORDERS, PAYMENTS}
    assert {event.partition for event in events.values()} == {"acme:quickbooks"}
    assert events[ORDERS].metadata["sent"].value == 2
    assert events[PAYMENTS].metadata["notices"].value == 2
    assert [event.asset_key for event in materializations_of(done, without=ORDERS)] == [CUSTOMERS, PAYMENTS]


def test_failures_alone_materialize_nothing():
    assert materializations_of(report(failures=[failure()])) == []


def test_reports_add_up_although_their_lists_are_cut():
    many = report(documents=[document(entity_id=str(number)) for number in range(150)])
    both = added(part_of(many, ORDERS), part_of(many, ORDERS))
    assert both.key == ACME
    assert (both.sent, len(both.documents), both.seconds) == (300, 200, 1.0)
