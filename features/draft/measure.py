"""What the drafted queries return, as far as the draft needs it: how often leads buy, how soon, and what they do."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

_HORIZONS = (7, 14, 30, 60, 90, 180, 365)
_MOST = 0.8
_LIFT = 1.5
_FEWEST = 20
_LATE = 0.99
_HOURS = 24
_VALUES = 12
_ONE_EACH = 0.98
_EARLY = 0.01
_WEEKS = 12


@dataclass(frozen=True)
class Label:
    """The values of a label, the commonest first, each with the number of leads; none if they are more than a few.

    ``fixed``: the events of a lead all say the same, so the label is a word about the lead.
    """

    values: tuple[tuple[str, int], ...] = ()
    fixed: bool = False


@dataclass(frozen=True)
class Measured:
    """A horizon in days and a precision to begin with; ``delays`` and ``rate`` are the comments that say why.

    ``late`` is the delay of nearly all outcomes, or nothing where their arrival is not recorded; ``early`` whether
    leads do something before they are created; ``steady`` whether as many new leads come lately as earlier; ``reach``
    how many of the ``leads`` have an event of each kind.
    """

    horizon: int = 30
    delays: str = ""
    precision: float = 0.2
    rate: str = ""
    leads: int = 0
    late: str = ""
    early: bool = False
    steady: bool = False
    reach: dict[str, int] = field(default_factory=dict)
    labels: dict[tuple[str, str], Label] = field(default_factory=dict)


def measure(
    queries: tuple[str, str], outcomes: list[str], labels: dict[str, list[str]], data: Path, offset: str
) -> Measured:
    """What the two ``queries`` return: buyers and delays by the kinds in ``outcomes``, and the ``labels`` of kinds."""
    folder = str(data).replace("'", "''")
    leads, events = (sql.replace("{data}", folder) for sql in queries)
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = '{_zone(offset)}'")
        connection.execute(f"CREATE TEMP TABLE facts AS SELECT * EXCLUDE event_id FROM ({events})")
        came = f"SELECT lead_id, min(created_at)::TIMESTAMP AS created FROM ({leads}) GROUP BY ALL"
        connection.execute(f"CREATE TEMP TABLE came AS {came}")
        return _measured(connection, outcomes, labels)


def _measured(connection: duckdb.DuckDBPyConnection, outcomes: list[str], labels: dict[str, list[str]]) -> Measured:
    won = "kind IN (" + ", ".join("'" + outcome.replace("'", "''") + "'" for outcome in outcomes) + ")"
    every, bought, days = _row(
        connection,
        f"""
        WITH won AS (SELECT lead_id, min("at")::TIMESTAMP AS first FROM facts WHERE {won} GROUP BY lead_id)
        SELECT count(*), count(first), quantile_cont(epoch(first - created) / 86400, {_MOST})
        FROM came LEFT JOIN won USING (lead_id)
        """,
    )
    late, dated = _row(
        connection,
        f"""SELECT quantile_cont(epoch(arrived_at::TIMESTAMP - "at"::TIMESTAMP) / 3600, {_LATE}), count(arrived_at)
        FROM facts WHERE {won}""",
    )
    (early,) = _row(
        connection,
        f"""SELECT coalesce(avg(("at"::TIMESTAMP < created - INTERVAL 1 DAY)::INT), 0)
        FROM facts JOIN came USING (lead_id) WHERE NOT ({won})""",
    )
    reach = connection.execute(
        "SELECT kind, count(DISTINCT lead_id) FROM facts SEMI JOIN came USING (lead_id) GROUP BY kind"
    ).fetchall()
    found = Measured(
        leads=every,
        late=_span(late) if dated >= _FEWEST else "",
        early=early > _EARLY,
        steady=_steady(connection),
        reach=dict(reach),
        labels={(kind, label): _label(connection, kind, label) for kind, names in labels.items() for label in names},
    )
    if bought < _FEWEST or days is None:
        return found
    return replace(
        found,
        horizon=next((each for each in _HORIZONS if each >= days), _HORIZONS[-1]),
        delays=f"; four in five of the leads that buy do within {days:.1f} days of their creation",
        precision=max(min(round(_LIFT * bought / every, 2), 0.5), 0.01),
        rate=f"; {bought / every:.1%} of all leads do",
    )


def _steady(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the latest quarter of the weeks is, by its number of new leads, like most of the earlier ones."""
    weeks, lately, low, high = _row(
        connection,
        """
        WITH weekly AS (SELECT date_trunc('week', created) AS week, count(*) AS leads FROM came GROUP BY ALL),
        parted AS (SELECT leads, ntile(4) OVER (ORDER BY week) = 4 AS late FROM weekly)
        SELECT count(*), median(leads) FILTER (late), quantile_cont(leads, 0.05) FILTER (NOT late),
            quantile_cont(leads, 0.95) FILTER (NOT late) FROM parted
        """,
    )
    return bool(weeks >= _WEEKS and low <= lately <= high)


def _label(connection: duckdb.DuckDBPyConnection, kind: str, label: str) -> Label:
    of = f"FROM facts SEMI JOIN came USING (lead_id) WHERE kind = '{kind}' AND {label} IS NOT NULL"
    values = connection.execute(
        f"""SELECT {label}, count(DISTINCT lead_id) AS leads {of}
        GROUP BY ALL ORDER BY leads DESC, {label} LIMIT {_VALUES + 1}"""
    ).fetchall()
    several, same = _row(
        connection,
        f"""SELECT count(*), coalesce(avg((words = 1)::INT), 0)
        FROM (SELECT count(*) AS events, count(DISTINCT {label}) AS words {of} GROUP BY lead_id) WHERE events > 1""",
    )
    fixed = len(values) > 1 and several >= _FEWEST and same >= _ONE_EACH
    return Label(tuple(values) if len(values) <= _VALUES else (), fixed=fixed)


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    return connection.execute(sql).fetchone() or ()


def _span(hours: float) -> str:
    """A delay in whole hours, or in whole days from one day on; never less."""
    if hours <= 0:
        return "0s"
    return f"{math.ceil(hours)}h" if hours <= _HOURS else f"{math.ceil(hours / _HOURS)}d"


def _zone(offset: str) -> str:
    """The place without summer time that keeps this offset of whole hours; its sign is turned round."""
    return f"Etc/GMT{-int(offset[:3]):+d}"
