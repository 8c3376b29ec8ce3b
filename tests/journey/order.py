"""Leads with the same facts, each told of them in an order of its own: their stored rows must end the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from features.history import open_history
from features.log import Log, NewEvent, NewVersion
from features.single import evaluate
from leadlight.database import open_database
from leadlight.journal import keep
from leadlight.schema import DAY, MINUTE
from serving.journal import Journal
from serving.service import Service
from tests.journey.skew import SITE_ON_THE_WALL_CLOCK, START, made_site
from tests.serving.serving_builders import CATALOGUE

Fact = tuple[str, int, int | None, dict[str, str]]
"""Kind, moment relative to the site's first day, amount and labels."""


@dataclass(frozen=True)
class Ended:
    """The different rows of all leads, what they should be, and whether they say to have read everything."""

    rows: list[dict[str, Any] | None]
    should: dict[str, Any]
    exact: bool


def told_in_orders(folder: Path, online: str, facts: Sequence[Fact], orders: Sequence[Sequence[int]]) -> Ended:
    """One lead for each of ``orders``, over a site whose online rows are kept at ``online``.

    All leads hear their next fact at one moment, and their rows are evaluated and stored after each.
    """
    stores = f'\n[stores]\nonline = "{online}"\ndeadline_ms = 20000\n'
    made = made_site(folder, SITE_ON_THE_WALL_CLOCK + stores, CATALOGUE, seed=1)
    made.build()
    now = [START]
    database = open_database(made.site, made.state)
    log, journal = Log(database), Journal(partial(keep, database))
    service = Service(made.site, made.catalogue, state=made.state, log=log, journal=journal, wall=lambda: now[0])
    desk = service.desk
    leads = [f"order-{number:05d}" for number in range(len(orders))]
    created = START - 6 * DAY
    new = [NewVersion(lead_id, created, "sem", None, created, {"city": "上海"}, ()) for lead_id in leads]
    service.accept(desk, new, place="#")
    for step in range(len(facts)):
        now[0] += MINUTE
        heard = [(lead_id, order[step]) for lead_id, order in zip(leads, orders, strict=True)]
        service.accept(desk, [_event(facts, lead_id, number) for lead_id, number in heard], place="#")
    rows = desk.store.read_leads(leads)
    distinct = {repr(sorted(row.items()) if row else None): row for row in rows.values()}
    found = [None if row is None else dict(row) for row in distinct.values()]
    moment = int((found[0] or {}).get("as_of") or 0)
    row = evaluate(made.catalogue, made.site, desk.past.facts([leads[-1]])[leads[-1]], moment)
    summary, head = open_history(made.state).summary, log.head()
    exact = all(each is not None and summary.reads(int(each["row_seq"] or 0), head) for each in found)
    desk.store.close()
    return Ended(found, {**row.values, "valid_until": row.valid_until}, exact)


def _event(facts: Sequence[Fact], lead_id: str, number: int) -> NewEvent:
    kind, ago, amount, labels = facts[number]
    return NewEvent(f"{lead_id}-{number}", lead_id, kind, START + ago, amount, labels)
