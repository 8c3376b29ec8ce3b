"""Whether what was served equals what a later build computes, on the embedded stores and on servers.

python -m benchmarks.skew [DATE] [--moments N] [--minutes M]

A site is lived through over HTTP (``tests/journey/skew.py``): events that come late, are corrected or sent again, new
leads and versions, people merged and parted, a build and a new server half way. Every profile that was answered is
compared with what the relational evaluator says of its lead and moment after a final build, value by value. The table
is kept after each site, so that a run that is stopped tells how far it came.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.report import parser, table, tell
from tests.journey.skew import SITE_ON_THE_WALL_CLOCK, lived
from tests.servers import new_database, postgres, valkey
from tests.serving.serving_builders import CATALOGUE

SERVERS = '\n[stores]\ndatabase = "env:BENCH_DATABASE"\nonline = "env:BENCH_ONLINE"\ndeadline_ms = 1000\n'
AT_A_TIME = 8_000
"""Moments of one site; each has a seed of its own."""
AT_ONCE = 30
"""Leads asked about between two things that happen, at most; half of that on average: a run takes hours, not a day."""
DATABASES = 16
"""Of one Valkey: a site's build takes out the rows of the one before it there."""


@dataclass
class Stores:
    """One configuration of stores and what was seen on it so far."""

    name: str
    site: str
    facts: int = 0
    moments: int = 0
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)

    def live(self, *, seed: int, moments: int) -> None:
        """One more site, from its first day to its last build."""
        started = time.perf_counter()
        with (
            tempfile.TemporaryDirectory() as folder,
            lived(Path(folder) / "site", self.site, CATALOGUE, seed=seed, moments=moments, at_once=AT_ONCE) as replay,
        ):
            self.differences += replay.differences()
            self.facts += len(replay.events)
            self.moments += len(replay.asked)
        self.seconds += time.perf_counter() - started

    def row(self) -> list[object]:
        """Its row of the table."""
        return [self.name, f"{self.facts:,}", f"{self.moments:,}", len(self.differences), f"{self.seconds:.0f}"]


def main() -> None:
    """Measure, print and write the table."""
    asking = parser()
    asking.add_argument("--moments", type=int, default=200_000)
    asking.add_argument("--minutes", type=float, default=float("inf"))
    asked = asking.parse_args()
    ends = time.monotonic() + 60 * asked.minutes
    with postgres() as database, valkey() as online:
        stores = [Stores("SQLite", SITE_ON_THE_WALL_CLOCK)]
        stores.append(Stores("PostgreSQL and Valkey", SITE_ON_THE_WALL_CLOCK + SERVERS))
        for seed, first in enumerate(range(0, asked.moments, AT_A_TIME)):
            os.environ["BENCH_DATABASE"] = new_database(database.url)
            os.environ["BENCH_ONLINE"] = f"{online.url}/{seed % DATABASES}"
            for each in stores:
                each.live(seed=seed, moments=min(AT_A_TIME, asked.moments - first))
                print(*each.differences[-10:], sep="\n")
            rows = [each.row() for each in stores]
            tell(
                "skew",
                "Served against rebuilt",
                asked.date,
                table(("stores", "events", "moments", "differences", "seconds"), rows),
            )
            if time.monotonic() > ends:
                break


if __name__ == "__main__":
    main()
