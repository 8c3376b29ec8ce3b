"""What counts as success: the candidates that columns and events offer, and which one is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from features.draft.columns import is_state, literal, query, spaced, values_of
from features.draft.profile import ColumnProfile, TableProfile, quoted
from features.draft.roles import EventTable
from features.draft.tables import KINDS_AT_MOST
from leadlight.settings import SiteError

WON = "converted"
"""The kind of an outcome that is no kind of event in the files."""
_STRONG = re.compile(
    r"\b(purchas\w*|bought|paid|convert\w*|conversions?|won|deals?|subscri\w*|enrol\w*|sales?|signed"
    r"|contract(ed| signed)|payments?|orders?|checkout complete\w*)\b"
    r"|成交|订单|付款|支付|缴费|购买|转化|签约|报名|付费|下单|首单|续费"
)
_WEAK = re.compile(
    r"^(y|class)$|\b(label|target|success\w*|complete\w*|respon[ds]\w*|result|outcome|positive|accept\w*|donat\w*|yes|true)\b|成功|完成|是否"
)
_UNDONE = re.compile(
    r"refund|cancel|fail|error|\bbug|lost|unpaid|unsubscri|unconvert|pending|void|declin|reject|abandon|\bnot?\b|negative"
    r"|退|取消|失败|关闭|未|待|错误|无效|流失"
)
_AROUND = re.compile(
    r"\b(page|view\w*|click\w*|details?|info|form|begin|start\w*|history|list|methods?|ids?|no|number|probability)\b"
)
_OF_SALES = re.compile(r"activit|\bcalls?\b|\breps?\b|team|visits?|tasks?|notes?|\bsms\b|mail")
_TRUE = {"1", "true", "yes", "y", "t", "won", "converted", "positive", "success", "accepted", "是"}
_FALSE = {"0", "false", "no", "n", "f", "lost", "negative", "failed", "否"}
_FEW, _MOST = 0.003, 0.6
"""Hardly any lead, and nearly all leads: no question for a model, if there is another."""


@dataclass(frozen=True)
class Candidate:
    """One reading of success: how ``--outcome`` names it, whose it is, and which leads were won by it.

    ``won`` is a condition over the rows of the leads. It is a column of theirs, dated by ``at`` or not, or the events
    of one file: some of their ``kinds``, or those that are new with it.
    """

    said: str
    source: str
    won: str
    strength: int
    dated: bool
    column: ColumnProfile | None = None
    at: ColumnProfile | None = None
    table: EventTable | None = None
    kinds: tuple[str, ...] = ()
    event: EventTable | None = None
    share: float = 0.0

    @property
    def words(self) -> str:
        """The candidate for people."""
        dated = "" if self.dated else ", undated"
        return f"{self.said} of {self.source} ({self.share:.1%} of the leads{dated})"


def strength(text: str) -> int:
    """How surely a column, value or kind is called like a success: 2 by a word of conversion, 1 by another, 0 not."""
    words = spaced(text)
    if _UNDONE.search(words):
        return 0
    if _STRONG.search(words):
        return 1 if _AROUND.search(words) else 2
    return int(bool(_WEAK.search(words)))


def choose(
    leads: TableProfile, key: ColumnProfile, tables: tuple[EventTable, ...], data: Path, asked: str | None
) -> tuple[Candidate | None, tuple[str, ...]]:
    """The outcome to draft, the one ``asked`` for or the likeliest, and what to tell of the choice."""
    seen = _measured(list(_candidates(leads, key, tables, data)), leads, data)
    seen.sort(key=lambda each: (_FEW <= each.share <= _MOST, each.strength, each.dated), reverse=True)
    if asked is not None:
        taken = _asked(asked, leads, key, tables, data, seen)
        others = [each for each in seen if each.won != taken.won]
    elif seen:
        taken, *others = seen
    else:
        named = "; ".join(_choices(leads, tables, data)) or "none"
        return None, (f"outcome: none was found; name it with --outcome WHAT; to choose from: {named}",)
    words = [f"outcome: {taken.words}"]
    if others:
        words.append("other outcomes seen: " + "; ".join(each.words for each in others))
    if asked is None:
        words.append("another outcome: --outcome WHAT, where WHAT is a column, COLUMN=VALUE or a kind of event")
    return taken, tuple(words)


def _measured(found: list[Candidate], leads: TableProfile, data: Path) -> list[Candidate]:
    if not found:
        return []
    counts = ", ".join(f"count(*) FILTER (coalesce({each.won}, false))" for each in found)
    row = query(f"SELECT {counts} FROM {leads.scan}", data)[0]
    shares = [int(count) / max(leads.rows, 1) for count in row]
    return [replace(each, share=share) for each, share in zip(found, shares, strict=True) if share]


def _candidates(
    leads: TableProfile, key: ColumnProfile, tables: tuple[EventTable, ...], data: Path
) -> Iterator[Candidate]:
    """By how much they are worth where all else is equal: events, moments of the leads, states, flags."""
    others = [c for c in leads.columns if c is not key]
    ended = {table.table.name for table in tables if table.part}
    for table in tables:
        yield from _of_kinds(table, key, 0 if table.kind is None and table.table.name in ended else _by_name(table))
    yield from (_moment(leads, c) for c in others if c.is_moment and c.filled < leads.rows and strength(c.name))
    for table in tables:
        least = 1 if _by_name(table) > 1 else 2
        for column in (c for c in table.labels if is_state(c) and c.distinct <= KINDS_AT_MOST):
            values = values_of(table.table, column, data)
            yield from (_of_label(table, key, column, value) for value in values if strength(value) >= least)
    for column in (c for c in others if not c.is_moment and 1 < c.distinct <= KINDS_AT_MOST):
        if strength(column.name) or is_state(column):
            yield from (_flag(leads, column, value) for value in _truths(column, values_of(leads, column, data)))


def _by_name(table: EventTable) -> int:
    return 0 if _OF_SALES.search(spaced(table.table.name)) else strength(table.table.name)


def _of_kinds(table: EventTable, key: ColumnProfile, by_name: int) -> Iterator[Candidate]:
    """Kinds by their words, or all of a file called like success; rows whose end is told by a state are none yet."""
    called = {value: strength(value) if table.kind else by_name for value in table.kinds}
    for level in (2, 1):
        values = [value for value, each in called.items() if each == level]
        if values:
            yield _kinds(table, key, values, level)
    if by_name > 1 and table.kind and not any(called.values()):
        done = [value for value in table.kinds if not _UNDONE.search(spaced(value))]
        if done:
            yield _kinds(table, key, done, 1)


def _kinds(table: EventTable, key: ColumnProfile, values: list[str], level: int) -> Candidate:
    among = f"{quoted(table.kind.name)}::VARCHAR IN ({', '.join(map(literal, values))})" if table.kind else "true"
    kinds = tuple(table.kinds[value] for value in values)
    said = ", ".join(values)
    return Candidate(
        said, table.table.name, _leads_with(table, key, among), level, dated=True, table=table, kinds=kinds
    )


def _leads_with(table: EventTable, key: ColumnProfile, condition: str) -> str:
    named = quoted((table.via or key).name)
    told = f"{quoted(table.at.name)} IS NOT NULL"
    rows = f"SELECT {quoted(table.lead.name)}::VARCHAR FROM {table.table.scan} WHERE {told} AND ({condition})"
    return f"{named}::VARCHAR IN ({rows})"


def _moment(leads: TableProfile, column: ColumnProfile) -> Candidate:
    won = f"{quoted(column.name)} IS NOT NULL"
    return Candidate(column.name, leads.name, won, strength(column.name), dated=True, column=column, at=column)


def _of_label(table: EventTable, key: ColumnProfile, column: ColumnProfile, value: str) -> Candidate:
    return _of_rows(table, key, f"{column.name}={value}", f"{quoted(column.name)}::VARCHAR = {literal(value)}", 2)


def _of_rows(table: EventTable, key: ColumnProfile, said: str, condition: str, level: int) -> Candidate:
    """The rows of a file for which a condition holds, as events that are new with it."""
    event = replace(table, kind=None, kinds={said: WON}, labels=(), told={}, won=(WON,), part="won", where=condition)
    won = _leads_with(table, key, condition)
    return Candidate(said, table.table.name, won, level, dated=True, table=table, event=event)


def _truths(column: ColumnProfile, values: list[str]) -> list[str]:
    """The values of a column of the leads that say that a lead was won: of yes and no the one, else by their words."""
    lower = {value.lower(): value for value in values}
    true = [lower[word] for word in lower.keys() & _TRUE]
    if len(true) == 1 and (lower.keys() & _FALSE or len(values) > 2) and strength(column.name):  # noqa: PLR2004
        return true
    return [value for value in values if strength(value) > 1] if not column.is_number else []


def _flag(leads: TableProfile, column: ColumnProfile, value: str) -> Candidate:
    won = f"{quoted(column.name)}::VARCHAR = {literal(value)}"
    level = max(strength(column.name), strength(value))
    return Candidate(f"{column.name}={value}", leads.name, won, level, dated=False, column=column)


def _asked(  # noqa: PLR0917 - where to look
    asked: str,
    leads: TableProfile,
    key: ColumnProfile,
    tables: tuple[EventTable, ...],
    data: Path,
    seen: list[Candidate],
) -> Candidate:
    """The outcome that a person named; a ``SiteError`` with what there is, where nothing is called so."""
    name, given, value = (part.strip() for part in asked.partition("="))
    found = list(_named(name, value if given else None, leads, key, tables, data))
    for each in _measured(found, leads, data):
        return each
    why = "no lead has it" if found else "no column, value or kind of event is called so, or it has several values"
    choices = list(dict.fromkeys([*(each.said for each in seen), *_choices(leads, tables, data)]))
    raise SiteError([f"--outcome {asked}: {why}; to choose from: {'; '.join(choices) or 'nothing'}"])


def _named(  # noqa: PLR0917 - where to look
    name: str, value: str | None, leads: TableProfile, key: ColumnProfile, tables: tuple[EventTable, ...], data: Path
) -> Iterator[Candidate]:
    for table in tables if value is None else ():
        values = [raw for raw, kind in table.kinds.items() if name in {raw, kind}]
        values = values or (list(table.kinds) if name == table.table.name and not table.part else [])
        if values:
            yield _kinds(table, key, values, 2)
    for column in (c for c in leads.columns if c.name.lower() == name.lower()):
        yield from _of_column(leads, column, value, data)
    for table in reversed(tables):  # of a row's states, the moment at which it came to them
        for column in (c for c in table.table.columns if c.name.lower() == name.lower()):
            if value is not None:
                yield _of_label(table, key, column, value)
            elif column.is_moment:
                yield _of_rows(replace(table, at=column), key, name, f"{quoted(column.name)} IS NOT NULL", 2)
            elif column.is_number:
                yield _of_rows(table, key, name, f"{quoted(column.name)} > 0", 2)


def _of_column(leads: TableProfile, column: ColumnProfile, value: str | None, data: Path) -> Iterator[Candidate]:
    if value is not None:
        yield _flag(leads, column, value)
    elif column.is_moment:
        yield _moment(leads, column)
    elif column.is_number:
        won = f"{quoted(column.name)} > 0"
        yield Candidate(column.name, leads.name, won, 2, dated=False, column=column)
    else:
        values = {each.lower(): each for each in values_of(leads, column, data)}
        yield from (_flag(leads, column, values[word]) for word in values if word in _TRUE)


def _choices(leads: TableProfile, tables: tuple[EventTable, ...], data: Path) -> Iterator[str]:
    """What can be named as an outcome: yes-or-no columns, states, and kinds of event."""
    for column in (c for c in leads.columns if not c.is_moment):
        if column.distinct == len(("yes", "no")) or (is_state(column) and column.distinct <= KINDS_AT_MOST):
            yield from (f"{column.name}={value}" for value in values_of(leads, column, data))
    for table in tables:
        yield from table.kinds
