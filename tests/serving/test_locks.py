"""Who may not be contacted, why, and from when until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history import Event, Version
from leadlight.schema import DAY, Micros, from_micros
from leadlight.settings import Site
from serving.locks import LockFacts, is_known, lock_facts, locks
from serving.schemas import Lock
from tests.builders import event, lead, site
from tests.serving.lock_builders import KINDS, TARGET, T, locked_site, says

LASTS = 3


def held(site: Site, *events: Event, versions: Sequence[Version] = (), as_of: Micros = T) -> tuple[Lock, ...]:
    """The locks of a lead with these facts for the first target, in English."""
    return locks(site, "first_order", lock_facts(site, lead(events=events, versions=tuple(versions))), as_of, "en")


# The lock every site has: the population


@given(at=st.integers(-5, 5), late=st.integers(0, 5), until=st.none() | st.integers(1, 5))
def test_an_event_locks_exactly_while_it_is_known(at: int, late: int, until: int | None) -> None:
    """A lock begins when its event has happened and arrived, and ends when a correction takes it back."""
    arrived = at + late
    ends = None if until is None else T + arrived + until
    order = event("order", T + at, arrived_at=T + arrived, until=ends)

    found = held(locked_site(), order)

    assert bool(found) == (at < 0 and arrived <= 0 and (until is None or arrived + until > 0))
    assert bool(found) == is_known(order, T)


def test_the_first_known_event_dates_the_lock() -> None:
    """Of two orders the earlier one says since when."""
    (lock,) = held(locked_site(), event("order", T - DAY), event("order", T - 3 * DAY))

    assert (lock.kind, lock.since, lock.until, lock.who) == ("left", from_micros(T - 3 * DAY), None, None)


def test_a_lead_that_is_not_yet_in_the_population_is_not_scored() -> None:
    """A target about buyers says of a lead without an order what is missing."""
    site = locked_site()
    bought = lock_facts(site, lead(events=[event("order", T - DAY)]))
    paid = lock_facts(site, lead(events=[event("order", T - DAY), event("payment", T - 1)]))

    (lock,) = locks(site, "renewal", None, T, "en")
    (left,) = locks(site, "renewal", paid, T, "zh")

    assert (lock.kind, lock.since, lock.words) == ("not_yet", None, "Not scored: no order yet, so outside “renewal”")
    assert locks(site, "renewal", bought, T, "en") == ()
    assert left.kind == "left"
    assert left.words.startswith("请勿联系")


# A population of quiet leads: the property against the spine is in tests/features/test_quiet.py


def quiet_site(length: str = "90d") -> Site:
    """A site that asks about leads without complaint or claim for so long, that came long enough ago."""
    quiet = {"kinds": ["complaint", "claim"], "for": length}
    recall = {**TARGET, "zh": "召回", "en": "recall", "population": {"quiet": quiet}}
    kinds = {**KINDS, "complaint": {"zh": "投诉", "en": "complained"}, "claim": {}}
    return site(kinds=kinds, targets={"recall": recall, "first_order": TARGET})


def test_a_restless_lead_is_told_when_it_will_be_quiet() -> None:
    """The lock says since when, until when, and what broke the quiet, in both languages; other targets do not care."""
    asked = quiet_site()
    facts = lock_facts(asked, lead(events=[event("complaint", T - DAY), event("claim", T - 2 * DAY)]))

    (english,) = locks(asked, "recall", facts, T, "en")
    (chinese,) = locks(asked, "recall", facts, T, "zh")

    assert (english.kind, english.name, english.who) == ("not_yet", "not_yet", None)
    assert (english.since, english.until) == (from_micros(T - DAY), from_micros(T + 89 * DAY + 1))
    assert english.words == (
        "Not scored: complained on 26 Sep 1972; “recall” is about leads that were quiet for 90 days, "
        "so not before 25 Dec 1972 08:00"
    )
    assert chinese.words == ("暂不评分：1972年9月26日投诉；沉默满 90 天才属于“召回”的范围，最早1972年12月25日 08:00")
    assert locks(asked, "first_order", facts, T, "en") == ()


def test_a_new_lead_is_told_that_it_came_too_lately() -> None:
    """A lead without any event is quiet so long after it came; nothing else is kept of it."""
    asked = quiet_site("36h")
    facts = lock_facts(asked, lead(created_at=T - DAY))

    (lock,) = locks(asked, "recall", facts, T, "en")

    assert facts == LockFacts(created_at=T - DAY)
    assert lock.words.startswith("Not scored: it came on 26 Sep 1972; “recall” is about leads that were quiet for 36 h")
    assert locks(asked, "recall", facts, T + DAY // 2, "en") != ()
    assert locks(asked, "recall", facts, T + DAY // 2 + 1, "en") == ()


def test_who_has_left_for_good_is_told_that_first() -> None:
    """An order ends it for good; that the lead was not quiet either comes after."""
    asked = quiet_site()
    facts = lock_facts(asked, lead(events=[event("order", T - DAY), event("complaint", T - DAY)]))

    assert [lock.kind for lock in locks(asked, "recall", facts, T, "en")] == ["left", "not_yet"]


# Locks set and lifted by events


def test_a_lock_says_what_since_until_and_who() -> None:
    """All of it as fields and in words of both languages."""
    site = locked_site(complaint={"set_by": ["complaint"], "lasts": "30d", "who": "by"})
    facts = lock_facts(site, lead(events=[event("complaint", T - DAY, labels={"by": "Li", "about": "calls"})]))

    (english,) = locks(site, "first_order", facts, T, "en")
    (chinese,) = locks(site, "first_order", facts, T, "zh")

    assert (english.kind, english.name, english.who) == ("rule", "complaint", "Li")
    assert (english.since, english.until) == (from_micros(T - DAY), from_micros(T + 29 * DAY))
    assert english.words == "Do not contact: complained (since 26 Sep 1972, until 26 Oct 1972 08:00, set by Li)"
    assert chinese.words == "请勿联系：已投诉（1972年9月26日起，至1972年10月26日 08:00，由Li设置）"


def test_a_lock_for_good_says_so_and_that_nobody_is_known_to_have_set_it() -> None:
    """Without lasts there is no until; a label that was not given is null."""
    (lock,) = held(locked_site(complaint={"set_by": ["complaint"], "who": "by"}), event("complaint", T - 900 * DAY))

    assert (lock.until, lock.who) == (None, None)
    assert lock.words == "Do not contact: complained (since 11 Apr 1970, until it is lifted)"


@pytest.mark.parametrize(
    ("age", "locked"), [(0, False), (1, True), (3 * DAY, True), (3 * DAY + 1, True), (7 * DAY, False)]
)
def test_a_lock_lasts_as_long_as_declared(age: Micros, locked: bool) -> None:  # noqa: FBT001  the case
    """It begins after its fact, and the moment it ends is free."""
    site = locked_site(complaint={"set_by": ["complaint"], "lasts": "7d"})

    assert bool(held(site, event("complaint", T - age))) == locked


def test_only_events_with_the_declared_labels_set_or_lift() -> None:
    """One kind can do both, told apart by its labels."""
    rule = {
        "set_by": ["complaint"],
        "where": {"about": ["calls", "price"], "by": ["lead"]},
        "lifted_by": ["complaint"],
        "lifted_where": {"about": ["withdrawn"]},
    }
    site = locked_site(complaint=rule)
    calls, withdrawn = {"about": "calls", "by": "lead"}, {"about": "withdrawn"}

    def complaint(ago: int, labels: Mapping[str, str | None] | None) -> Event:
        return event("complaint", T - ago * DAY, labels=labels)

    assert held(site, complaint(3, calls))
    assert not held(site, complaint(3, {**calls, "by": "teacher"}))
    assert not held(site, complaint(3, {**calls, "by": None}))
    assert not held(site, complaint(3, None))
    assert not held(site, complaint(3, calls), complaint(2, withdrawn))
    assert held(site, complaint(3, calls), complaint(2, {"about": "other"}))
    assert held(site, complaint(3, withdrawn), complaint(2, calls))


def test_of_one_moment_what_sets_a_lock_wins() -> None:
    """A complaint and its settlement of the same moment leave the lock, set anew; at the end of one the next begins."""
    site = locked_site(complaint={"set_by": ["complaint"], "lifted_by": ["settled"], "lasts": "2d"})
    before, both = event("complaint", T - 2 * DAY), [event("complaint", T - DAY), event("settled", T - DAY)]

    (anew,) = held(site, before, *both)
    (next_one,) = held(site, event("complaint", T - 3 * DAY), event("complaint", T - DAY))
    (extended,) = held(site, event("complaint", T - 3 * DAY + 1), event("complaint", T - DAY))

    assert anew.since == next_one.since == from_micros(T - DAY)
    assert extended.since == from_micros(T - 3 * DAY + 1)


def test_all_locks_are_told_the_population_first_then_as_the_site_lists_them() -> None:
    """A lead can be locked several times over."""
    site = locked_site(
        owned={"set_by": ["claim"]},
        complaint={"set_by": ["complaint"]},
        protected={"attribute": "city", "values": ["Lhasa"]},
    )
    events = [event(kind, T - DAY) for kind in ("complaint", "claim", "order")]

    found = held(site, *events, versions=[says(T - 2 * DAY, "Lhasa")])

    assert [(lock.kind, lock.name) for lock in found] == [
        ("left", "left"),
        ("rule", "owned"),
        ("rule", "complaint"),
        ("rule", "protected"),
    ]


facts = st.lists(
    st.tuples(
        st.sampled_from(["complaint", "settled", "claim"]),
        st.integers(-6, 1),  # at
        st.integers(0, 2),  # how late it arrives
        st.none() | st.integers(1, 5),  # when it is corrected
        st.sampled_from(["Li", "Wu", None]),
    ),
    max_size=7,
)


@given(facts=facts, lasts=st.sampled_from([None, LASTS]))
def test_a_lock_is_what_reading_all_facts_moment_by_moment_says(
    facts: list[tuple[str, int, int, int | None, str | None]], lasts: int | None
) -> None:
    """Set, extended, lifted, late and corrected facts in any order: since, until and who as a slow reading has them."""
    events = [
        event(
            kind,
            T + at,
            event_id=str(number),
            arrived_at=T + at + late,
            until=None if until is None else T + at + late + until,
            labels={"by": who},
        )
        for number, (kind, at, late, until, who) in enumerate(facts)
    ]
    site = locked_site(complaint={"set_by": ["complaint"], "lifted_by": ["settled"], "who": "by"})
    rule = site.locks["complaint"].model_copy(update={"lasts": lasts})
    site = site.model_copy(update={"locks": {"complaint": rule}})

    found = held(site, *events)

    expected = _slow_reading(events, lasts)
    assert [(lock.since, lock.until, lock.who) for lock in found] == expected


def _slow_reading(events: list[Event], lasts: int | None) -> list[tuple[object, object, str | None]]:
    """Whether some setter is in force at ``T``, and back to which moment some setter was, without a lift."""
    known = [e for e in events if e.at < T and e.arrived_at <= T and (e.until is None or e.until > T)]
    lifted = {e.at for e in known if e.kind == "settled"}

    def in_force(when: int) -> list[Event]:
        return [
            e
            for e in known
            if e.kind == "complaint"
            and e.at < when
            and (lasts is None or when < e.at + lasts)
            and not any(e.at < lift < when for lift in lifted)
        ]

    if not in_force(T):
        return []
    newest = max(in_force(T), key=lambda e: (e.at, e.event_id))
    since = newest.at
    while since not in lifted and in_force(since):
        since -= 1
    until = None if lasts is None else from_micros(newest.at + lasts)
    return [(from_micros(since), until, (newest.labels or {})["by"])]


# Locks set by an attribute


def test_an_attribute_locks_while_the_newest_known_version_says_so() -> None:
    """From the first version that said so without a break; another value, or none, lifts it."""
    site = locked_site(protected={"attribute": "city", "values": ["Lhasa", "Xining"], "who": "owner"})
    first, second = says(T - 9 * DAY, "Lhasa", owner="Li"), says(T - 5 * DAY, "Xining", owner="Wu")

    (lock,) = held(site, versions=[second, first])

    assert (lock.since, lock.until, lock.who) == (from_micros(T - 9 * DAY), None, "Wu")
    assert not held(site, versions=[first, second, says(T - DAY, "Shanghai")])
    assert not held(site, versions=[first, second, says(T - DAY, None)])
    assert held(site, versions=[first, second, says(T - DAY, None, arrived_at=T + 1)])
    assert not held(site, versions=[says(T, "Lhasa")])
    assert not held(site, versions=[replace(first, until=T)])


def test_a_correction_of_a_version_takes_its_place() -> None:
    """Of two versions of one moment the one that arrived last counts, from when it arrived."""
    site = locked_site(protected={"attribute": "city", "values": ["Lhasa"]})
    versions = [says(T - 3 * DAY, "Lhasa"), says(T - 3 * DAY, "Shanghai", arrived_at=T - DAY)]

    assert held(site, versions=versions, as_of=T - DAY - 1)
    assert not held(site, versions=versions, as_of=T - DAY)

    back = [says(T - 9 * DAY, "Lhasa"), says(T - 3 * DAY, "Shanghai"), says(T - 3 * DAY, "Lhasa", arrived_at=T - DAY)]
    (lock,) = held(site, versions=back)
    assert lock.since == from_micros(T - 9 * DAY)


def test_no_record_of_a_person_lifts_what_another_says() -> None:
    """Where a person is several leads, the newest version of each counts: a newer record may not know."""
    site = locked_site(protected={"attribute": "city", "values": ["Lhasa"]})
    older = replace(says(T - 3 * DAY, "Lhasa"), member="a")
    newer = [replace(says(T - 2 * DAY, None), member="b"), replace(says(T - DAY, "Lhasa"), member="b")]

    (lock,) = held(site, versions=[*newer, older])

    assert lock.since == from_micros(T - 3 * DAY)
    assert not held(site, versions=[newer[0], older, replace(says(T - DAY, "Shanghai"), member="a")])


def test_a_number_can_lock() -> None:
    """Values of a number attribute are numbers, however they are written."""
    site = locked_site(blocked={"attribute": "city", "values": [1]})

    assert held(site, versions=[says(T - DAY, 1.0)])
    assert not held(site, versions=[says(T - DAY, 0.0)])


# What is kept of a lead


def test_nothing_is_kept_of_a_lead_that_nothing_locks() -> None:
    """Neither other kinds, nor events of a locking kind that fit no rule, nor versions that never lock."""
    site = locked_site(
        complaint={"set_by": ["complaint"], "where": {"about": ["calls"]}},
        protected={"attribute": "city", "values": ["Lhasa"]},
    )
    events = [event("claim", T - DAY), event("complaint", T - DAY, labels={"about": "price", "by": "x"})]

    assert lock_facts(site, lead(events=events, versions=(says(T - DAY, "Shanghai"),))) is None


def test_of_what_is_kept_only_what_locks_read_is_kept() -> None:
    """Labels and attributes that no lock reads stay out of memory, and so do amounts."""
    site = locked_site(
        complaint={"set_by": ["complaint"], "who": "by"}, protected={"attribute": "city", "values": ["Lhasa"]}
    )
    complaint = event("complaint", T - DAY, amount=3, labels={"by": "Li", "about": "calls"})

    kept = lock_facts(site, lead(events=[complaint], versions=(says(T - DAY, "Lhasa", owner="Li"),)))

    assert kept == LockFacts(
        (event("complaint", T - DAY, labels={"by": "Li"}),), (Version(T - DAY, T - DAY, {"city": "Lhasa"}),)
    )
