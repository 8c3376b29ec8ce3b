"""A real server that is stopped: whatever its clients do, it ends soon and what waits is written."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

CODE = """
import sys, time
from contextlib import asynccontextmanager
from pathlib import Path
from fastapi import FastAPI, Request
from serving import listening

class Journal:
    def close(self):
        time.sleep(0.3)
        Path(sys.argv[1]).write_text("all written")

@asynccontextmanager
async def ends(_):
    yield
    app.state.journal.close()

listening.STOP_SECONDS = 1
app = FastAPI(lifespan=ends)
app.state.journal = Journal()

@app.post("/")
async def swallow(request: Request) -> str:
    await request.body()
    return "ok"

@app.get("/")
def alive() -> str:
    return "ok"

with listening.open_port("127.0.0.1", 0) as listener:
    print(listener.getsockname()[1], flush=True)
    listening.serve(app, listener)
"""


def started(journal: Path) -> tuple[subprocess.Popen[str], int]:
    """A server whose journal needs a moment to end, and its port."""
    server = subprocess.Popen(  # the caller ends it
        [sys.executable, "-c", CODE, str(journal)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert server.stdout is not None
    return server, int(server.stdout.readline())


def send(port: int, head: bytes) -> socket.socket:
    deadline = time.monotonic() + 20
    while True:
        try:
            opened = socket.create_connection(("127.0.0.1", port), timeout=20)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            opened.sendall(head)
            return opened


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["term", "ctrl-c twice"])
def test_a_request_that_never_ends_holds_no_stop_and_the_journal_is_ended(tmp_path: Path, signals: list[int]) -> None:
    """Half a body is sent and no more; however the server is told to stop, the journal has its turn."""
    server, port = started(tmp_path / "journal")
    try:
        alive = send(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = alive.recv(4096)
        half = send(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        time.sleep(0.3)
        for each in signals:
            server.send_signal(each)
            time.sleep(0.3)
        server.wait(timeout=60)
        half.close()
        alive.close()
    finally:
        server.kill()
        server.communicate()

    assert b"200 OK" in said
    assert (tmp_path / "journal").read_text(encoding="utf-8") == "all written"
