"""`erp match`, as an operator types it on day one."""

from __future__ import annotations

from erp_pipelines.commerce import customers
from erp_twins.quickbooks import operations
from erp_twins.quickbooks.entities import SCHEMAS
from tests.support.factories import make_customer
from tests.support.stage import Stage


def furnish(stage: Stage) -> list[str]:
    """Three customers of the shop; one stands there, one is misspelt there, one is new. The ids of those that stand there."""
    runtime = stage.runtime()
    with runtime.db.tenant("acme") as conn:
        for number, name in enumerate(("Amber Bakery", "Cedar Dairy", "Zephyr Outpost"), 1):
            customers.save(conn, "acme", make_customer(f"c{number}", name=name))
    runtime.db.dispose()
    company, schema = stage.twin.company(), SCHEMAS["Customer"]
    with stage.twin.lock:
        made = [operations.create(company, schema, {"DisplayName": one}) for one in ("AMBER BAKERY", "Cedr Dairy")]
    return [str(row["Id"]) for row in made]


def test_it_says_what_is_bound_asked_and_new(stage):
    _, misspelt = furnish(stage)
    for _ in range(2):  # what was decided stays decided, and what is asked stays asked
        done = stage.erp("match", "quickbooks", "--tenant", "acme")
        assert (done.returncode, done.stderr) == (0, "")
        first, *rest = done.stdout.splitlines()
        assert first in {
            "acme:quickbooks: Customer: 1 bound · 1 asked · 1 new", "acme:quickbooks: Customer: 0 bound · 1 asked · 1 new",
        }  # fmt: skip
        assert rest == [
            "acme:quickbooks: Product: 0 bound · 0 asked · 0 new",
            f"  Customer c2 (Cedar Dairy): Cedr Dairy ({misspelt}, similar)?",
        ]
    assert len(stage.twin.company().customers) == 2


def test_what_cannot_be_matched_is_told_in_one_line(stage):
    done = stage.erp("match", "netsuite", "--tenant", "acme")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("erp: There is no connection to 'netsuite'.")
    assert stage.erp("match", "quickbooks").returncode == 2
