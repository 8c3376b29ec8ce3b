"""What the drafted queries return, as far as the settings need it: how often leads buy, and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

_HORIZONS = (7, 14, 30, 60, 90, 180, 365)
_MOST = 0.8
_LIFT = 1.5
_FEWEST = 20


@dataclass(frozen=True)
class Measured:
    """A horizon in days and a precision to begin with; ``delays`` and ``rate`` are the comments that say why."""

    horizon: int = 30
    delays: str = ""
    precision: float = 0.2
    rate: str = ""


def measure(leads_sql: str, events_sql: str, outcomes: list[str], data: Path) -> Measured:
    """The least usual horizon that holds four in five first outcomes, and half as much again as the share of buyers."""
    folder = str(data).replace("'", "''")
    leads, events = (sql.replace("{data}", folder) for sql in (leads_sql, events_sql))
    won = ", ".join("'" + outcome.replace("'", "''") + "'" for outcome in outcomes)
    query = f"""
        WITH came AS (SELECT lead_id, min(created_at)::TIMESTAMP AS created FROM ({leads}) GROUP BY lead_id),
        won AS (SELECT lead_id, min("at")::TIMESTAMP AS first FROM ({events}) WHERE kind IN ({won}) GROUP BY lead_id)
        SELECT count(*), count(first), quantile_cont(epoch(first - created) / 86400, {_MOST})
        FROM came LEFT JOIN won USING (lead_id)
    """
    with duckdb.connect() as connection:
        every, bought, days = connection.execute(query).fetchone() or (0, 0, None)
    if bought < _FEWEST or days is None:
        return Measured()
    horizon = next((each for each in _HORIZONS if each >= days), _HORIZONS[-1])
    precision = max(min(round(_LIFT * bought / every, 2), 0.5), 0.01)
    return Measured(
        horizon,
        f"; four in five of the leads that buy do within {days:.1f} days of their creation",
        precision,
        f"; {bought / every:.1%} of all leads do",
    )
