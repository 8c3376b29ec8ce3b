"""Whatever the order in which facts arrive, the stored rows end the same: on SQLite, on PostgreSQL, on Valkey."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from leadlight.schema import DAY, HOUR, MINUTE
from tests.journey.order import Fact, told_in_orders

FACTS: list[Fact] = [
    ("trial", -3 * HOUR, None, {}),
    ("page_view", -5 * DAY, None, {"course": "数学"}),
    ("follow_up", -2 * DAY, None, {"status": "pending"}),
    ("follow_up", -HOUR, None, {"status": "in_contact"}),
    ("page_view", -MINUTE, None, {"course": "英语"}),
    ("order", -DAY, 199_000, {}),
]


@pytest.mark.parametrize("store", ["sqlite", "postgres_url", "valkey_url"])
def test_every_order_of_arrival_ends_in_the_same_row(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """720 leads have the same six facts, each in an order of its own; every row is what the evaluator says."""
    online = store if store == "sqlite" else request.getfixturevalue(store)

    ended = told_in_orders(tmp_path / "site", online, FACTS, list(permutations(range(len(FACTS)))))

    assert len(ended.rows) == 1, f"{len(ended.rows)} different rows"
    row = ended.rows[0]
    assert row is not None
    assert {name: row[name] for name in ended.should} == ended.should
    assert row["trials_7d"] == 1
    assert ended.exact
