"""What a check reports, and how the rows that break a rule are counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import ibis

from features.canonical import RAW
from leadlight.settings import SiteError

EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """Something about a raw table: how many rows it concerns (0: the table itself), the commonest cases, what to do."""

    table: str
    problem: str
    advice: str
    rows: int = 0
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'} " if self.rows else ""
        examples = f"; for example {'; '.join(self.examples)}" if self.examples else ""
        return f"{self.table}: {rows}{self.problem}: {self.advice}{examples}"


@dataclass(frozen=True)
class Inspection:
    """All that was found: faults stop every command, notes are good to know."""

    faults: tuple[Finding, ...]
    notes: tuple[Finding, ...]

    def require_sound(self) -> None:
        """Raise all faults as one ``SiteError``."""
        if self.faults:
            raise SiteError([str(fault) for fault in self.faults])


@dataclass(frozen=True)
class Rule:
    """Rows for which ``broken`` holds are a fault; ``show`` names the columns that an example consists of."""

    broken: ibis.Value
    problem: str
    advice: str
    show: tuple[str, ...]

    @property
    def columns(self) -> set[str]:
        """The raw columns this rule looks at."""
        return {column.removeprefix(RAW) for column in self.show}


def broken_rules(table: str, rows: ibis.Table, rules: Iterable[Rule]) -> Iterator[Finding]:
    """A finding for each of ``rules`` that some of ``rows`` break."""
    for rule in rules:
        broken = rows.filter(rule.broken)
        count = count_rows(broken)
        if count:
            yield Finding(table, rule.problem, rule.advice, count, _examples(broken, rule.show))


def count_rows(rows: ibis.Table) -> int:
    """How many ``rows`` there are."""
    return int(rows.count().to_pyarrow().as_py())


def _examples(rows: ibis.Table, show: tuple[str, ...]) -> tuple[str, ...]:
    """The commonest cases, then the first by their values: the same for the same rows."""
    cases = rows.group_by(list(show)).agg(times=lambda case: case.count())
    first = cases.order_by([ibis.desc("times"), *show]).limit(EXAMPLES).to_pyarrow().to_pylist()
    return tuple(_in_words({column: case[column] for column in show}, case["times"]) for case in first)


def _in_words(case: dict[str, object], times: int) -> str:
    words = ", ".join(f"{column.removeprefix(RAW)} {_shown(value)}" for column, value in case.items())
    return f"{words} ({times:,} times)" if times > 1 else words


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value)
