"""Who is not scored, and from when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leadlight.schema import DAY, from_micros
from leadlight.settings import Site
from serving.locks import is_known, locks
from tests.builders import event, site

T = 1_000 * DAY


def two_targets() -> Site:
    """A site whose second target is about leads that have ordered and not yet paid."""
    first = {
        "outcome": ["order"],
        "horizon": "30d",
        "observe": {"offsets": ["7d"]},
        "gate": {"precision": 0.3, "recall": 0.2},
    }
    renewal = {**first, "outcome": ["payment"], "population": {"has": ["order"]}}
    return site(targets={"first_order": first, "renewal": renewal})


@given(at=st.integers(-5, 5), late=st.integers(0, 5), until=st.none() | st.integers(1, 5))
def test_an_event_locks_exactly_while_it_is_known(at: int, late: int, until: int | None) -> None:
    """A lock begins when its event has happened and arrived, and ends when a correction takes it back."""
    arrived = at + late
    ends = None if until is None else T + arrived + until
    order = event("order", T + at, arrived_at=T + arrived, until=ends)

    held = locks(two_targets(), "first_order", [order], T, "en")

    assert bool(held) == (at < 0 and arrived <= 0 and (until is None or arrived + until > 0))
    assert bool(held) == is_known(order, T)


def test_the_first_known_event_dates_the_lock() -> None:
    """Of two orders the earlier one says since when."""
    orders = [event("order", T - DAY), event("order", T - 3 * DAY)]

    (lock,) = locks(two_targets(), "first_order", orders, T, "en")

    assert (lock.kind, lock.since) == ("left", from_micros(T - 3 * DAY))


def test_a_lead_that_is_not_yet_in_the_population_is_not_scored() -> None:
    """A target about buyers says of a lead without an order what is missing."""
    (lock,) = locks(two_targets(), "renewal", [], T, "en")
    buyer = locks(two_targets(), "renewal", [event("order", T - DAY)], T, "en")
    renewed = locks(two_targets(), "renewal", [event("order", T - DAY), event("payment", T - 1)], T, "zh")

    assert (lock.kind, lock.since, lock.words) == ("not_yet", None, "Not scored: no order yet, so outside “renewal”")
    assert buyer == ()
    assert [each.kind for each in renewed] == ["left"]
    assert renewed[0].words.startswith("请勿联系")
