"""`python -m erp_twins`: twins on their ports, until they are told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from erp_twins.base import Twin
from erp_twins.netsuite import NetSuiteTwin
from erp_twins.netsuite.config import DEFAULT_ACCOUNT
from erp_twins.quickbooks import QuickBooksTwin, TwinConfig
from erp_twins.serve import TwinServer


def options(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m erp_twins", description="Stateful doubles of ERPs.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", help="file that keeps the twin's state over restarts; with both twins a folder")
    _quickbooks_options(parser.add_argument_group("QuickBooks"))
    _netsuite_options(parser.add_argument_group("NetSuite"))
    chosen = parser.parse_args(argv)
    if chosen.quickbooks_port is None and chosen.netsuite_port is None:
        parser.error("at least one of --quickbooks-port and --netsuite-port is needed")
    return chosen


def _quickbooks_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--quickbooks-port", type=int, help="0 takes any free port")
    group.add_argument("--client-id", default="twin-client")
    group.add_argument("--client-secret", default="twin-secret")
    group.add_argument("--redirect-uri", action="append", default=[], help="may be given several times")
    group.add_argument("--webhook-url", default="")
    group.add_argument("--webhook-verifier-token", default=TwinConfig.webhook_verifier_token)
    group.add_argument("--webhook-format", choices=("cloudevents", "legacy"), default="cloudevents")
    group.add_argument("--consent", choices=("page", "auto"), default="page", help="auto redirects without asking")


def _netsuite_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--netsuite-port", type=int, help="0 takes any free port")
    group.add_argument("--netsuite-account", default=DEFAULT_ACCOUNT)
    group.add_argument("--netsuite-client-id", default="twin-client", help="the integration's consumer key")
    group.add_argument("--netsuite-client-secret", default="twin-secret", help="its consumer secret")
    group.add_argument("--netsuite-certificate", type=Path, help="PEM file of the certificate that signs assertions")
    group.add_argument("--netsuite-certificate-id", default="twin-certificate", help="the kid of assertions")
    group.add_argument("--netsuite-token-id", default="", help="of Token-Based Authentication")
    group.add_argument("--netsuite-token-secret", default="")


def servers_of(chosen: argparse.Namespace) -> dict[str, TwinServer]:
    """The servers that the options ask for by name, not yet started."""
    twins: dict[str, tuple[int, Twin[Any]]] = {}
    if chosen.quickbooks_port is not None:
        twins["QuickBooks"] = (chosen.quickbooks_port, _quickbooks(chosen))
    if chosen.netsuite_port is not None:
        twins["NetSuite"] = (chosen.netsuite_port, _netsuite(chosen))
    return {
        name: TwinServer(twin, host=chosen.host, port=port, state=_state(chosen.state, name, alone=len(twins) == 1))
        for name, (port, twin) in twins.items()
    }


def _state(state: str | None, name: str, *, alone: bool) -> Path | None:
    if not state:
        return None
    return Path(state) if alone else Path(state) / f"{name.lower()}.json"


def _quickbooks(chosen: argparse.Namespace) -> QuickBooksTwin:
    config = TwinConfig(
        consent=chosen.consent,
        webhook_url=chosen.webhook_url,
        webhook_verifier_token=chosen.webhook_verifier_token,
        webhook_format=chosen.webhook_format,
    )
    twin = QuickBooksTwin(config)
    twin.add_app(chosen.client_id, chosen.client_secret, tuple(chosen.redirect_uri), "Your app")
    return twin


def _netsuite(chosen: argparse.Namespace) -> NetSuiteTwin:
    twin = NetSuiteTwin(account=chosen.netsuite_account)
    client = chosen.netsuite_client_id
    twin.add_integration(client, chosen.netsuite_client_secret, chosen.netsuite_account)
    if chosen.netsuite_certificate:
        pem = chosen.netsuite_certificate.read_text(encoding="utf-8")
        twin.add_certificate(client, pem, kid=chosen.netsuite_certificate_id)
    if chosen.netsuite_token_id:
        twin.add_token(client, ident=chosen.netsuite_token_id, secret=chosen.netsuite_token_secret)
    return twin


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; exit 1 when a port is taken."""
    servers, stop = servers_of(options(argv)), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    running: list[TwinServer] = []
    try:
        for name, server in servers.items():
            running.append(server.start())
            sys.stdout.write(f"{name} twin: {server.url}\n")
            sys.stdout.flush()
        stop.wait()
    except OSError as error:
        sys.stderr.write(f"erp_twins: cannot listen: {error}. Choose another port.\n")
        return 1
    finally:
        for server in running:
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
