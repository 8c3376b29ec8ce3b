"""Processes that write to one log at once, and may be killed at any moment: what they were told is kept is compared.

Used by the tests at small size, by ``benchmarks/durability.py`` at full size.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from sqlalchemy import Engine

from features.log import Log, NewFact
from leadlight.database import DatabaseUnavailable
from leadlight.database.opening import open_postgres, open_sqlite
from tests.features.log.log_builders import a_version, an_event
from tests.servers import Server

EVENTS = 5
"""In each batch, after its lead."""
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__, "sqlalchemy.dialects.sqlite", "psycopg"])


def opened(place: str) -> Engine:
    """The database at an address of PostgreSQL, or in a file."""
    return open_postgres(place) if place.startswith("postgresql") else open_sqlite(Path(place))


def head_of(place: str) -> int:
    """Open the database, and say how far its log is."""
    engine = opened(place)
    try:
        return Log(engine).head()
    finally:
        engine.dispose()


def batch(writer: int, number: int) -> list[NewFact]:
    """The facts that ``writer`` sends as its ``number``-th batch: the same at every try."""
    lead_id = f"lead{writer}"
    return [a_version(lead_id, city=str(writer)), *(an_event(name, lead_id) for name in names(writer, number))]


def names(writer: int, number: int) -> list[str]:
    """The ids of the events in a batch."""
    return [f"{writer}/{number}/{k}" for k in range(EVENTS)]


def started(place: str, writer: int, numbers: range) -> tuple[ForkServerProcess, Connection]:
    """A process that appends these batches, and where it says of each that it is kept."""
    hearing, telling = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_write, args=(place, writer, numbers, telling), daemon=True)
    process.start()
    telling.close()
    return process, hearing


def _write(place: str, writer: int, numbers: range, telling: Connection) -> None:
    with suppress(DatabaseUnavailable):  # its server was killed: what is not acknowledged, is sent again
        log = Log(opened(place))
        for number in numbers:
            log.append(batch(writer, number), now=lambda: 9_000, base={})
            telling.send(number)


@dataclass
class Ledger:
    """What writers were told is kept, against what the log has."""

    place: str
    kills: int = 0
    servers: int = 0
    """How often the server was killed."""
    unacknowledged: int = 0
    """Batches that were kept, though their writer did not live to hear it."""
    gaps: int = 0
    """Sequence numbers that no fact has."""
    torn: set[str] = field(default_factory=set)
    found: Counter[str] = field(default_factory=Counter)
    following: list[int] = field(default_factory=list)
    """The number of each writer's first batch that was not acknowledged."""
    _read: int = 0

    @property
    def acknowledged(self) -> set[str]:
        """All events whose batch was acknowledged."""
        return {
            name
            for writer, following in enumerate(self.following)
            for number in range(following)
            for name in names(writer, number)
        }

    @property
    def lost(self) -> set[str]:
        """Events that were acknowledged and are not there."""
        return self.acknowledged - self.found.keys()

    @property
    def doubled(self) -> set[str]:
        """Events that are there more than once."""
        return {name for name, times in self.found.items() if times > 1}

    def look(self) -> None:
        """Read what the log has gained."""
        engine = opened(self.place)
        log = Log(engine)
        head = log.head()
        tail = log.tail(after=self._read, through=head)
        engine.dispose()
        rows = tail.events.num_rows + tail.versions.num_rows
        self.gaps += head - self._read - rows
        self._read = head
        gained = tail.events["event_id"].to_pylist()
        self.found.update(gained)
        whole = Counter(name.rpartition("/")[0] for name in gained)
        self.torn |= {name for name, times in whole.items() if times != EVENTS}
        self.unacknowledged += len(whole.keys() - {name.rpartition("/")[0] for name in self.acknowledged})


def kill_writers(
    place: str, *, writers: int, rounds: int, seed: int, seconds: float = 0.1, server: Server | None = None
) -> Ledger:
    """Start ``writers``, kill all of them within ``seconds``, look, and begin again where each had got to.

    Each sends its last acknowledged batch once more, as a sender does that is not sure. Every other round the
    ``server``, if there is one, is killed before them, and started again. Last, a round without kills sends all that
    was not acknowledged.
    """
    chance = random.Random(seed)  # noqa: S311 -- moments for kills, no secret
    ledger = Ledger(place, following=[0] * writers)
    for number in range(rounds):
        running = [
            started(place, writer, range(max(following - 1, 0), 10**9))
            for writer, following in enumerate(ledger.following)
        ]
        for _, hearing in chance.sample(running, chance.randrange(writers + 1)):
            hearing.poll(30)  # some may die before their first word
        time.sleep(chance.uniform(0, seconds))
        struck = server if number % 2 else None
        if struck is not None:
            struck.kill()
        for process, _ in running:
            process.kill()
            time.sleep(chance.uniform(0, 0.003))
        ledger.kills += writers
        _hear(ledger, running)
        if struck is not None:
            struck.restart()
            ledger.servers += 1
        ledger.look()
    last = [started(place, writer, range(max(n - 1, 0), n + 2)) for writer, n in enumerate(ledger.following)]
    _hear(ledger, last)
    ledger.look()
    return ledger


def _hear(ledger: Ledger, running: Sequence[tuple[ForkServerProcess, Connection]]) -> None:
    for writer, (process, hearing) in enumerate(running):
        with suppress(EOFError):
            while True:
                ledger.following[writer] = max(ledger.following[writer], hearing.recv() + 1)
        hearing.close()
        process.join()
