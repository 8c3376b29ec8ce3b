"""What the live log keeps when its writers are killed: every acknowledged event, none twice.

python benchmarks/durability.py [DATE] [--quick]

Two writers append batches of a lead and five events and note what was acknowledged. Both are killed (SIGKILL) at random
moments and started again, and send again what they are not sure of. On PostgreSQL the server is killed too, just before
the writers, every other time. Then the log is compared with the notes. A kill ends a process, not the machine: what a
power cut leaves rests on fsync, which both databases call before they acknowledge (SQLite: synchronous = FULL).
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

from tests.features.log.writers import EVENTS, Ledger, kill_writers, opened
from tests.servers import Server, postgres

RESULTS = Path(__file__).parent / "results" / "durability.md"
WRITERS = 2
COLUMNS = (
    "database",
    "writers killed",
    "server killed",
    "events acknowledged",
    "kept, not acknowledged",
    "lost",
    "twice",
    "torn batches",
    "gaps in the sequence",
    "seconds",
)


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("date", nargs="?", default=time.strftime("%Y-%m-%d"))
    parser.add_argument("--quick", action="store_true", help="a tenth of the kills")
    asked = parser.parse_args()
    share = 10 if asked.quick else 1
    rows = [on_sqlite(200 // share), on_postgres(20 // min(share, 5))]
    told = (__doc__ or "").partition("[--quick]")[2].strip()
    text = f"# durability.py\n\n{asked.date}; {machine()}.\n\n{told}\n\n{table(rows)}"
    print(text)
    if not asked.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


def on_sqlite(kills: int) -> list[str]:
    """The proof on a file."""
    with tempfile.TemporaryDirectory() as folder:
        return measured("SQLite", str(Path(folder) / "leadlight.db"), kills, None)


def on_postgres(kills: int) -> list[str]:
    """The proof on a server that waits for its disk, and is killed itself."""
    with postgres(durable=True) as server:
        return measured("PostgreSQL", server.url, kills, server)


def measured(name: str, place: str, kills: int, server: Server | None) -> list[str]:
    """One row of the table."""
    opened(place).dispose()
    start = time.perf_counter()
    ledger = kill_writers(place, writers=WRITERS, rounds=kills // WRITERS, seed=1, seconds=0.5, server=server)
    seconds = f"{time.perf_counter() - start:.0f}"
    told = f"{len(ledger.acknowledged):,}", f"{ledger.unacknowledged * EVENTS:,}"
    return [name, str(ledger.kills), str(ledger.servers), *told, *bad(ledger), seconds]


def bad(ledger: Ledger) -> list[str]:
    """What must be 0."""
    return [str(count) for count in (len(ledger.lost), len(ledger.doubled), len(ledger.torn), ledger.gaps)]


def table(rows: list[list[str]]) -> str:
    """As Markdown."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *map(tuple, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def machine() -> str:
    """Where this was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
