"""The settings file of a site: what it means, and that all its faults come at once."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.schema import DAY, HOUR, day_number, from_micros, local_day, midnight, to_micros
from leadlight.settings import Observe, SiteError, Split, UsageError, load_site, parse_duration, parse_part

SITE = """
[site]
name = "shop"
title = { zh = "店", en = "Shop" }
utc_offset = "+08:00"
[kinds.view]
labels = ["page", "course"]
[kinds.order]
labels = ["course"]
delay = "2h"
[targets.first_order]
outcome = ["order"]
horizon = "30d"
[targets.first_order.observe]
offsets = ["7d"]
[targets.first_order.gate]
precision = 0.3
recall = 0.2
"""


def write(folder: Path, text: str) -> Path:
    (folder / "leadlight.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_site_has_units_and_defaults(tmp_path: Path) -> None:
    """Durations become microseconds, labels are collected once, and what is not said has its default."""
    site = load_site(write(tmp_path, SITE))

    name, target = site.target()
    assert (name, target.horizon, target.observe.offsets) == ("first_order", 30 * DAY, (7 * DAY,))
    assert (site.offset, site.kinds["order"].delay, site.labels) == (8 * HOUR, 2 * HOUR, ("page", "course"))
    assert (target.lacks, target.operate.flag_share, site.clock.at) == (("order",), 0.1, "wall")


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """Each fault says where it is and what came; one does not hide another."""
    broken = SITE.replace('"30d"', '"30 days"').replace("recall = 0.2", "recall = 1.2\nprecison = 0.3")

    with pytest.raises(SiteError) as caught:
        load_site(write(tmp_path, broken))

    faults = "\n".join(caught.value.faults)
    assert "targets.first_order.horizon" in faults
    assert "came: '30 days'" in faults
    assert "targets.first_order.gate.recall" in faults
    assert "targets.first_order.gate.precison" in faults


def test_kinds_must_be_declared(tmp_path: Path) -> None:
    """An outcome that no [kinds] table declares is a fault that shows what to write."""
    with pytest.raises(SiteError, match=r"'sale' is not declared as \[kinds.sale\]"):
        load_site(write(tmp_path, SITE.replace('["order"]', '["sale"]')))


def test_names_of_our_own_are_refused(tmp_path: Path) -> None:
    """A channel called all and a label called amount would be mistaken for Leadlight's own, and are faults together."""
    text = SITE.replace('labels = ["page", "course"]', 'labels = ["amount"]')

    with pytest.raises(SiteError, match="everybody") as caught:
        load_site(write(tmp_path, text + '[channels.all]\nzh = "全"\nen = "All"\n'))

    assert "'amount'" in str(caught.value)


def test_an_unknown_target_names_the_known(tmp_path: Path) -> None:
    """Asking for a target that the site does not have is wrong usage, answered with those it has."""
    site = load_site(write(tmp_path, SITE))

    with pytest.raises(UsageError, match="first_order"):
        site.target("renewal")


def test_a_missing_or_broken_file_says_what_to_do(tmp_path: Path) -> None:
    """No file, and one that is no TOML, are told apart."""
    with pytest.raises(UsageError, match="leadlight init"):
        load_site(tmp_path)
    with pytest.raises(SiteError, match="not valid TOML"):
        load_site(write(tmp_path, "[site"))


@pytest.mark.parametrize(
    "observe", [{}, {"offsets": ["7d"], "every": "monday", "until": "60d"}, {"every": "monday"}, {"every": "month"}]
)
def test_one_schedule_of_observation(observe: dict[str, object]) -> None:
    """A target is observed at offsets or on a cadence with an end, never both or neither."""
    with pytest.raises(SiteError):
        parse_part(Observe, observe, "leadlight.toml")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "needs set_by"),
        ({"set_by": ["order"], "attribute": "phone_ok", "values": ["No"]}, "needs set_by"),
        ({"attribute": "phone_ok"}, "with values"),
        ({"set_by": ["order"], "values": ["No"]}, "needs set_by"),
        ({"attribute": "phone_ok", "values": ["No"], "lasts": "3d", "lifted_by": ["view"]}, "lifted_by, lasts: only"),
        ({"set_by": ["order"], "lifted_where": {"page": ["x"]}}, "lifted_where needs lifted_by"),
        ({"set_by": ["view"], "lifted_by": ["view"], "where": {"page": ["x"]}}, "both sets and lifts"),
        ({"set_by": ["order"], "lasts": "0d"}, "greater than 0"),
        ({"set_by": ["order"], "lasts": "999999d"}, "less than or equal"),
        ({"set_by": ["gift"]}, "'gift' is not declared"),
        ({"set_by": ["order"], "lifted_by": ["gift"]}, "'gift' is not declared"),
        ({"set_by": ["view"], "where": {"pages": ["x"]}}, "no kind has the label 'pages'"),
        ({"set_by": ["view"], "who": "seller"}, "no kind has the label 'seller'"),
    ],
)
def test_a_lock_is_set_by_events_or_by_an_attribute(tmp_path: Path, rule: dict[str, object], said: str) -> None:
    """A lock that could never hold, or whose end is not clear, is refused with what to write."""
    lines = "".join(f"{name} = {_toml(value)}\n" for name, value in rule.items())
    text = f'{SITE}[locks.quiet]\nzh = "免打扰"\nen = "do not disturb"\n{lines}'

    with pytest.raises(SiteError, match=re.escape(said)):
        load_site(write(tmp_path, text))


