"""Whether both evaluators say what was known at each moment: against an oracle that looks at every fact.

python -m benchmarks.known_time [DATE] [--cells N]

Histories with late, doubled, corrected, disordered and future facts, of leads that are merged and parted, go through
the raw tables' typing and the history's files. Each cell is read by the relational and by the one-lead evaluator.
"""

from __future__ import annotations

import time

from benchmarks.report import parser, table, tell
from tests.features.known_time import compare

AT_ONCE = 2_000
"""Histories drawn with one seed and read together."""


def main() -> None:
    """Measure, print and write the table."""
    asking = parser()
    asking.add_argument("--cells", type=int, default=1_000_000)
    asked = asking.parse_args()
    started = time.perf_counter()
    histories = cells = 0
    differences: list[str] = []
    while cells < asked.cells:
        compared = compare(seed=histories + 1, histories=AT_ONCE)
        histories += AT_ONCE
        cells += compared.cells
        differences += compared.differences
    print(*differences[:10], sep="\n")
    row = [f"{histories:,}", f"{cells:,}", f"{len(differences):,}", f"{time.perf_counter() - started:.0f}"]
    columns = ("histories", "cells, each by two evaluators", "differences from the oracle", "seconds")
    tell("known_time", "Known time", asked.date, table(columns, [row]))


if __name__ == "__main__":
    main()
