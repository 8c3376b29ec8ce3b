"""The drafted features over events: how often, since when, how much, and what each value of a label says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from features.draft.columns import name_of
from features.draft.entries import SHORT, Entry
from features.draft.measure import Label, Measured
from features.draft.profile import ColumnProfile
from features.draft.queries import labels_of
from features.draft.roles import EventTable, Roles

_RARE = 0.01
_RECENT = 3
_KINDS = 3
"""Of a file with more kinds than these, the kinds say more than what their events are labelled."""


@dataclass(frozen=True)
class View:
    """What the entries are drafted by: what was measured, and the windows; and which names they have ``taken``."""

    measured: Measured
    windows: tuple[str, ...]
    taken: set[str] = field(default_factory=lambda: {"channel", "lead_age"})
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def main(self) -> tuple[str, ...]:
        """The windows that say most: the whole past, and a week or the longest that is shorter."""
        short = [window for window in self.windows if window in SHORT]
        return (*short[-1:], "all")

    def label(self, kind: str, label: str) -> Label:
        """What is known of a label of a kind."""
        return self.measured.labels.get((kind, label), Label())


@dataclass(frozen=True)
class Act:
    """One kind of event as the entries speak of it: ``value`` is its raw word, ``name`` begins theirs."""

    kind: str
    value: str
    name: str
    table: EventTable
    reach: int

    @property
    def of(self) -> tuple[str, ...]:
        """The lines that say which events an entry is over."""
        return (f'events = ["{self.kind}"]', f'group = "{self.kind}"')

    @property
    def labels(self) -> list[tuple[str, ColumnProfile]]:
        """The labels that its events fill in."""
        return [(label, column) for label, column in labels_of(self.table) if self.table.has(self.value, column)]


def acts_of(roles: Roles, outcomes: list[str], view: View) -> Iterator[Act]:
    """The kinds of event that are no outcome."""
    for table in roles.events:
        for value, kind in table.kinds.items():
            if kind not in outcomes:
                reach = view.measured.reach.get(kind, 0)
                yield Act(kind, value, name_of(kind, view.taken, "event"), table, reach)


def behaviour(act: Act, view: View) -> Iterator[Entry]:
    """Everything of one kind of event."""
    yield from _often(act, view)
    if act.table.amount:
        yield from _much(act, act.kind, act.name, act.table.amount, view)
    for measure in act.table.measures:
        if act.value in measure.kinds:
            name = name_of(f"{act.name}_{measure.name}", view.taken, "measure")
            yield from _much(act, measure.kinds[act.value], name, measure.column, view, place=3)
    for label, column in act.labels:
        if not view.label(act.kind, label).fixed:
            yield from _labelled(act, label, column, view)
            yield from _each_value(act, label, column, view)


def across(acts: list[Act], view: View) -> Iterator[Entry]:
    """How often, since when and how recently a lead did anything at all."""
    if len(acts) > 1:
        events = ", ".join(f'"{act.kind}"' for act in acts)
        name = name_of("activity", view.taken, "activity")
        parts = (f"events = [{events}]", f'group = "{name}"')
        yield from _counted(name, parts, ("全部行为", "anything done"), view, place=0, reach=view.measured.leads)


def _often(act: Act, view: View) -> Iterator[Entry]:
    yield from _counted(act.name, act.of, (act.value, act.value), view, place=1, reach=act.reach)


def _counted(
    name: str, of: tuple[str, ...], said: tuple[str, str], view: View, *, place: int, reach: int
) -> Iterator[Entry]:
    (zh, en), hours, later = said, (*of, 'unit = "hours"'), 3 * bool(place)
    words = (f"近{{window}}{zh}次数", f"{en} in {{window}}")
    yield Entry(name, "count", of, words, windows=view.windows, place=place, reach=reach)
    words = (f"近{{window}}{zh}天数", f"days with {en} in {{window}}")
    days = tuple(window for window in view.windows if window not in {"1d", "3d"})
    yield Entry(f"{name}_days", "active_days", of, words, windows=days, place=place + later, reach=reach)
    words = (f"距上次{zh}小时", f"hours since the last {en}")
    yield Entry(f"{name}_last", "last_age", hours, words, place=place, reach=reach)
    words = (f"距首次{zh}小时", f"hours since the first {en}")
    yield Entry(f"{name}_first", "first_age", hours, words, place=place + later, reach=reach)


def _much(act: Act, kind: str, name: str, column: ColumnProfile, view: View, *, place: int = 2) -> Iterator[Entry]:
    """Totals and the largest one of a number; the last one of the amount."""
    of, said, what = (f'events = ["{kind}"]', f'group = "{act.kind}"'), act.value, column.name
    words = (f"近{{window}}{said}{what}合计", f"{what} of {said} in {{window}}")
    yield Entry(f"{name}_sum", "sum", of, words, windows=view.windows, place=place, reach=act.reach)
    words = (f"近{{window}}{said}{what}最大值", f"largest {what} of {said} in {{window}}")
    yield Entry(f"{name}_max", "max", of, words, windows=view.main, place=place, reach=act.reach)
    if kind == act.kind:
        words = (f"最近{said}的{what}", f"{what} of the last {said}")
        last = (*of, 'of = "amount"')
        yield Entry(f"{name}_last_amount", "last_value", last, words, place=place + 1, reach=act.reach)


def _labelled(act: Act, label: str, column: ColumnProfile, view: View) -> Iterator[Entry]:
    name, of, said, what = f"{act.name}_{label}", (*act.of, f'of = "{label}"'), act.value, column.name
    words = (f"近{{window}}{said}不同{what}数", f"different {what} of {said} in {{window}}")
    yield Entry(name, "distinct", of, words, windows=view.main, place=4, reach=act.reach)
    words = (f"{said}最常{what}", f"most frequent {what} of {said}")
    yield Entry(f"{name}_top", "top", of, words, place=3, reach=act.reach)
    words = (f"最近{said}的{what}", f"{what} of the last {said}")
    yield Entry(f"{name}_last", "last_value", of, words, place=3, reach=act.reach)


def _each_value(act: Act, label: str, column: ColumnProfile, view: View) -> Iterator[Entry]:
    """How often each value of a label came that has a few, and how recently the commonest: more than the last says."""
    values = [each for each in view.label(act.kind, label).values if each[1] >= _RARE * view.measured.leads]
    early = 2 if len(act.table.kinds) <= _KINDS else 5
    for place, (word, reach) in enumerate(values):
        of = (*act.of, f"where = {{ {label} = [{json.dumps(word, ensure_ascii=False)}] }}")
        name = name_of(f"{act.kind} {label} {name_of(word, set(), f'v{place + 1}')}", view.taken, "value")
        words = (
            f"近{{window}}{act.value}中{column.name}为“{word}”的次数",
            f"{act.value} with {column.name} {word} in {{window}}",
        )
        yield Entry(name, "count", of, words, windows=view.main, place=early, reach=reach)
        if place < _RECENT:
            words = (
                f"距上次{act.value}{column.name}“{word}”小时",
                f"hours since the last {act.value} with {column.name} {word}",
            )
            age = name_of(f"{name}_last", view.taken, "value")
            yield Entry(age, "last_age", (*of, 'unit = "hours"'), words, place=early + 2, reach=reach)
