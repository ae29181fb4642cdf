"""`python -m erp_twins`: a twin on a port, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from erp_twins.quickbooks import QuickBooksTwin, TwinConfig
from erp_twins.serve import TwinServer


def options(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m erp_twins", description="Stateful doubles of ERPs.")
    parser.add_argument("--quickbooks-port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", help="file that keeps the twin's state over restarts")
    parser.add_argument("--client-id", default="twin-client")
    parser.add_argument("--client-secret", default="twin-secret")
    parser.add_argument("--redirect-uri", action="append", default=[], help="may be given several times")
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-verifier-token", default=TwinConfig.webhook_verifier_token)
    parser.add_argument("--webhook-format", choices=("cloudevents", "legacy"), default="cloudevents")
    parser.add_argument("--consent", choices=("page", "auto"), default="page", help="auto redirects without asking")
    return parser.parse_args(argv)


def server_of(chosen: argparse.Namespace) -> TwinServer:
    """The server that the options ask for, not yet started."""
    config = TwinConfig(
        consent=chosen.consent,
        webhook_url=chosen.webhook_url,
        webhook_verifier_token=chosen.webhook_verifier_token,
        webhook_format=chosen.webhook_format,
    )
    twin = QuickBooksTwin(config)
    twin.add_app(chosen.client_id, chosen.client_secret, tuple(chosen.redirect_uri), "Your app")
    return TwinServer(twin, host=chosen.host, port=chosen.quickbooks_port, state=chosen.state)


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; exit 1 when the port is taken."""
    server, stop = server_of(options(argv)), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server.start()
    except OSError as error:
        sys.stderr.write(f"erp_twins: cannot listen: {error}. Choose another --quickbooks-port.\n")
        return 1
    sys.stdout.write(f"QuickBooks twin: {server.url}\n")
    sys.stdout.flush()
    stop.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
