"""What a server makes of a thousand harmed and hostile bundles: none loaded, nothing executed, no death.

python -m benchmarks.hostile_bundles [DATE] [--bundles N]

A small site with a champion; each bundle is a copy of the champion's, harmed in one way, and made champion by hand
(``tests/serving/hostile.py``). Those signed with the gate's own key stand for a disk that failed after the gate, or a
stolen key: only the first load in a child process is between them and the server.
"""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import astuple
from pathlib import Path

from benchmarks.report import parser, table, tell
from leadlight.shelf import bundle_folder
from tests.serving.hostile import ATTACKS, SIGNED, Outcome, Target
from tests.serving.serving_builders import build_school, certify_champion

ROWS = 4_000
"""So many that the model has trees."""
SIGNED_SHARE = 10
"""One bundle in so many is signed with the gate's key: each takes a process of its own."""


def main() -> None:
    """Attack, print and write the table."""
    asking = parser()
    asking.add_argument("--bundles", type=int, default=1_000)
    asked = asking.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        school = build_school(Path(folder) / "school")
        certify_champion(school, rows=ROWS)
        if not list(bundle_folder(school.state, "first_order", 1).glob("trees-*.txt")):
            raise SystemExit("the model has no trees: nothing would be seen of theirs")
        target = Target(school.site, school.catalogue, school.state, "first_order")
        signed = asked.bundles // SIGNED_SHARE
        counts = {
            **{attack: -(-(asked.bundles - signed) // len(ATTACKS)) for attack in ATTACKS},
            **{attack: -(-signed // len(SIGNED)) for attack in SIGNED},
        }
        rows: list[tuple[object, ...]] = []
        totals = Outcome()
        for attack, count in counts.items():
            started, outcome, draw = time.perf_counter(), Outcome(), random.Random(attack.name)  # noqa: S311  repeatable
            for _ in range(count):
                target.attack(attack, draw, outcome)
            seconds = f"{time.perf_counter() - started:.0f}"
            rows.append((attack.name, *astuple(outcome), seconds))
            totals = Outcome(*(map(sum, zip(astuple(totals), astuple(outcome), strict=True))))
        if not target.still_serves():
            raise SystemExit("the whole bundle does not serve any more")
    rows.append(("all", *astuple(totals), ""))
    columns = ("what was done", "bundles", "refused", "the same bundle or the same answers", "loaded", "seconds")
    tell("hostile_bundles", "Harmed and hostile bundles", asked.date, table(columns, rows))


if __name__ == "__main__":
    main()
