"""Whether what was served equals what a later build computes, on the embedded stores and on servers.

python benchmarks/skew.py DATE [--moments N]

A site is lived through over HTTP (``tests/journey/skew.py``): events that come late, are corrected or sent again, new
leads and versions, people merged and parted, a build and a new server half way. Every profile that was answered is
compared with what the relational evaluator says of its lead and moment after a final build, value by value.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from benchmarks.report import table, tell
from tests.journey.skew import SITE_ON_THE_WALL_CLOCK, lived
from tests.servers import postgres, valkey
from tests.serving.serving_builders import CATALOGUE

SERVERS = '\n[stores]\ndatabase = "env:BENCH_DATABASE"\nonline = "env:BENCH_ONLINE"\ndeadline_ms = 1000\n'
AT_A_TIME = 10_000
"""Moments of one site; each has a seed of its own."""


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("date")
    parser.add_argument("--moments", type=int, default=200_000)
    asked = parser.parse_args()
    rows = [measured("SQLite", SITE_ON_THE_WALL_CLOCK, asked.moments)]
    with postgres() as database, valkey() as online:
        os.environ["BENCH_DATABASE"], os.environ["BENCH_ONLINE"] = database.url, online.url
        rows.append(measured("PostgreSQL and Valkey", SITE_ON_THE_WALL_CLOCK + SERVERS, asked.moments))
    tell("skew", "Served against rebuilt", asked.date, table(("stores", "moments", "differences", "seconds"), rows))


def measured(name: str, site: str, moments: int) -> list[object]:
    """One row of the table."""
    started = time.perf_counter()
    told: list[str] = []
    lived_through = 0
    for seed, first in enumerate(range(0, moments, AT_A_TIME)):
        count = min(AT_A_TIME, moments - first)
        with (
            tempfile.TemporaryDirectory() as folder,
            lived(Path(folder) / "site", site, CATALOGUE, seed=seed, moments=count) as replay,
        ):
            told += replay.differences()
            lived_through += len(replay.asked)
    print(*told[:10], sep="\n")
    return [name, f"{lived_through:,}", len(told), f"{time.perf_counter() - started:.0f}"]


if __name__ == "__main__":
    main()
