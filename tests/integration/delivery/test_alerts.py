"""People hear of trouble once per cause, hear no more for a while, and hear when it is over."""

from __future__ import annotations

import datetime as dt
import json
import socketserver
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from erp_pipelines import channels
from erp_pipelines.delivery import alerts, replay, worker
from erp_pipelines.domain.alerts import Message
from erp_pipelines.domain.errors import ConnectionLost, Misconfigured, Rejected, SettingsInvalid
from erp_pipelines.domain.outcomes import Explained
from erp_pipelines.storage import alerts as storage_alerts
from tests.support.toy import KEY, connect


@dataclass
class Listener:
    """A channel that remembers what it was sent."""

    name: str = "listener"
    alive: bool = True
    heard: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> bool:
        if self.alive:
            self.heard.append(message)
        return self.alive

    @property
    def titles(self):
        return [message.title for message in self.heard]


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def runtime(runtime, listener):
    return replace(runtime, channels=(listener,))


def refusing(cause):
    def refuse(_):
        raise Rejected(f"Refused: {cause}.", cause=cause, mend=f"Mend {cause}.")

    return refuse


def abandoned(runtime, shop, erp, cause, count, start=0):
    erp.always = refusing(cause)
    for number in range(start, start + count):
        shop.customer(f"c{number}", name=f"Customer {number}")
    worker.serve(runtime, KEY)


def tell_after(runtime, clock, **wait):
    clock.advance(**wait)
    return alerts.tell(runtime)


def test_many_events_of_one_cause_make_one_message_that_says_how_many_why_and_what_to_do(
    runtime, shop, erp, clock, listener
):
    abandoned(runtime, shop, erp, "closed-period", 30)
    assert alerts.tell(runtime) == 0, "what fails together is gathered first"
    assert tell_after(runtime, clock, seconds=61) == 1
    assert listener.titles == ["[acme:toy] 30 x closed-period"]
    body = listener.heard[0].body
    assert "Refused: closed-period.\nWhat to do: Mend closed-period.\n" in body
    assert "Customer c0, Customer c1, Customer c2, Customer c3, Customer c4 and 25 more" in body


def test_a_second_cause_is_told_by_itself(runtime, shop, erp, clock, listener):
    abandoned(runtime, shop, erp, "closed-period", 2)
    abandoned(runtime, shop, erp, "inactive", 1, start=50)
    alerts.tell(runtime)
    assert tell_after(runtime, clock, seconds=61) == 2
    assert sorted(listener.titles) == ["[acme:toy] 2 x closed-period", "[acme:toy] inactive"]


def test_more_of_the_same_is_silent_for_an_hour_then_four_then_a_day(runtime, shop, erp, clock, listener):
    told = []
    for number in range(60):
        abandoned(runtime, shop, erp, "closed-period", 1, start=number)
        if tell_after(runtime, clock, hours=1, seconds=1):
            told.append(number)
    assert told[:5] == [1, 2, 6, 30, 54]
    assert "4 new since it was last told, 7 in all." in listener.heard[2].body


def test_nothing_new_is_never_told_again(runtime, shop, erp, clock, listener):
    abandoned(runtime, shop, erp, "closed-period", 1)
    alerts.tell(runtime)
    for _ in range(5):
        tell_after(runtime, clock, hours=30)
    assert len(listener.heard) == 1


def test_the_end_of_what_was_told_is_told_once(runtime, shop, erp, clock, listener):
    abandoned(runtime, shop, erp, "closed-period", 2)
    alerts.tell(runtime)
    tell_after(runtime, clock, seconds=61)
    erp.always = None
    replay.retry_failed(runtime, KEY)
    worker.serve(runtime, KEY)
    for _ in range(3):
        tell_after(runtime, clock, minutes=20)
    assert listener.titles == ["[acme:toy] 2 x closed-period", "[acme:toy] over: closed-period"]
    assert shop.rows("select 1 from erp.integration_alert_groups") == []


def test_what_heals_before_anybody_was_told_is_told_to_nobody(runtime, shop, erp, clock, listener):
    abandoned(runtime, shop, erp, "closed-period", 2)
    alerts.tell(runtime)
    erp.always = None
    replay.retry_failed(runtime, KEY)
    worker.serve(runtime, KEY)
    with runtime.db.tenant("acme") as conn:
        conn.exec_driver_sql("update erp.integration_alert_groups set next_tell_at = now() + interval '1 day'")
    tell_after(runtime, clock, minutes=20)
    assert listener.heard == []
    assert shop.rows("select 1 from erp.integration_alert_groups") == []


def test_a_lost_connection_is_told_and_its_return_too(runtime, database, shop, erp, clock, listener):
    def lost(_):
        raise ConnectionLost("The grant is gone.", mend="Reconnect Toy.")

    erp.always = lost
    shop.customer()
    worker.serve(runtime, KEY)
    alerts.tell(runtime)
    tell_after(runtime, clock, seconds=61)
    assert listener.titles == ["[acme:toy] reconnect-needed"]
    assert "What to do: Reconnect Toy." in listener.heard[0].body
    tell_after(runtime, clock, minutes=20)
    connect(database)
    tell_after(runtime, clock, minutes=1)
    assert listener.titles[1:] == ["[acme:toy] over: reconnect-needed"]


def test_wrong_keys_of_ours_are_told_once_though_every_pause_ends_and_begins_again(runtime, shop, erp, clock, listener):
    def misconfigured(_):
        raise Misconfigured("Our keys are refused.", retry_after=300, mend="Correct them.")

    erp.always = misconfigured
    shop.customer()
    for _ in range(10):
        worker.serve(runtime, KEY)
        tell_after(runtime, clock, seconds=301)
    assert listener.titles == ["[acme:toy] settings-refused"]


