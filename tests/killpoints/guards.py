"""`python -m tests.killpoints.guards [NAME ...]`: is each guard of the write protocol really watched?

Takes one guard at a time out of a scratch copy of the product and lets the harness loose on it. Exit code 1 when a
guard's absence goes unnoticed, or when its line is not there any more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("erp_pipelines", "erp_twins", "webhook_api", "tests")
LONGEST_SECONDS = 900


@dataclass(frozen=True)
class Guard:
    """One line that keeps a promise, what stands there without it, and the flow that must then break."""

    name: str
    file: str
    line: str
    without: str
    flow: str
    provider: str = "quickbooks"

    def remove_from(self, copy: Path) -> None:
        path = copy / self.file
        if self.places() != 1:
            raise SystemExit(f"guard {self.name!r}: its line stands {self.places()} times in {self.file}")
        path.write_text(path.read_text().replace(self.line, self.without))

    def places(self) -> int:
        """How often its line stands in its file: once, or the guard is watched no more."""
        return (ROOT / self.file).read_text().count(self.line)


BRING, DELIVERIES = "erp_pipelines/delivery/bring.py", "erp_pipelines/storage/deliveries.py"
DOCUMENTS, TOKENS = "erp_pipelines/connectors/quickbooks/documents.py", "erp_pipelines/access/tokens.py"
GUARDS = (
    Guard(
        "the ERP id is committed at once",
        BRING,
        "    bind(job, Binding(ref, pushed, None if complaint else body))\n",
        "    if record.payload().get('never'):\n        bind(job, Binding(ref, pushed, None if complaint else body))\n",
        "push",
    ),
    Guard(
        "a write is noted before it leaves",
        BRING,
        "    noted_at = bringing.mark_sending(write)\n",
        "    noted_at = bringing.job.now()\n",
        "push-keyless",
    ),
    Guard(
        "what was sent is kept until its answer is stored",
        BRING,
        "        new = [what_leaves(write, self.claim)] if write.known is None else []\n",
        "        new = []\n",
        "renamed-in-doubt-keyless",
    ),
    Guard(
        "an older state in doubt is settled before a newer one is sent",
        BRING,
        "    if doubt is None or fingerprint(doubt.payload) == fingerprint(record.payload()):\n",
        "    if True:\n",
        "renamed-in-doubt-keyless",
    ),
    Guard(
        "a dead worker's claims are taken over",
        "erp_pipelines/delivery/worker.py",
        "    if held:\n        _take_over(held)\n",
        "",
        "push",
    ),
    Guard(
        "a dead worker's notices are taken over",
        "erp_pipelines/delivery/worker.py",
        "        inbox.take_over(conn, held.key)\n",
        "",
        "inbound",
    ),
    Guard(
        "an invoice in doubt is looked for",
        DOCUMENTS,
        "found = self._invoice_of(order, body) if write.in_doubt else None",
        "found = None",
        "order-in-doubt-keyless",
    ),
    Guard(
        "a payment in doubt is looked for",
        DOCUMENTS,
        "found = self._payment_of(record, body) if write.in_doubt else None",
        "found = None",
        "payment-in-doubt-keyless",
    ),
    Guard(
        "a stale version is read again",
        "erp_pipelines/connectors/quickbooks/pushing.py",
        "    except StaleVersion:\n        return send(current())\n",
        "    except StaleVersion:\n        raise\n",
        "edit-keyless",
    ),
    Guard(
        "the request key is the same for every repeat",
        "erp_pipelines/domain/idempotency.py",
        "parts = (connection_id, entity, entity_id, purpose, content, str(generation))",
        "parts = (connection_id, entity, entity_id, purpose, content, str(generation), __import__('uuid').uuid4().hex)",
        "late-effect",
    ),
    Guard(
        "an event's end and its explanation are one statement",
        DELIVERIES,
        "    ), logged as ({sync_log.INSERT} where e.delivery_id in (select id from done))\n",
        "    )\n",
        "push",
    ),
    Guard(
        "a notice is closed after its truth is applied",
        "erp_pipelines/delivery/inbound.py",
        "                rest.append(notice)\n",
        "                inbox.complete(conn, job.key, [notice.id], now=job.now())\n                rest.append(notice)\n",
        "inbound",
    ),
    Guard(
        "a new refresh token is committed before its access token is used",
        TOKENS,
        "        tokens.save_tokens(conn, self._id, self._runtime.cipher, fresh)\n",
        "",
        "token-replaced",
    ),
    Guard(
        "an order and its event are one transaction",
        "erp_pipelines/commerce/saving.py",
        '    """Append the event that tells of the record as it is now; its id."""\n',
        "    from erp_pipelines.storage.engine import set_scope\n"
        "    conn.dialect.do_commit(conn.connection.dbapi_connection)\n    set_scope(conn, tenant_id)\n",
        "shop",
    ),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.killpoints.guards", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="all of them by default")
    asked = parser.parse_args()
    unseen = [guard.name for guard in GUARDS if guard.name in (asked.names or [guard.name]) and not noticed(guard)]
    return 1 if unseen else 0


def noticed(guard: Guard) -> bool:
    """Whether the harness breaks without the guard; says at which point."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory)
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        guard.remove_from(copy)
        done = subprocess.run(
            [sys.executable, "-m", "tests.killpoints", guard.flow, "--provider", guard.provider, "--until-broken"],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "ERP_TEST_LATE_SECONDS": "2"},
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    where = next((line.strip() for line in done.stdout.splitlines() if line.startswith("    point")), "")
    ok = done.returncode == 1 and bool(where)
    print(
        f"{'noticed' if ok else 'UNSEEN '}  {guard.name}  [{guard.flow}] {where[:160] or done.stderr[-600:]}",
        flush=True,
    )
    return ok


if __name__ == "__main__":
    sys.exit(main())
