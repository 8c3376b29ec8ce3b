"""Whether facts that were learnt later, but say of an earlier time, change anything before they were learnt.

python -m benchmarks.planted_leaks [DATE] [--leaks N]

Each leak is planted into a history of its own; it counts as real if a join on event time alone would have taken it in.
"""

from __future__ import annotations

from benchmarks.report import parser, table, tell
from tests.features.planted import plant


def main() -> None:
    """Plant, print and write the table."""
    asking = parser()
    asking.add_argument("--leaks", type=int, default=100)
    asked = asking.parse_args()
    planted = plant(seed=100, count=asked.leaks)
    rows: list[tuple[object, ...]] = []
    for kind in dict.fromkeys(each.leak.kind for each in planted):
        own = [each for each in planted if each.leak.kind == kind]
        without_effect = sum(each.real and not each.leaked for each in own)
        rows.append((kind, len(own), sum(each.real for each in own), sum(each.counted for each in own), without_effect))
    without_effect = sum(each.real and not each.leaked for each in planted)
    real, counted = sum(each.real for each in planted), sum(each.counted for each in planted)
    rows.append(("all", len(planted), real, counted, without_effect))
    columns = ("leak", "planted", "real", "counted once learnt", "real and without effect before")
    tell("planted_leaks", "Planted leaks", asked.date, table(columns, rows))


if __name__ == "__main__":
    main()
