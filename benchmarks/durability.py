"""What the live log keeps when its writers are killed: every acknowledged event, none twice.

python -m benchmarks.durability [DATE] [--quick]

Two writers append batches of a lead and five events and note what was acknowledged. Both are killed (SIGKILL) at random
moments and started again, and send again what they are not sure of. On PostgreSQL the server is killed too, just before
the writers, every other time. Then the log is compared with the notes. A kill ends a process, not the machine: what a
power cut leaves rests on fsync, which both databases call before they acknowledge (SQLite: synchronous = FULL).
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.report import parser, table, tell
from tests.features.log.writers import EVENTS, Ledger, kill_writers, opened
from tests.servers import Server, postgres

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
    asking = parser()
    asking.add_argument("--quick", action="store_true", help="a tenth of the kills")
    asked = asking.parse_args()
    share = 10 if asked.quick else 1
    rows = [on_sqlite(200 // share), on_postgres(20 // min(share, 5))]
    told = (__doc__ or "").partition("[--quick]")[2].strip()
    tell("durability", "Writers killed", asked.date, f"{told}\n\n{table(COLUMNS, rows)}", keep=not asked.quick)


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


if __name__ == "__main__":
    main()
