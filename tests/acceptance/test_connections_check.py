"""`erp connections check`, as an operator's cron job runs it."""

from __future__ import annotations

import sys

import pytest
import sqlalchemy as sa

from erp_pipelines.cli import main

REALM = "9130350000000001"


def sql(stage, statement):
    runtime = stage.runtime()
    with runtime.db.tenant("acme") as conn:
        found = conn.execute(sa.text(statement))
        rows = [tuple(row) for row in found] if found.returns_rows else []
    runtime.db.dispose()
    return rows


def unused(stage, **ends):
    """As if nothing had been heard of the connection for eight days."""
    columns = {"tokens_refreshed_at": "now() - interval '8 days'", "access_token_expires_at": "now()", **ends}
    sql(stage, f"update erp.integration_connections set {', '.join(f'{a} = {b}' for a, b in columns.items())}")


@pytest.fixture
def check(stage, monkeypatch, capsys, tmp_path):
    """Run the command in this process: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words, **environment):
        for name, value in {**stage.environment(), **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["erp", "connections", "check", *words])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out = capsys.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    return run


def test_it_shows_what_it_found_and_its_exit_code_says_whether_a_person_is_needed(stage, check):
    code, shown, said = check()
    assert (code, said) == (0, "")
    (line,) = [line for line in shown.splitlines() if "acme:quickbooks" in line]
    assert "Connected" in line
    assert "answers" in line

    unused(stage, grant_ends_at="now() + interval '20 days'")
    code, shown, said = check(ERP_QUICKBOOKS_CLIENT_SECRET="mistyped")
    assert (code, "settings-refused" in shown) == (1, True)
    assert "acme:quickbooks: Intuit refused to renew the access (invalid_client). The client secret is wrong" in said
    assert "Connect QuickBooks again before then" in said
    assert "mistyped" not in shown + said
    assert sql(stage, "select state from erp.integration_connections") == [("Connected",)]

    code, shown, said = check("--connection", "acme:quickbooks")
    assert (code, said) == (0, ""), "the renewal told that the consent lasts longer"
    assert "renewed, has answered lately" in shown

    unused(stage)
    stage.twin.grants.disconnect(REALM)
    for _ in range(2):
        code, shown, said = check()
        assert (code, "Reconnect needed" in shown) == (1, True)
        assert "Reconnect QuickBooks in the integration settings." in said
    causes = sql(stage, "select cause from erp.integration_alerts order by created_at")
    assert causes == [("consent-ends-soon",), ("reconnect-needed",)]


def test_an_unknown_connection_is_named(stage):
    done = stage.erp("connections", "check", "--connection", "beta:quickbooks")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("erp: There is no connection to 'quickbooks'.")
