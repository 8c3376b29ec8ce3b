"""A served site under a steady stream of events, and how soon each counts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from leadlight.schema import SECOND, from_micros
from tests.journey.skew import SITE_ON_THE_WALL_CLOCK
from tests.serving.serving_builders import CATALOGUE

THREADS = 8
WATCHED = 20
"""One event in so many is followed until it counts."""
LEADS = 2_000


@dataclass
class Found:
    """What was sent, and the milliseconds from sending an event to the answer that counts it."""

    rate: int
    seconds: float = 0.0
    sent: int = 0
    waits: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """Milliseconds within which this share of the watched events counted."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def row(self) -> list[object]:
        """The numbers as a row."""
        numbers = (self.quantile(0.5), self.quantile(0.99), max(self.waits))
        return [
            self.rate,
            f"{self.sent / self.seconds:.0f}",
            self.sent,
            len(self.waits),
            *(f"{n:.0f}" for n in numbers),
        ]


@contextmanager
def fresh_site(folder: Path) -> Iterator[str]:
    """The address of a server of 2,000 leads, in a process of its own, on the wall clock."""
    site, data = folder / "site", folder / "data"
    (site / "sources").mkdir(parents=True)
    data.mkdir()
    (site / "leadlight.toml").write_text(SITE_ON_THE_WALL_CLOCK, encoding="utf-8")
    (site / "catalogue.toml").write_text(CATALOGUE, encoding="utf-8")
    leads = "SELECT 'L' || i AS lead_id, now()::TIMESTAMP - to_days(i % 20 + 1) AS created_at, 'sem' AS channel,"
    leads += f" 'x' AS city, 1.0::DOUBLE AS budget FROM range({LEADS}) t(i)"
    (site / "sources" / "leads.sql").write_text(leads, encoding="utf-8")
    events = "SELECT 'f' || i AS event_id, 'L' || (i % 2000) AS lead_id, 'page_view' AS kind,"
    events += " now()::TIMESTAMP - to_hours(1 + i % 20) AS at, NULL::TIMESTAMP AS arrived_at, NULL::BIGINT AS amount,"
    events += " 'a' AS course, NULL AS status FROM range(20000) t(i)"
    (site / "sources" / "events.sql").write_text(events, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "leadlight", "serve", str(site), "--data", str(data), "--port", str(port)]
    environment = {**os.environ, "TZ": "Asia/Shanghai"}
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(address, server)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=30)


def measure(address: str, *, rate: int, seconds: float) -> Found:
    """Send events one by one at ``rate`` a second for so long, and watch one in twenty until it counts."""
    found = Found(rate)
    lock = threading.Lock()
    start = time.perf_counter() + 0.2
    total = int(rate * seconds)

    def send(thread: int) -> None:
        with httpx2.Client(base_url=address, timeout=30) as client:
            for number in range(thread, total, THREADS):
                time.sleep(max(0.0, start + number / rate - time.perf_counter()))
                watched = number % WATCHED == 0
                lead_id = f"L{number % LEADS}"
                before = _trials(client, lead_id) if watched else 0
                sent_at = time.perf_counter()
                _send(client, number, lead_id)
                while watched and _trials(client, lead_id) <= before:
                    time.sleep(0.001)
                with lock:
                    found.sent += 1
                    if watched:
                        found.waits.append(1_000 * (time.perf_counter() - sent_at))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    found.seconds = time.perf_counter() - start
    return found


def _send(client: httpx2.Client, number: int, lead_id: str) -> None:
    at = from_micros(round(time.time() * SECOND) - SECOND).isoformat()
    event = {"event_id": f"x{number}", "lead_id": lead_id, "kind": "trial", "at": at}
    answer = client.post("/v1/events", json={"events": [event]})
    assert answer.status_code == 200, answer.text


def _trials(client: httpx2.Client, lead_id: str) -> int:
    answer = client.get(f"/v1/leads/{lead_id}/tags", params={"names": "trials_7d"})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["tags"][0]["value"])


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(1_200):
        assert server.poll() is None, "the server ended"
        try:
            if httpx2.get(f"{address}/healthz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(address)
