"""Whether rows end the same whatever the order in which fifty facts of a lead arrive, on each online store.

python -m benchmarks.order [DATE] [--orders N]

Each lead has the same fifty facts and hears of them in a random order of its own, one a minute; its row is evaluated
and stored after each (``tests/journey/order.py``). In the end all rows must be one, and what the evaluator says.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from benchmarks.report import parser, table, tell
from leadlight.schema import DAY
from tests.journey.order import Fact, told_in_orders
from tests.journey.skew import COURSES, KINDS
from tests.servers import postgres, valkey

FACTS = 50
AT_A_TIME = 1_000


def main() -> None:
    """Measure, print and write the table."""
    asking = parser()
    asking.add_argument("--orders", type=int, default=10_000)
    asked = asking.parse_args()
    with postgres() as database, valkey() as online:
        stores = {"SQLite": "sqlite", "PostgreSQL": database.url, "Valkey": online.url}
        rows = [measured(name, address, asked.orders) for name, address in stores.items()]
    columns = ("store", "random orders", "facts of each", "ended otherwise", "not as evaluated", "seconds")
    tell("order", "Fifty facts in any order", asked.date, table(columns, rows))


def measured(name: str, online: str, orders: int) -> list[object]:
    """One row of the table; every thousand leads are a site with facts of its own."""
    started, otherwise, wrong = time.perf_counter(), 0, 0
    for seed, first in enumerate(range(0, orders, AT_A_TIME)):
        draw = random.Random(seed)  # noqa: S311  a proof that can be repeated
        facts = [_fact(draw) for _ in range(FACTS)]
        count = min(AT_A_TIME, orders - first)
        with tempfile.TemporaryDirectory() as folder:
            shuffled = [draw.sample(range(FACTS), FACTS) for _ in range(count)]
            ended = told_in_orders(Path(folder) / "site", online, facts, shuffled)
        otherwise += len(ended.rows) - 1
        row = ended.rows[0] or {}
        wrong += not ended.exact or any(row.get(column) != value for column, value in ended.should.items())
    return [name, f"{orders:,}", FACTS, otherwise, wrong, f"{time.perf_counter() - started:.0f}"]


def _fact(draw: random.Random) -> Fact:
    kind = draw.choice(KINDS)
    labels = {
        "page_view": {"course": draw.choice(COURSES)},
        "follow_up": {"status": draw.choice(("pending", "in_contact"))},
    }
    amount = draw.randrange(1, 900_000) if kind == "order" else None
    return kind, -draw.randrange(1, 6 * DAY), amount, labels.get(kind, {})


if __name__ == "__main__":
    main()
