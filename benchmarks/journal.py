"""What the score journal costs an answer: two servers of the same site, one with and one without, asked in turns.

python -m benchmarks.journal [DATE] [--site DIR] [--state DIR]

Asks the demo's champion, so run `make demo ARGS=--no-serve` first. Both servers have one worker and a copy of its
state. Requests alternate between them, so whatever else the machine does slows both alike.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
import pyarrow.parquet as pq

from benchmarks.report import parser, table, tell

ONE, MANY, LEADS = 1_000, 40, 200
WARM = 50
SERVER = """
import sys, time
from pathlib import Path
from features.catalogue import load_catalogue
from leadlight.settings import load_site
from serving.app import create_app
from serving.journal import Journal
from serving.listening import open_port, serve
if sys.argv[4] == "without":
    Journal.give = lambda self, answered, told: [each.score for each in answered]
site = load_site(Path(sys.argv[1]))
with open_port("127.0.0.1", int(sys.argv[3])) as listener:
    wall = lambda: time.time_ns() // 1000
    serve(create_app(site, load_catalogue(site), state=Path(sys.argv[2]), wall=wall), listener)
"""


def main(site: Path, state: Path, date: str) -> None:
    """Measure, print and write the table."""
    leads = pq.read_table(next(state.glob("history/*/leads/bucket=0/*.parquet")), columns=["lead_id"])["lead_id"]
    ids = leads.to_pylist()[:LEADS]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("with", "without"):
            shutil.copytree(state, Path(folder) / name)
        with _server(site, Path(folder), "with") as journalled, _server(site, Path(folder), "without") as bare:
            rows = [
                _row("one lead", ONE, [journalled, bare], [[each] for each in ids]),
                _row(f"{LEADS} leads", MANY, [journalled, bare], [ids]),
            ]
            health = journalled.get("/healthz").json()["journal"]
    head = ("request", "p50 ms with", "p50 ms without", "ratio", "p99 ms with", "p99 ms without", "ratio")
    words = f"\n\n{health['written']:,} answers were journalled meanwhile, {health['lost']} were lost."
    tell("journal", "What the score journal costs an answer", date, table(head, rows) + words)


def _row(name: str, times: int, clients: list[httpx2.Client], asked: list[list[str]]) -> list[object]:
    seconds: list[list[float]] = [[], []]
    for number in range(WARM + times):
        body = {"leads": [{"lead_id": lead_id} for lead_id in asked[number % len(asked)]]}
        for client, own in zip(clients, seconds, strict=True):
            began = time.perf_counter()
            client.post("/v1/scores", json=body).raise_for_status()
            own.append(time.perf_counter() - began)
    row: list[object] = [name]
    for quantile in (0.5, 0.99):
        one, other = (float(np.quantile(own[WARM:], quantile)) * 1000 for own in seconds)
        row += [f"{one:.2f}", f"{other:.2f}", f"{one / other:.2f}"]
    return row


@contextmanager
def _server(site: Path, folder: Path, name: str) -> Iterator[httpx2.Client]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(site), str(folder / name), str(port), name])
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            while True:
                try:
                    client.get("/healthz")
                    break
                except httpx2.TransportError:
                    time.sleep(0.2)
            yield client
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    demo = Path(__file__).parents[1] / "examples" / "demo"
    asked = parser()
    asked.add_argument("--site", type=Path, default=demo)
    asked.add_argument("--state", type=Path, default=demo / "state")
    given = asked.parse_args()
    main(given.site, given.state, given.date)
