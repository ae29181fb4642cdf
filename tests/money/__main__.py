"""`python -m tests.money`: random orders in every tax regime, compared to the cent. Exit code 1 when one was off."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.money.regimes import BY_NAME, REGIMES
from tests.money.run import Hardest, Result, run

HEAD = ("regime", "orders", "exact", "cents off", "explained", "rounding line", "refunded", "paid", "own tax off")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.money", description=__doc__)
    parser.add_argument("--orders", type=int, default=12_000, help="in all, shared out among the regimes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--regime", choices=sorted(BY_NAME), help="only this one")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    regimes = [BY_NAME[asked.regime]] if asked.regime else list(REGIMES)
    each = -(-asked.orders // len(regimes))
    began = time.monotonic()
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(run, regimes, [each] * len(regimes), [asked.seed] * len(regimes)))
    return summary(results, time.monotonic() - began)


def summary(results: list[Result], seconds: float) -> int:
    rows = [HEAD, *(_row(result) for result in results)]
    for row in rows:
        print(f"{row[0]:33}" + "".join(f"{cell!s:>14}" for cell in row[1:]))
    orders, wrong = sum(result.orders for result in results), [fault for result in results for fault in result.wrong]
    cents = sum(result.cents_off for result in results)
    print(
        f"{orders} orders x {len(results)} regimes in {seconds:.0f} s; cents off: {cents}; documents wrong: {len(wrong)}"
    )
    for fault in wrong[:20]:
        print(f"  {fault}")
    for result in results:
        if result.hardest.sale:
            print(f"hardest of {result.regime.name}: {told(result.hardest)}")
    return 1 if wrong or cents else 0


def _row(result: Result) -> tuple[object, ...]:
    explained = result.explained.total()
    return (
        result.regime.name,
        result.orders,
        result.exact,
        result.cents_off,
        explained,
        result.rounded,
        result.refunded,
        result.paid,
        result.own_off,
    )


def told(hardest: Hardest) -> str:
    sale = hardest.sale
    if sale is None:
        return ""
    lines = "; ".join(
        f"{line.quantity} x {line.unit_price} = {line.amount} tax {line.tax}" for line in sale.order.lines
    )
    order = sale.order
    return (
        f"QuickBooks' own tax {hardest.off} off ({sale.policy}): {lines}; discount {order.order_discount}, "
        f"shipping {order.shipping.amount} tax {order.shipping.tax}; tax {sale.tax}, total {sale.total}"
    )


if __name__ == "__main__":
    sys.exit(main())
