"""The labels: whether the outcome happened within the horizon, for the rows of a spine of which that can be said."""

from __future__ import annotations

from dataclasses import dataclass

import ibis

from features.facts import MEMBER, Tables
from features.people import with_members
from leadlight.schema import AS_OF, AT, KIND, LABEL, LEAD_ID, UNTIL, Micros
from leadlight.settings import Target

CONVERTED = "converted"
MATURE = "mature"
_HAS = "_has"


@dataclass(frozen=True)
class Counts:
    """What became of a spine's rows: those that carry a label, the positives among them, and those left out."""

    rows: int
    positives: int
    immature: int
    converted: int


def judge(target: Target, tables: Tables, spine: ibis.Table, *, end: Micros) -> ibis.Table:
    """``spine`` with ``label`` (0 or 1), ``mature`` and ``converted``; ``end`` is where the data end.

    ``tables`` are the facts as recorded. The outcome counts in ``[as_of, as_of + horizon)``, the horizon being over,
    and late outcomes in, before ``end``. A lead is converted if such an event lies before ``as_of``, even one not yet
    known then. A label says what is known once it is mature: only the latest version of an event counts, whenever it
    arrived, and those of all leads that are then one person with the row's.
    """
    latest = tables.events.filter(tables.events[UNTIL].isnull())
    outcomes = latest.filter(latest[KIND].isin(target.outcome))
    closed = latest.filter(latest[KIND].isin(target.lacks)).group_by(LEAD_ID).agg(**{AT: latest[AT].min()})
    maturing = target.horizon + target.outcome_delay
    rows = spine.select(LEAD_ID, AS_OF)
    members = with_members(rows, tables, rows[AS_OF] + maturing)
    age = outcomes[AT] - members[AS_OF]
    won = _having(members, outcomes, [age >= 0, age < target.horizon])
    converted = _having(members, closed, [closed[AT] < members[AS_OF]])
    judged = spine.left_join(won, [LEAD_ID, AS_OF]).select(spine, won=won[_HAS])
    judged = judged.left_join(converted, [LEAD_ID, AS_OF]).select(judged, closed=converted[_HAS])
    return judged.select(
        *spine.columns,
        judged["won"].notnull().cast("int8").name(LABEL),
        (judged[AS_OF] + maturing <= end).name(MATURE),
        judged["closed"].notnull().name(CONVERTED),
    )


def labelled(judged: ibis.Table) -> ibis.Table:
    """The judged rows that training uses, without the verdicts, ordered by ``as_of`` and ``lead_id``."""
    kept = judged.filter(judged[MATURE], ~judged[CONVERTED])
    return kept.drop(MATURE, CONVERTED).order_by(AS_OF, LEAD_ID)


def count(judged: ibis.Table) -> Counts:
    """How many judged rows are used, and why the others are not."""
    used = judged[MATURE] & ~judged[CONVERTED]
    numbers = judged.aggregate(
        rows=used.sum(),
        positives=(used & (judged[LABEL] == 1)).sum(),
        immature=(~judged[MATURE] & ~judged[CONVERTED]).sum(),
        converted=judged[CONVERTED].sum(),
    )
    return Counts(**{name: number or 0 for name, number in numbers.to_pyarrow().to_pylist()[0].items()})


def _having(members: ibis.Table, events: ibis.Table, when: list[ibis.Value]) -> ibis.Table:
    """The rows of which some member has such an event, each once."""
    found = members.join(events, [members[MEMBER] == events[LEAD_ID], *when])
    return found.select(members[LEAD_ID], members[AS_OF]).distinct().mutate(**{_HAS: 1})
