"""What was told of leads, column by column: values and, where they have one, the moments they were known from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

from features.facts import MEMBER, Tables
from leadlight.schema import ARRIVED_AT, AT, KIND, LEAD_ID, UNTIL
from leadlight.settings import Site
from training.audit.asked import Asked
from training.audit.ranking import Moments
from training.audit.report import HISTORY

LEAD = "lead"
VALUE = "value"
KNOWN = "known"


@dataclass(frozen=True, eq=False)
class Told:
    """One column: ``rows`` has ``lead`` (the place of one asked), ``value`` and ``known`` (µs), earliest first.

    Values are float64 or text and never missing. Without ``dated`` nothing says since when a value was known;
    ``moment``: the values are moments themselves.
    """

    name: str
    source: str
    rows: pd.DataFrame
    leads: int
    dated: bool
    moment: bool = False

    @classmethod
    def of(cls, name: str, source: str, rows: pd.DataFrame, asked: Asked, *, moment: bool = False) -> Told:
        """``rows`` has ``lead_id``, ``value`` and, if dated, ``known``; those of other leads and without value go."""
        places = pd.Series(range(len(asked.lead_id)), index=asked.lead_id)
        own = rows.assign(lead=rows[LEAD_ID].map(places)).dropna(subset=[LEAD, VALUE])
        own = own.assign(lead=own[LEAD].astype("int64"))
        dated = KNOWN in rows
        kept = own[[LEAD, VALUE, *([KNOWN] if dated else [])]]
        return cls(
            name,
            source,
            kept.sort_values(KNOWN, kind="stable") if dated else kept,
            leads=len(asked.lead_id),
            dated=dated,
            moment=moment,
        )

    @cached_property
    def end(self) -> pd.Series[Any]:
        """Each lead's last value, whenever it came."""
        return self._whole(self.rows.groupby(LEAD)[VALUE].last())

    def at(self, moments: Moments) -> pd.Series[Any]:
        """Each lead's last value known by its moment."""
        until = self.rows[KNOWN].to_numpy() <= moments[self.rows[LEAD].to_numpy()]
        return self._whole(self.rows[until].groupby(LEAD)[VALUE].last())

    def first_known(self) -> pd.Series[Any]:
        """When each lead's first value was known."""
        return self._whole(self.rows.groupby(LEAD)[KNOWN].first())

    def _whole(self, values: pd.Series[Any]) -> pd.Series[Any]:
        whole = values.reindex(range(self.leads))
        return whole.where(whole.notna(), None) if whole.dtype == object else whole


def told_by_history(site: Site, people: Tables, asked: Asked) -> Iterator[Told]:
    """Every attribute as ``leads.NAME`` and every label of every kind as ``KIND.LABEL``, known when they arrived."""
    backend = people.leads.get_backend()
    wanted = backend.create_table("audited_leads", pa.table({LEAD_ID: pa.array(asked.lead_id, pa.string())}))
    versions = _known(people.attributes.semi_join(wanted, LEAD_ID).to_pandas())
    for name in versions.columns.difference([LEAD_ID, AT, ARRIVED_AT, UNTIL, MEMBER, KNOWN], sort=False):
        yield Told.of(f"leads.{name}", HISTORY, _column(versions, name), asked)
    labels = [*site.labels]
    events = people.events.semi_join(wanted, LEAD_ID).select(LEAD_ID, KIND, AT, ARRIVED_AT, *labels)
    events = events.filter(events[KIND].isin([kind for kind, has in site.kinds.items() if has.labels]))
    rows = _known(events.to_pandas())
    for kind, declared in site.kinds.items():
        for label in declared.labels:
            yield Told.of(f"{kind}.{label}", HISTORY, _column(rows[rows[KIND] == kind], label), asked)
    backend.drop_table("audited_leads")


def _known(rows: pd.DataFrame) -> pd.DataFrame:
    """A fact counts a microsecond after it happened, and once it has arrived."""
    return rows.assign(known=(rows[AT] + 1).clip(lower=rows[ARRIVED_AT]))


def _column(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return rows[[LEAD_ID, name, KNOWN]].rename(columns={name: VALUE})
