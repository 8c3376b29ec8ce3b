"""What the rows know of a lead itself: the newest known version of its attributes, and its age."""

from __future__ import annotations

import ibis

from features.catalogue import UNITS, Attribute, Catalogue, LeadAge
from features.facts import MEMBER
from features.relational.rows import KEYS, beside, changing_at, floor_div, tick
from leadlight.schema import ARRIVED_AT, AS_OF, AT, CREATED_AT, FOREVER, LEAD_ID, UNTIL
from leadlight.settings import SiteError

_ENTERS = "_enters"
_GONE = "_gone"
_RANK = "_rank"
_CREATED = "_created"


def with_attributes(rows: ibis.Table, moments: ibis.Table, catalogue: Catalogue, versions: ibis.Table) -> ibis.Table:
    """``rows`` with the attribute columns: null before the first version, and where the newest known one is null."""
    entries = [entry for entry in catalogue.feature if isinstance(entry, Attribute)]
    if not entries:
        return rows
    _check(entries, versions)
    visible = versions.mutate(
        **{
            _ENTERS: ibis.greatest(versions[AT] + 1, versions[ARRIVED_AT]),
            _GONE: versions[UNTIL].fill_null(FOREVER),
        }
    )
    visible = visible.filter(visible[_ENTERS] < visible[_GONE])
    rows = beside(rows, _newest(entries, moments, visible))
    pending = moments.join(visible, [LEAD_ID, visible[_ENTERS] > moments[AS_OF]])
    rows = beside(rows, pending.group_by(KEYS).aggregate(**{_ENTERS: pending[_ENTERS].min()}))
    return changing_at(rows, rows[_GONE], rows[_ENTERS]).drop(_GONE, _ENTERS)


def with_ages(rows: ibis.Table, catalogue: Catalogue, leads: ibis.Table) -> ibis.Table:
    """``rows`` with the ages of the leads: null up to and at the moment of creation."""
    entries = [entry for entry in catalogue.feature if isinstance(entry, LeadAge)]
    if not entries:
        return rows
    rows = rows.left_join(leads.select(LEAD_ID, **{_CREATED: leads[CREATED_AT]}), LEAD_ID).drop(f"{LEAD_ID}_right")
    created, as_of = rows[_CREATED], rows[AS_OF]
    for entry in entries:
        unit = UNITS[entry.unit]
        age = ibis.cases((created < as_of, floor_div(as_of - created, unit)), else_=None)
        rows = rows.mutate(**{entry.name: age})
        rows = changing_at(rows, ibis.cases((created < as_of, tick(created, unit, as_of)), else_=created + 1))
    return rows.drop(_CREATED)


def _check(entries: list[Attribute], versions: ibis.Table) -> None:
    types = versions.schema()
    faults = []
    for entry in entries:
        wanted = "string" if entry.type == "text" else "float64"
        if entry.column not in types:
            faults.append(
                f"feature {entry.name!r} reads attribute {entry.column!r}, which the leads do not have: "
                f"return it from sources/leads.sql, or drop the feature"
            )
        elif str(types[entry.column].copy(nullable=True)) != wanted:
            faults.append(
                f"feature {entry.name!r} reads attribute {entry.column!r} as {entry.type}, but it is "
                f"{types[entry.column]}: write type = {'number' if entry.type == 'text' else 'text'!r}, or cast it in "
                "sources/leads.sql"
            )
    if faults:
        raise SiteError(faults)


def _newest(entries: list[Attribute], moments: ibis.Table, visible: ibis.Table) -> ibis.Table:
    """The values of the newest known version, and when the first of the known ones is gone."""
    known = moments.join(visible, [LEAD_ID, visible[_ENTERS] <= moments[AS_OF], moments[AS_OF] < visible[_GONE]])
    order = [known[column].desc() for column in (AT, ARRIVED_AT, MEMBER) if column in known.columns]
    newest_first = ibis.row_number().over(group_by=KEYS, order_by=order)
    gone = known[_GONE].min().over(group_by=KEYS)
    newest = known.mutate(**{_RANK: newest_first, _GONE: gone}).filter(lambda ranked: ranked[_RANK] == 0)
    return newest.select(*KEYS, _GONE, **{entry.name: _value(newest[entry.column], entry) for entry in entries})


def _value(cell: ibis.Value, entry: Attribute) -> ibis.Value:
    return cell if entry.type == "text" else ibis.cases((~cell.isnan(), cell), else_=None)
