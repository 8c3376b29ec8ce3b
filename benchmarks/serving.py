"""How fast one lead is answered over HTTP, against a bare FastAPI echo in the same run.

Asks the demo's champion, so run `make demo ARGS=--no-serve` first. Both servers run with one worker on loopback and are
asked by one client, one request after the other.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
import pyarrow.parquet as pq

from benchmarks.report import parser, table, tell

ASKED = 2_000
WARM = 200
MANY = 200
ECHO = """
import uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.post("/echo")
async def echo(body: dict): return body
uvicorn.run(app, port={port}, log_level="warning", access_log=False)
"""


def main(site: Path, state: Path, date: str) -> None:
    """Measure, print and write the table."""
    leads = pq.read_table(next(state.glob("history/*/leads/bucket=0/*.parquet")), columns=["lead_id"])["lead_id"]
    ids = leads.to_pylist()[:ASKED]
    with _server([sys.executable, "-c", ECHO], "/docs") as client:
        echo = _seconds(lambda number: client.post("/echo", json=_body(ids, number)), ASKED)
    serve = [sys.executable, "-m", "leadlight", "serve", str(site), "--state", str(state), "--port", "{port}"]
    with _server(serve, "/healthz") as client:
        one = _seconds(lambda number: client.post("/v1/scores", json=_body(ids, number)).raise_for_status(), ASKED)
        everybody = {"leads": [{"lead_id": lead_id} for lead_id in ids[:MANY]]}
        many = _seconds(lambda _: client.post("/v1/scores", json=everybody).raise_for_status(), 20)
    rows = []
    for name, seconds in (("echo", echo), ("one lead", one), (f"{len(everybody['leads'])} leads", many)):
        p50, p99 = np.quantile(seconds, [0.5, 0.99]) * 1000
        rows.append([name, f"{p50:.2f}", f"{p99:.2f}", f"{p50 / (np.median(echo) * 1000):.1f}"])
    told = table(("request", "p50 ms", "p99 ms", "÷ the echo"), rows)
    tell("serving", "Scores over HTTP, by the demo's champion", date, told)


def _body(ids: list[str], number: int) -> dict[str, list[dict[str, str]]]:
    return {"leads": [{"lead_id": ids[number % len(ids)]}]}


def _seconds(ask: Callable[[int], object], times: int) -> list[float]:
    for number in range(min(WARM, times)):
        ask(number)
    seconds = []
    for number in range(times):
        started = time.perf_counter()
        ask(number)
        seconds.append(time.perf_counter() - started)
    return seconds


@contextmanager
def _server(words: list[str], path: str) -> Iterator[httpx2.Client]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        subprocess.Popen([word.replace("{port}", str(port)) for word in words]) as server,
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        try:
            while True:
                try:
                    client.get(path)
                    break
                except httpx2.TransportError:
                    time.sleep(0.1)
            yield client
        finally:
            server.terminate()


if __name__ == "__main__":
    demo = Path(__file__).parents[1] / "examples" / "demo"
    main(demo, demo / "state", parser().parse_args().date)