def test_runs_that_failed_are_told_together_by_job(runtime, clock, listener):
    for number in range(3):
        alerts.run_failed(runtime, "sync_connection", "PostgreSQL was away.", f"run-{number}")
    assert tell_after(runtime, clock, seconds=61) == 1
    assert listener.titles == ["[erp] 3 x run-failed: sync_connection"]


def test_two_tellers_at_once_tell_each_thing_once(runtime, shop, erp, clock, listener):
    for number in range(8):
        abandoned(runtime, shop, erp, f"cause-{number}", 1, start=number)
    alerts.tell(runtime)
    clock.advance(61)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: alerts.tell(runtime), range(2)))
    assert sorted(listener.titles) == [f"[acme:toy] cause-{number}" for number in range(8)]


def test_a_teller_that_dies_is_made_up_for(runtime, shop, erp, clock, listener, monkeypatch):
    abandoned(runtime, shop, erp, "closed-period", 1)
    alerts.tell(runtime)
    clock.advance(61)
    monkeypatch.setattr(listener, "send", dying)
    with pytest.raises(SystemExit):
        alerts.tell(runtime)
    monkeypatch.undo()
    assert alerts.tell(runtime) == 0
    assert tell_after(runtime, clock, minutes=5, seconds=1) == 1
    assert listener.titles == ["[acme:toy] closed-period"]


def dying(_):
    raise SystemExit


def test_a_dead_channel_keeps_no_other_from_hearing(runtime, shop, erp, clock, listener):
    dead = Listener("dead", alive=False)
    runtime = replace(runtime, channels=(dead, listener))
    abandoned(runtime, shop, erp, "closed-period", 1)
    alerts.tell(runtime)
    assert tell_after(runtime, clock, seconds=61) == 1
    assert listener.titles == ["[acme:toy] closed-period"]


def test_while_no_channel_takes_it_the_message_is_tried_again(runtime, shop, erp, clock, listener):
    listener.alive = False
    abandoned(runtime, shop, erp, "closed-period", 1)
    alerts.tell(runtime)
    assert tell_after(runtime, clock, seconds=61) == 0
    assert alerts.tell(runtime) == 0
    listener.alive = True
    assert tell_after(runtime, clock, seconds=61) == 1
    assert listener.titles == ["[acme:toy] closed-period"]


# --- over real sockets ---


@contextmanager
def web_hook():
    """A receiver of JSON posts; what it got."""
    got = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, got
        server.shutdown()


@contextmanager
def mailbox():
    """An SMTP server that takes every mail; what it got."""
    got = []

    class Smtp(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 ready\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    got.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], got
        server.shutdown()


def test_web_hook_and_mail_arrive_and_a_dead_address_is_named_without_its_secret(runtime, capfd):
    with web_hook() as (port, posts), mailbox() as (smtp, mails):
        urls = (
            f"json://hook:s3cret@127.0.0.1:{port}/in mailto://127.0.0.1:{smtp}?from=erp@example.com&to=ops@example.com"
            ", json://user:s3cret@127.0.0.1:1/dead"
        )
        there = replace(runtime, channels=channels.from_urls(urls))
        assert alerts.test(there) == {"json (1)": True, "mailto (2)": True, "json (3)": False}
    assert [(post["title"], "need a person" in post["message"]) for post in posts] == [("erp: a test", True)]
    assert len(mails) == 1
    assert "Subject: erp: a test" in mails[0]
    out, err = capfd.readouterr()
    assert "s3cret" not in out + err


@pytest.mark.parametrize(
    ("urls", "place"),
    [
        ("nonsense://u:s3cret@x", r"address 1 \(nonsense://\)"),
        ("json://127.0.0.1/a, s3cret", r"address 2 \(no scheme\)"),
        ("slack://s3cret", r"address 1 \(slack://\)"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_by_its_place_and_not_quoted(urls, place):
    with pytest.raises(SettingsInvalid, match=place) as refused:
        channels.from_urls(urls)
    assert "s3cret" not in f"{refused.value}{refused.value.__cause__}"


def test_a_slack_address_and_recipients_with_commas_are_taken():
    urls = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops mailto://u:p@example.com?to=a@example.com,b@example.com"
    assert [channel.name for channel in channels.from_urls(urls)] == ["slack (1)", "mailto (2)"]


def test_messages_name_the_moment_in_utc(runtime, shop, erp, clock, listener):
    clock.moment = dt.datetime(2040, 5, 6, 7, 8, tzinfo=dt.UTC)
    abandoned(runtime, shop, erp, "closed-period", 1)
    alerts.tell(runtime)
    tell_after(runtime, clock, seconds=61)
    assert "Since 2040-05-06 07:08 UTC: " in listener.heard[0].body


def test_messages_lead_to_the_page_where_it_is_mended(runtime, shop, erp, clock, listener):
    abandoned(runtime, shop, erp, "closed-period", 1)
    with runtime.db.tenant("acme") as conn:
        for cause, record in (("access-ends", None), ("document-gone", "o1")):
            why = Explained("It is so.", cause, "Do this.")
            storage_alerts.raise_alert(conn, KEY, why, entity_type=record and "Order", entity_id=record)
    alerts.run_failed(runtime, "drain", "PostgreSQL went away.", "run-1")
    alerts.tell(runtime)
    tell_after(runtime, clock, seconds=61)
    ends = {message.title.rpartition("] ")[2]: message.body.rpartition(" ")[2] for message in listener.heard}
    assert ends == {
        "closed-period": f"{runtime.public_url}/console/errors/toy/closed-period",
        "access-ends": f"{runtime.public_url}/console/connections",
        "document-gone": f"{runtime.public_url}/console/differences?provider=toy",
        "run-failed: drain": f"{runtime.public_url}/console",
    }
