"""How soon an event counts: from the moment it is sent to the first score that reflects it, while others are sent.

python -m benchmarks.freshness [DATE] [--seconds N] [--rate N]

Events are sent one by one at a fixed rate by several threads over HTTP to a server in a process of its own. One in
twenty is followed at once by asking for a tag that counts it, until it does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.report import parser, table, tell
from tests.journey.freshness import fresh_site, measure


def main() -> None:
    """Measure, print and write the table."""
    asking = parser()
    asking.add_argument("--seconds", type=int, default=60)
    asking.add_argument("--rate", type=int, default=200)
    asked = asking.parse_args()
    with tempfile.TemporaryDirectory() as folder, fresh_site(Path(folder)) as address:
        found = measure(address, rate=asked.rate, seconds=asked.seconds)
    columns = ("asked for events/s", "sent events/s", "sent", "seen", "p50 ms", "p99 ms", "slowest ms")
    tell("freshness", "From an event to the score that counts it", asked.date, table(columns, [found.row()]))


if __name__ == "__main__":
    main()
