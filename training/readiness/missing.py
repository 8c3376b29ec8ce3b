"""Which features are missing most, among the rows to learn from and among the leads that are scored now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.catalogue import Catalogue, Column, target_columns
from features.facts import Tables
from features.relational import evaluate
from features.spine import open_leads, spine_file
from features.store import lead_table
from leadlight.schema import AS_OF, LEAD_ID, ROW_AS_OF, Micros
from leadlight.settings import Site, Target

Rows = Any
"""A table of Ibis, which training does not import."""
SHOWN = 10
MOST_OPEN = 20_000
"""Open leads looked at; of more, a share that their hashes choose."""
_HASH_DIGITS = 6


@dataclass(frozen=True)
class Missing:
    """A feature and the share of labelled rows, and of open leads, that lack it; ``None`` where there are none."""

    name: str
    rows: float | None
    open_leads: float | None

    def words(self) -> str:
        """The same in words."""
        shares = (
            f"{share:.0%} of {what}"
            for share, what in ((self.rows, "labelled rows"), (self.open_leads, "open leads"))
            if share is not None
        )
        return f"{self.name} ({', '.join(shares)})"


def missing(
    site: Site, catalogue: Catalogue, name: str, people: Tables, *, state: Path, as_of: Micros
) -> tuple[Missing, ...]:
    """The target's lead columns that some row or open lead lacks, the emptiest first.

    ``state`` is built, ``people`` are the facts of its history; open leads are looked at ``as_of``.
    """
    target = site.targets[name]
    used = {column.name for column in target_columns(catalogue, target.exclude)}
    columns = [column for column in catalogue.lead_columns if column.name in used]
    if not columns:
        return ()
    now = evaluate(catalogue, site, people, _some_open(target, people, as_of))
    return tuple(_emptiest(columns, _shares(_built_rows(people, name, state), columns), _shares(now, columns)))


def _built_rows(people: Tables, name: str, state: Path) -> Rows:
    """The feature rows of the target's mature moments, as the build left them."""
    backend = people.leads.get_backend()
    spine = backend.read_parquet(str(spine_file(state, name))).select(LEAD_ID, AS_OF)
    rows = backend.read_parquet(str(lead_table(state)))
    return rows.semi_join(spine, [rows[LEAD_ID] == spine[LEAD_ID], rows[ROW_AS_OF] == spine[AS_OF]])


def _some_open(target: Target, people: Tables, as_of: Micros) -> Rows:
    leads = open_leads(target, people, as_of=as_of).select(LEAD_ID, AS_OF)
    number = int(leads.count().to_pyarrow().as_py())
    if number <= MOST_OPEN:
        return leads
    last = f"{MOST_OPEN * 16**_HASH_DIGITS // number:0{_HASH_DIGITS}x}"
    return leads.filter(leads[LEAD_ID].hexdigest("md5").left(_HASH_DIGITS) < last)


def _shares(rows: Rows, columns: Iterable[Column]) -> dict[str, float | None]:
    """The share of ``rows`` that lack each column."""
    empty: dict[str, Any] = {column.name: rows[column.name].isnull().mean() for column in columns}
    found: dict[str, float | None] = rows.aggregate(**empty).to_pyarrow().to_pylist()[0]
    return found


def _emptiest(
    columns: Iterable[Column], rows: dict[str, float | None], now: dict[str, float | None]
) -> Iterator[Missing]:
    found = (Missing(column.name, rows[column.name], now[column.name]) for column in columns)
    lacking = (each for each in found if each.rows or each.open_leads)
    yield from sorted(lacking, key=lambda each: (-max(each.rows or 0.0, each.open_leads or 0.0), each.name))
