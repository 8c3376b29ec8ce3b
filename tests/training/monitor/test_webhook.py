"""Alerts over real HTTP to a server on this machine: signed, tried again, and never to anybody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from leadlight.settings import SiteError
from tests import builders
from training.monitor.webhook import PAUSES, Sender, Webhook, open_webhook, send, signature

SECRET = b"a secret of some 24 bytes"
NAMED = "whsec_" + base64.b64encode(SECRET).decode()


class Receiver(ThreadingHTTPServer):
    """Answers with the statuses it was given, then with 204, and keeps what came."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = list(statuses)
        self.came: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        """Keep the request and answer."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.came.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:  # noqa: ANN401  the base class's signature
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that takes whatever comes."""
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def sent(address: str, pauses: list[float]) -> str:
    """One alert sent at second 1,700,000,000; what went wrong."""
    sender = Sender(Webhook(address, SECRET), lambda: 1_700_000_000, pauses.append)
    return send(sender, "msg_1", {"type": "leadlight.monitor.finding", "data": {"subject": "城市"}})


def test_an_alert_is_signed_as_the_standard_has_it(receiver: Receiver) -> None:
    """Id, timestamp and ``v1`` HMAC-SHA256 over id, timestamp and the very bytes of the body."""
    fault = sent(receiver.address, [])

    ((path, headers, body),) = receiver.came
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert fault == ""
    assert path == "/hook"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_1", "1700000000")
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body)["data"] == {"subject": "城市"}


def test_the_example_of_the_standard() -> None:
    """The signature that the reference implementations give for their own example."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_server_that_is_away_is_asked_again_under_the_same_id(receiver: Receiver) -> None:
    """Two failures, pauses that grow, then success; the receiver can tell that it is one alert."""
    receiver.statuses = [503, 429]
    pauses: list[float] = []

    fault = sent(receiver.address, pauses)

    assert fault == ""
    assert pauses == list(PAUSES[:2])
    assert {headers["webhook-id"] for _, headers, _ in receiver.came} == {"msg_1"}
    assert len(receiver.came) == 3


@pytest.mark.parametrize("status", [400, 401, 302])
def test_a_refusal_is_final(receiver: Receiver, status: int) -> None:
    """What was refused or sent elsewhere is not sent again, nor followed."""
    receiver.statuses = [status]

    fault = sent(receiver.address, [])

    assert fault == f"answered {status}"
    assert [path for path, _, _ in receiver.came] == ["/hook"]


def test_a_dead_address_is_given_up_in_the_end() -> None:
    """Four tries, then the fault in words, never an exception."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    pauses: list[float] = []

    fault = sent(f"http://127.0.0.1:{port}/", pauses)

    assert "could not be reached" in fault
    assert pauses == list(PAUSES)


def test_address_and_secret_come_from_the_environment() -> None:
    """Both may be named there; without a webhook nothing is needed."""
    site = builders.site(monitor={"webhook": "env:HOOK", "secret": "env:SECRET"})

    found = open_webhook(site, {"HOOK": "https://example.org/x", "SECRET": NAMED})

    assert found == Webhook("https://example.org/x", SECRET)
    assert NAMED not in repr(found)
    assert SECRET.decode() not in repr(found)
    assert open_webhook(builders.site(), {}) is None


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, ["HOOK", "SECRET"]),
        ({"HOOK": "https://example.org", "SECRET": "secret"}, ["whsec_"]),
        ({"HOOK": "https://example.org", "SECRET": "whsec_no base64!"}, ["base64"]),
        ({"HOOK": "https://example.org", "SECRET": "whsec_c2hvcnQ="}, ["24 bytes"]),
        ({"HOOK": "ftp://example.org", "SECRET": NAMED}, ["address"]),
    ],
)
def test_what_is_missing_is_said_at_once(environment: dict[str, str], words: list[str]) -> None:
    """Every fault of the settings in one error, and no secret in it."""
    site = builders.site(monitor={"webhook": "env:HOOK", "secret": "env:SECRET"})

    with pytest.raises(SiteError) as refused:
        open_webhook(site, environment)

    assert len(refused.value.faults) == len(words)
    assert all(word in str(refused.value) for word in words)
    assert NAMED not in str(refused.value)


ELSEWHERE = [
    "http://example.org",
    "http://localhost.evil.example/x",
    "http://127.0.0.1.evil.example/",
    "http://127.0.0.1@evil.example/x",
    "http://127.0.0.1:80@evil.example/x",
    "http://127.0.0.1%2eevil.example/",
    "http://127.0.0.1\\@evil.example/",
    "http://127.0.0.1\\.evil.example/",
    "http://local\thost.evil.example/",
    "http://[::1].evil.example/",
    "http://127.0.0.1:port/",
    "http:127.0.0.1",
    "http://",
    "https://",
    "https://name:password@example.org/x",
    "https://example.org/h ook",
    "https://example.org/钩",
    "ftp://127.0.0.1/",
    "file:///etc/hosts",
    "env",
    "",
]
HERE = [
    "https://example.org/x?team=a@b",
    "https://localhost.example.org:8443/x",
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/hook",
    "http://localhost:8080",
    "HTTP://LOCALHOST/x",
    "http://[::1]:8080/x",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_alert_leaves_in_the_clear(address: str) -> None:
    """http:// to another machine, however it is spelt, is a fault of the settings and of the environment."""
    site = builders.site(monitor={"webhook": "env:HOOK", "secret": "env:SECRET"})

    with pytest.raises(ValueError, match="webhook"):
        builders.site(monitor={"webhook": address})
    with pytest.raises(SiteError) as refused:
        open_webhook(site, {"HOOK": address, "SECRET": NAMED})

    (fault,) = refused.value.faults
    assert "webhook is 'env:HOOK'" in fault


@pytest.mark.parametrize(
    "address", ["http://example.org/t0ken", "https://t0ken@example.org", "https://[t0ken]/", "https://a:t0ken"]
)
def test_a_refused_address_of_the_environment_is_not_told(address: str) -> None:
    """Many a webhook's address is itself a secret."""
    site = builders.site(monitor={"webhook": "env:HOOK", "secret": "env:SECRET"})

    with pytest.raises(SiteError, match="HOOK") as refused:
        open_webhook(site, {"HOOK": address, "SECRET": NAMED})

    assert "t0ken" not in str(refused.value)


@pytest.mark.parametrize("address", HERE)
def test_alerts_go_to_https_and_to_this_machine(address: str) -> None:
    """Any host by https, this one by http, by settings and by the environment alike."""
    by_settings = builders.site(monitor={"webhook": address, "secret": "env:SECRET"})
    by_environment = builders.site(monitor={"webhook": "env:HOOK", "secret": "env:SECRET"})

    found = [open_webhook(site, {"HOOK": address, "SECRET": NAMED}) for site in (by_settings, by_environment)]

    assert found == [Webhook(address, SECRET)] * 2
