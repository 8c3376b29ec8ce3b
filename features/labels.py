"""The labels: whether the outcome happened within the horizon, for the rows of a spine of which that can be said."""

from __future__ import annotations

from dataclasses import dataclass

import ibis

from features.history import Tables
from leadlight.schema import AS_OF, AT, KIND, LABEL, LEAD_ID, UNTIL, Micros
from leadlight.settings import Target

CONVERTED = "converted"
MATURE = "mature"


@dataclass(frozen=True)
class Counts:
    """What became of a spine's rows: those that carry a label, the positives among them, and those left out."""

    rows: int
    positives: int
    immature: int
    converted: int


def judge(target: Target, tables: Tables, spine: ibis.Table, *, end: Micros) -> ibis.Table:
    """``spine`` with ``label`` (0 or 1), ``mature`` and ``converted``; ``end`` is where the data end.

    The outcome counts in ``[as_of, as_of + horizon)``, the horizon being over, and late outcomes in, before ``end``.
    A lead is converted if such an event lies before ``as_of``, even one not yet known then. Only the latest version of
    an event counts, whenever it arrived: a label says what is known once it is mature.
    """
    latest = tables.events.filter(tables.events[UNTIL].isnull())
    closed = latest.filter(latest[KIND].isin(target.lacks)).group_by(LEAD_ID).agg(closed_at=latest[AT].min())
    won = _won(spine, latest.filter(latest[KIND].isin(target.outcome)), target.horizon)
    rows = spine.left_join(closed, LEAD_ID).select(spine, closed.closed_at)
    rows = rows.left_join(won, [LEAD_ID, AS_OF]).select(rows, won[LABEL])
    return rows.select(
        *spine.columns,
        rows[LABEL].fill_null(0).cast("int8").name(LABEL),
        (rows[AS_OF] + (target.horizon + target.outcome_delay) <= end).name(MATURE),
        (rows.closed_at.notnull() & (rows.closed_at < rows[AS_OF])).name(CONVERTED),
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


def _won(spine: ibis.Table, outcomes: ibis.Table, horizon: Micros) -> ibis.Table:
    """The rows in whose horizon an outcome lies, each once."""
    within = [spine[LEAD_ID] == outcomes[LEAD_ID], outcomes[AT] >= spine[AS_OF], outcomes[AT] < spine[AS_OF] + horizon]
    won = spine.join(outcomes, within).select(spine[LEAD_ID], spine[AS_OF]).distinct()
    return won.mutate(**{LABEL: 1})