@pytest.mark.parametrize(
    ("population", "said"),
    [
        ('quiet = { kinds = ["gift"], for = "90d" }', "'gift' is not declared"),
        ('quiet = { kinds = ["view"], for = "3 months" }', "a duration is a whole number"),
        ('quiet = { kinds = ["view"], for = "0d" }', "greater than 0"),
        ('quiet = { kinds = ["view"], for = "999999d" }', "less than or equal"),
        ('quiet = { kinds = [], for = "90d" }', "at least 1 item"),
        ('quiet = { kinds = ["view"] }', "population.quiet.for: Field required"),
        ('quiet = { kinds = ["view"], for = "90d", since = "1d" }', "population.quiet.since"),
        ('lacks = ["view"]\nquiet = { kinds = ["view"], for = "90d" }', "view cannot be in lacks"),
    ],
)
def test_a_population_of_quiet_leads_says_of_what_and_how_long(tmp_path: Path, population: str, said: str) -> None:
    """Each fault is told with what to write; what ends a lead for good cannot also end it for a while."""
    text = f"{SITE}[targets.first_order.population]\n{population}\n"

    with pytest.raises(SiteError, match=re.escape(said)):
        load_site(write(tmp_path, text))


def test_only_a_population_that_asks_for_quiet_changes_the_question(tmp_path: Path) -> None:
    """Models that were trained before targets could ask for quiet still answer their question."""
    plain, table = load_site(write(tmp_path, SITE)).target()[1], "[targets.first_order.population]\n"
    quiet = load_site(write(tmp_path, SITE + table + 'quiet = { kinds = ["view"], for = "90d" }\n')).target()[1]
    longer = load_site(write(tmp_path, SITE + table + 'quiet = { kinds = ["view"], for = "91d" }\n')).target()[1]

    assert plain.question == "dc07fe36d73ea8c87ce4ac4b7013629a2cf68889a7368f406d125b4748845ba2"
    assert len({plain.question, quiet.question, longer.question}) == 3
    assert (quiet.population.quiet_kinds, quiet.lacks) == (("view",), ("order",))


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {json.dumps(inner)}" for name, inner in value.items()) + "}"
    return json.dumps(value)


def test_split_dates_come_in_pairs_and_in_order() -> None:
    """A split needs both dates, training before test."""
    for tables in (
        {"train_until": dt.date(2025, 1, 1)},
        {"train_until": dt.date(2025, 2, 1), "test_from": dt.date(2025, 1, 1)},
    ):
        with pytest.raises(SiteError):
            parse_part(Split, dict(tables), "leadlight.toml")


@pytest.mark.parametrize("text", ["", "7", "d", "1.5d", "-1d", "7 d", "1y", 7, None])
def test_durations_are_whole(text: object) -> None:
    """What is no whole number with a unit is refused."""
    with pytest.raises(ValueError, match="whole number"):
        parse_duration(text)


@given(moment=st.integers(min_value=-(10**15), max_value=10**16))
def test_moments_survive_the_round_trip(moment: int) -> None:
    """Microseconds to a moment and back are the same microseconds."""
    assert to_micros(from_micros(moment)) == moment


@given(
    moment=st.integers(min_value=-(10**15), max_value=4 * 10**15),
    minutes=st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_a_local_day_holds_its_moments(moment: int, minutes: int) -> None:
    """A moment lies in its local day: at or after its midnight and before the next; the calendar agrees."""
    offset = minutes * 60_000_000

    day = local_day(moment, offset)

    assert midnight(day, offset) <= moment < midnight(day + 1, offset)
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    assert day_number(from_micros(moment).astimezone(zone).date()) == day
