"""Whether a site's data can carry a model: leads, outcomes, maturity by month, channels, and what is too little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.build import Built
from features.catalogue import Catalogue
from features.history import Tables, open_history
from features.labels import CONVERTED, MATURE, judge
from features.people import as_people
from features.spine import training_spine
from leadlight.schema import AS_OF, CHANNEL, LABEL, LEAD_ID, Micros
from leadlight.settings import Site, Target
from training.dataset import local_months
from training.gate import FEWEST
from training.readiness.missing import SHOWN, Missing, missing
from training.readiness.promotion import Promotion, promotion

FEW_CONVERTED = 120
FEW_LEADS = 1_000
MONTHS_SHOWN = 24


@dataclass(frozen=True)
class Month:
    """The rows observed in one local month, those whose label is mature, and the positives among these."""

    month: str
    rows: int
    mature: int
    positives: int


@dataclass(frozen=True)
class Channel:
    """The leads with a mature row that came through one channel, and how many of them convert in some row."""

    channel: str
    leads: int
    converted: int


@dataclass(frozen=True)
class Evidence:
    """What one target can be learned from and judged by; without a test nothing is said of a promotion."""

    target: str
    rows: int
    positives: int
    leads: int
    converted: int
    months: tuple[Month, ...]
    channels: tuple[Channel, ...]
    warnings: tuple[str, ...]
    promotion: Promotion | None = None
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True)
class Readiness:
    """The report of ``leadlight check``."""

    leads: int
    events: int
    notes: tuple[str, ...]
    targets: tuple[Evidence, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as one object."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The same in words."""
        head = f"{self.leads:,} leads, {self.events:,} events; the raw data have no fault"
        notes = [f"note: {note}" for note in self.notes]
        return [head, *notes, *(line for evidence in self.targets for line in _lines(evidence))]


def readiness(site: Site, catalogue: Catalogue, built: Built, *, state: Path) -> Readiness:
    """The report on what was ``built`` into ``state``."""
    with open_history(state).reading() as tables:
        people = as_people(tables)
        found = {name: missing(site, catalogue, name, people, state=state, as_of=built.as_of) for name in site.targets}
        targets = tuple(_evidence(site, name, tables, built.data_end, found[name]) for name in site.targets)
    return Readiness(leads=built.leads, events=built.events, notes=built.notes, targets=targets)


def _evidence(site: Site, name: str, tables: Tables, end: Micros, lacking: tuple[Missing, ...]) -> Evidence:
    target = site.targets[name]
    observed = _observed(site, target, tables, end)
    mature = observed[observed[MATURE]]
    leads = mature.groupby(LEAD_ID).agg(**{CHANNEL: (CHANNEL, "first"), LABEL: (LABEL, "max")})
    converted = int(leads[LABEL].sum())
    return Evidence(
        target=name,
        rows=len(mature),
        positives=int(mature[LABEL].sum()),
        leads=len(leads),
        converted=converted,
        months=tuple(_months(observed)),
        channels=tuple(_channels(leads)),
        warnings=tuple(_warnings(len(leads), converted)),
        promotion=promotion(target, mature, offset=site.offset),
        missing=lacking,
    )


def _observed(site: Site, target: Target, tables: Tables, end: Micros) -> pd.DataFrame:
    """The target's rows of leads that had not converted yet, mature or not, with their month."""
    judged = judge(target, tables, training_spine(site, target, as_people(tables), end=end), end=end)
    rows: pd.DataFrame = judged.select(LEAD_ID, AS_OF, CHANNEL, LABEL, MATURE, CONVERTED).to_pandas()
    rows = rows[~rows[CONVERTED]]
    return rows.assign(month=local_months(rows[AS_OF].to_numpy(), site.offset))


def _months(observed: pd.DataFrame) -> Iterator[Month]:
    for month, rows in observed.groupby("month"):
        mature = rows[rows[MATURE]]
        yield Month(str(month), len(rows), len(mature), int(mature[LABEL].sum()))


def _channels(leads: pd.DataFrame) -> Iterator[Channel]:
    counts = leads.groupby(CHANNEL)[LABEL].agg(["size", "sum"]).sort_values("size", ascending=False, kind="stable")
    for channel, row in counts.iterrows():
        yield Channel(str(channel), int(row["size"]), int(row["sum"]))


def _warnings(leads: int, converted: int) -> Iterator[str]:
    if converted == 0:
        yield "no lead converts: look at the target's outcome kinds, at the horizon, and at sources/events.sql"
    if min(converted, leads - converted) < FEWEST:
        yield (
            f"{converted} leads converted and {leads - converted} did not: under {FEWEST} of either the gate will say"
            " not enough evidence"
        )
    elif converted < FEW_CONVERTED or leads < FEW_LEADS:
        yield (
            f"{converted} converted of {leads} leads is little: with under {FEW_CONVERTED} converted or {FEW_LEADS:,}"
            " leads a model may well prove nothing"
        )


def _lines(evidence: Evidence) -> Iterator[str]:
    yield f"target {evidence.target}: {evidence.leads:,} leads with a mature label, {evidence.converted:,} convert"
    yield f"  {evidence.rows:,} rows, {evidence.positives:,} positive"
    hidden = len(evidence.months) - MONTHS_SHOWN
    if hidden > 0:
        yield f"  ({hidden} earlier months: see --json)"
    for month in evidence.months[-MONTHS_SHOWN:]:
        rate = f", {month.positives / month.mature:.2%} positive" if month.mature else ""
        yield f"  {month.month}: {month.rows:,} rows, {month.mature:,} mature{rate}"
    for channel in evidence.channels:
        share = channel.converted / channel.leads
        yield f"  channel {channel.channel}: {channel.leads:,} leads, {channel.converted:,} convert ({share:.1%})"
    if evidence.promotion is not None:
        yield from evidence.promotion.lines()
    if evidence.missing:
        yield f"  missing most: {', '.join(each.words() for each in evidence.missing[:SHOWN])}"
    yield from (f"  warning: {warning}" for warning in evidence.warnings)
