"""Columns of the leads that say again what the outcome says, judged by how they go with it in the raw rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import duckdb

from features.draft.profile import ColumnProfile, TableProfile, quoted

_FEWEST = 20
_HARDLY = 0.02
_OFTEN = 0.05
_DECIDES = 0.9
_ONLY = 0.95
_GOOD_PART = 0.2
_BINS = 50
_PRIOR = 5
_USUAL_AT_MOST = 0.6


def restating(leads: TableProfile, won: str, spoken: Iterable[str], data: Path) -> dict[str, str]:
    """Why each column knows the outcome: filled in for the won alone, or its values tell them apart.

    Values are judged on one half of the rows by what the other half became, so that luck does not count. No honest
    column of real lead data came near an AUC of 0.9 by itself; none had values that only the won hold either.
    """
    if not won:
        return {}
    with duckdb.connect() as connection:
        marks = f"hash(row_number() OVER ()) % 2 AS half_of_rows, coalesce({won}, false) AS was_won"
        rows = f"SELECT {marks}, * FROM {leads.scan}"
        folder = str(data).replace("'", "''")
        connection.execute("CREATE TEMP TABLE lead AS " + rows.replace("{data}", folder))
        silent = set(spoken)
        columns = [column for column in leads.columns if column.name not in silent and column.distinct > 1]
        settled = _settling(connection, columns)
        told = {c.name: why for c in columns if c.name not in settled and (why := _restates(connection, c))}
    return {**settled, **told}


def _settling(connection: duckdb.DuckDBPyConnection, columns: list[ColumnProfile]) -> dict[str, str]:
    """The columns that are filled in for hardly any but the leads that were won, or for none of them."""
    counts = "".join(
        f", count({name}) FILTER (was_won), count({name}) FILTER (NOT was_won)"
        for name in (quoted(column.name) for column in columns)
    )
    row = connection.execute(f"SELECT count(*) FILTER (was_won), count(*){counts} FROM lead").fetchall()[0]
    wins, every, *filled = (int(each) for each in row)
    found: dict[str, str] = {}
    for place, column in enumerate(columns):
        of_won, of_others = filled[2 * place], filled[2 * place + 1]
        if of_won >= _FEWEST and of_others <= _HARDLY * of_won:
            found[column.name] = "filled in only for leads that were won"
        elif wins >= _FEWEST and of_won == 0 and of_others >= _OFTEN * (every - wins):
            found[column.name] = "filled in only for leads that were not won"
    return found


def _restates(connection: duckdb.DuckDBPyConnection, column: ColumnProfile) -> str:
    name = column.number or quoted(column.name)
    many = (column.is_number or column.number) and column.distinct > _BINS
    level = f"ntile({_BINS}) OVER (ORDER BY {name} NULLS FIRST)" if many else name
    rows = connection.execute(
        f"SELECT level::VARCHAR, half_of_rows, count(*), count(*) FILTER (was_won)"
        f" FROM (SELECT {level} AS level, half_of_rows, was_won FROM lead) GROUP BY ALL"
    ).fetchall()
    learned: dict[str | None, tuple[int, int]] = defaultdict(lambda: (0, 0))
    judged: dict[str | None, tuple[int, int]] = {}
    for each, half, number, wins in rows:
        (judged if half else learned)[each] = (number, wins)
    every, bought = (sum(part) for part in zip(*judged.values(), strict=True))
    if min(bought, every - bought) < _FEWEST // 2:
        return ""
    usual = bought / every
    only = [
        each
        for each, (number, wins) in learned.items()
        if each is not None and number >= _FEWEST // 2 and wins >= _ONLY * number and each in judged
    ]
    number, wins = (sum(judged[each][place] for each in only) for place in (0, 1))
    if usual <= _USUAL_AT_MOST and wins >= _GOOD_PART * bought and wins >= _ONLY * number:
        shown = ", ".join(sorted(map(repr, map(str, only)))[:3]) if not many else "some of its values"
        return f"says the outcome again: {shown} stand for hardly any but leads that were won ({wins} of {number})"
    rate = {each: (learned[each][1] + _PRIOR * usual) / (learned[each][0] + _PRIOR) for each in judged}
    auc = _auc([(rate[each], won, number - won) for each, (number, won) in judged.items()])
    return (
        f"nearly decides the outcome by itself (AUC {auc:.2f}): written with it or after it?" if auc > _DECIDES else ""
    )


def _auc(levels: list[tuple[float, int, int]]) -> float:
    """The ROC-AUC of levels by score, with how many won and others each holds; ties count half."""
    by_score: dict[float, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for score, won, other in levels:
        by_score[score] = (by_score[score][0] + won, by_score[score][1] + other)
    below, area = 0, 0.0
    for score in sorted(by_score):
        won, other = by_score[score]
        area += won * (below + other / 2)
        below += other
    return area / max(sum(won for _, won, _ in levels) * below, 1)
