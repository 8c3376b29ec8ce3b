"""Whether the outcome happened within the horizon, and of which rows that can be said."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap
from typing import Any

import ibis
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from features.duck import connect
from features.history import LeadFacts
from features.labels import Counts, count, judge, labelled
from leadlight.schema import DAY, HOUR, Micros
from leadlight.settings import Target
from tests.builders import corrected, create_tables, event, lead, site

AS_OF = 10 * DAY
HORIZON = 30 * DAY
END = AS_OF + HORIZON
LATE = 365 * DAY


def target(**changes: object) -> Target:
    """An order within 30 days."""
    fields = {"outcome": ["order"], "horizon": "30d", "observe": {"offsets": ["7d"]}}
    return Target.model_validate({**fields, "gate": {"precision": 0.3, "recall": 0.2}, **changes})


def judged(
    leads: Sequence[LeadFacts], moments: Sequence[tuple[str, Micros]], *, asked: Target | None = None, end: Micros = END
) -> ibis.Table:
    """The judged rows of a spine of ``moments``."""
    backend = connect()
    names = ["lead_id", "as_of"]
    spine = pa.Table.from_pylist([dict(zip(names, pair, strict=True)) for pair in moments])
    spine = backend.create_table("spine", spine.append_column("channel", pa.repeat("sem", len(spine))))
    return judge(asked or target(), create_tables(backend, site(), leads), spine, end=end)


def label_of(*events: Any, asked: Target | None = None, end: Micros = END) -> int | str:  # noqa: ANN401  Event or several
    """The label of one lead at ``AS_OF``, or why it has none."""
    (row,) = judged([lead("a", events=events)], [("a", AS_OF)], asked=asked, end=end).to_pyarrow().to_pylist()
    if row["converted"]:
        return "converted"
    return int(row["label"]) if row["mature"] else "immature"


def test_the_horizon_begins_at_as_of_and_ends_before_its_end() -> None:
    """[as_of, as_of + horizon): its first microsecond counts, its end does not, and before it the lead is converted."""
    assert label_of() == 0
    assert label_of(event("order", AS_OF)) == 1
    assert label_of(event("order", AS_OF + HORIZON - 1)) == 1
    assert label_of(event("order", AS_OF + HORIZON)) == 0
    assert label_of(event("order", AS_OF - 1)) == "converted"


def test_only_the_outcome_counts() -> None:
    """Another kind is no outcome; any of several outcomes is one."""
    either = target(outcome=["order", "payment"])

    assert label_of(event("payment", AS_OF + DAY)) == 0
    assert label_of(event("payment", AS_OF + DAY), asked=either) == 1
    assert label_of(event("order", AS_OF), event("payment", AS_OF), asked=either) == 1


def test_a_label_waits_for_its_horizon_and_for_late_outcomes() -> None:
    """A row is mature when horizon and outcome delay are over at the end of the data, to the microsecond."""
    slow = target(outcome_delay="3d")

    assert label_of(end=END) == 0
    assert label_of(end=END - 1) == "immature"
    assert label_of(event("order", AS_OF), end=END - 1) == "immature"
    assert label_of(asked=slow, end=END + 3 * DAY - 1) == "immature"
    assert label_of(asked=slow, end=END + 3 * DAY) == 0


def test_an_outcome_counts_whenever_it_arrives() -> None:
    """Labels are of what happened: an order that arrives late is one, and an earlier one closes the lead unseen."""
    assert label_of(event("order", AS_OF + DAY, arrived_at=LATE)) == 1
    assert label_of(event("order", AS_OF - DAY, arrived_at=AS_OF + DAY)) == "converted"


def test_only_the_latest_version_of_an_event_counts() -> None:
    """An order that was revoked never was; one that was moved counts where it was moved to."""
    order = event("order", AS_OF + DAY, event_id="x")
    revoked = event("page_view", AS_OF + DAY, event_id="x", arrived_at=LATE)
    moved = event("order", AS_OF - DAY, event_id="x", arrived_at=LATE)

    assert label_of(*corrected(order, revoked)) == 0
    assert label_of(*corrected(order, moved)) == "converted"
    assert label_of(*corrected(event("order", AS_OF - DAY, event_id="x"), revoked)) == 0


def test_what_closes_a_lead_may_differ_from_the_outcome() -> None:
    """Of a target that lacks logins only, an earlier order closes nothing, and a later one is its outcome."""
    again = target(population={"lacks": ["login"]})

    assert label_of(event("order", AS_OF - 1), asked=again) == 0
    assert label_of(event("order", AS_OF - 1), event("order", AS_OF + 1, event_id="2"), asked=again) == 1
    assert label_of(event("login", AS_OF - 1), event("order", AS_OF), asked=again) == "converted"


def test_rows_for_training_are_ordered_and_the_others_counted() -> None:
    """Ordered by moment, then lead; converted comes before immature, so each row is counted once."""
    leads = [lead("b", events=[event("order", AS_OF)]), lead("a"), lead("c", events=[event("order", HOUR)])]
    pairs = [("b", AS_OF), ("a", AS_OF), ("a", DAY), ("c", AS_OF), ("c", END), ("a", END), ("b", END)]

    rows = judged(leads, pairs)

    assert labelled(rows).to_pyarrow().to_pylist() == [
        {"lead_id": "a", "as_of": DAY, "channel": "sem", "label": 0},
        {"lead_id": "a", "as_of": AS_OF, "channel": "sem", "label": 0},
        {"lead_id": "b", "as_of": AS_OF, "channel": "sem", "label": 1},
    ]
    assert labelled(rows).schema()["label"].is_int8()
    assert count(rows) == Counts(rows=3, positives=1, immature=1, converted=3)


def test_an_empty_spine_counts_nothing() -> None:
    """No rows are zero rows, not missing ones."""
    rows = judged([lead("a")], [("a", AS_OF)])

    assert count(rows.limit(0)) == Counts(rows=0, positives=0, immature=0, converted=0)


hours = st.integers(0, 60)
orders = st.lists(st.tuples(hours, st.integers(0, 40)), max_size=4)


@given(
    histories=st.lists(orders, min_size=1, max_size=12),
    asked_at=st.lists(hours, min_size=1, max_size=4, unique=True),
    horizon=st.integers(1, 30),
    delay=st.integers(0, 10),
    end=hours,
)
@settings(max_examples=20)
def test_labels_agree_with_a_count_by_hand(
    histories: list[list[tuple[int, int]]], asked_at: list[int], horizon: int, delay: int, end: int
) -> None:
    """Over random orders, moments, horizons, delays and ends: the same verdicts as three lines of Python."""
    leads = [
        lead(
            f"{n:02}",
            events=[
                event("order", at * HOUR, event_id=f"{n}-{i}", arrived_at=(at + late) * HOUR)
                for i, (at, late) in enumerate(some)
            ],
        )
        for n, some in enumerate(histories)
    ]
    pairs = [(one.lead_id, hour * HOUR) for one in leads for hour in asked_at]
    asked = target(horizon=f"{horizon}h", outcome_delay=f"{delay}h")

    rows = judged(leads, pairs, asked=asked, end=end * HOUR).to_pyarrow().to_pylist()

    found = {(row["lead_id"], row["as_of"]): (row["label"], row["mature"], row["converted"]) for row in rows}

    def by_hand(lead_id: str, as_of: Micros) -> tuple[int, bool, bool]:
        times = [at * HOUR for at, _ in histories[int(lead_id)]]
        won = any(as_of <= at < as_of + horizon * HOUR for at in times)
        return int(won), as_of + (horizon + delay) * HOUR <= end * HOUR, any(at < as_of for at in times)

    assert found == dict(zip(pairs, starmap(by_hand, pairs), strict=True))
    assert len(rows) == len(pairs)
