"""Whatever the order in which facts arrive, the stored rows end the same: on SQLite, on PostgreSQL, on Valkey."""

from __future__ import annotations

from functools import partial
from itertools import permutations
from pathlib import Path

import pytest

from features.history import open_history
from features.log import Log, NewEvent, NewVersion
from features.single import evaluate
from leadlight.database import open_database
from leadlight.schema import DAY, HOUR, MINUTE
from serving.service import Service
from tests.journey.skew import SITE_ON_THE_WALL_CLOCK, START, made_site
from tests.serving.serving_builders import CATALOGUE

FACTS = [
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
    address = store if store == "sqlite" else request.getfixturevalue(store)
    stores = f'\n[stores]\nonline = "{address}"\ndeadline_ms = 20000\n'
    made = made_site(tmp_path / "site", SITE_ON_THE_WALL_CLOCK + stores, CATALOGUE, seed=1)
    made.build()
    now = [START]
    log = Log(open_database(made.site, made.state))
    service = Service(made.site, made.catalogue, state=made.state, log=log, wall=lambda: now[0])
    desk = service.desk
    orders = list(permutations(range(len(FACTS))))
    leads = [f"order-{number:03d}" for number in range(len(orders))]
    created = START - 6 * DAY
    service.accept(
        desk,
        lambda _: [NewVersion(lead_id, created, "sem", None, created, {"city": "上海"}, ()) for lead_id in leads],
        place="#",
    )
    for step in range(len(FACTS)):
        now[0] += MINUTE
        service.accept(
            desk,
            partial(_step, leads, [order[step] for order in orders]),
            place="#",
        )

    rows = desk.store.read_leads(leads)
    distinct = {tuple(sorted((name, value) for name, value in row.items())) for row in rows.values() if row}
    assert None not in rows.values()
    assert len(distinct) == 1, f"{len(distinct)} different rows"
    row = rows[leads[0]]
    assert row is not None
    moment = int(row["as_of"] or 0)
    should = evaluate(made.catalogue, made.site, desk.past.facts([leads[-1]])[leads[-1]], moment)
    assert {name: row[name] for name in should.values} == should.values
    assert row["valid_until"] == should.valid_until
    assert row["trials_7d"] == 1
    assert open_history(made.state).summary.reads(int(row["row_seq"] or 0), log.head())


def _step(leads: list[str], numbers: list[int], _: int) -> list[NewEvent]:
    return [_fact(lead_id, number) for lead_id, number in zip(leads, numbers, strict=True)]


def _fact(lead_id: str, number: int) -> NewEvent:
    kind, ago, amount, labels = FACTS[number]
    return NewEvent(f"{lead_id}-{number}", lead_id, kind, START + ago, amount, labels)
