"""A file of facts taken into the log, batch by batch: good rows are kept, the others told with what is wrong."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from features.arrivals import Admission, Wrong
from features.facts import LeadFacts
from features.history import History
from features.identity import identity_key
from features.ingest.files import FileRow, Refusal, read_rows
from features.ingest.known import known_leads
from features.ingest.rows import Reader, is_event, lead_of
from features.log import Log, NewEvent, NewVersion, Refused, happened
from features.past import Past
from leadlight.schema import ARRIVED_AT, AT, CHANNEL, LEAD_ID, UNTIL, Micros
from leadlight.settings import Site

AT_ONCE = 1_000


@dataclass
class Taken:
    """What became of a file's rows: how many were added, unchanged or corrections, and the refused ones.

    ``overruled`` of the unchanged ones say of a lead what held once and was overruled since.
    """

    rows: int = 0
    results: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    overruled: int = 0

    def lines(self) -> list[str]:
        """The same in words."""
        counts = ", ".join(f"{self.results[name]:,} {name}" for name in ("added", "unchanged", "corrected"))
        rows = len({each.number for each in self.refused})
        lines = [f"{self.rows:,} rows: {counts}, {rows:,} refused"]
        if self.overruled:
            words = "of the unchanged say what held before and was overruled since; one that holds again needs its at"
            lines.append(f"{self.overruled:,} {words}")
        lost = self.rows - self.results.total() - rows
        if lost:
            lines.append(f"it ended early: {lost:,} of these rows, and all after them, were not taken in")
        return lines


def ingest(
    path: Path,
    site: Site,
    base: History,
    log: Log,
    *,
    state: Path,
    wall: Callable[[], Micros],
    taken: Taken | None = None,
) -> Taken:
    """Take the rows of ``path`` into ``log``: events if they have a kind, else leads as they now stand.

    Each batch arrives when it is taken. Rows that the log has already change nothing, so a file may be sent again,
    whole or mended. ``taken`` is kept up as the batches are taken in, for whoever wants to know where it stopped.
    """
    past = Past(base, log, site.identity)
    taken = Taken() if taken is None else taken
    types = attribute_types(base)
    key = identity_key(site, state, os.environ)
    rows = read_rows(path, site)
    while read := list(islice(rows, AT_ONCE)):
        batch = [row for row in read if isinstance(row, FileRow)]
        past.reached(past.news(())[0])
        known = past.records({lead_of(row) for row in batch} - {""})
        versioned = {lead_of(row) for row in batch if not is_event(row)}
        reader = Reader(
            site=site,
            admission=Admission(site, types, latest=max(wall(), past.newest_fact + 1)),
            known=known_leads(past, log, {lead_id: known[lead_id] for lead_id in versioned & known.keys()}),
            key=key,
        )
        taken.rows += len(read)
        taken.refused += (row for row in read if isinstance(row, Refusal))
        _take(batch, reader, log, past.recorded(known), taken, now=lambda: past.now(site, wall=wall()))
    return taken


def attribute_types(base: History) -> dict[str, str]:
    """The attribute columns of a history: ``text`` or ``number``."""
    with base.reading() as tables:
        schema = tables.attributes.schema()
    fixed = {LEAD_ID, AT, ARRIVED_AT, UNTIL, CHANNEL}
    return {name: "text" if kind.is_string() else "number" for name, kind in schema.items() if name not in fixed}


def _take(
    batch: Iterable[FileRow],
    reader: Reader,
    log: Log,
    base: Mapping[str, LeadFacts],
    taken: Taken,
    *,
    now: Callable[[], Micros],
) -> None:
    """Append what can be read; what the log refuses is told, and the rest appended without it."""
    numbered: list[tuple[int, NewEvent | NewVersion]] = []
    for row in batch:
        fact = reader.fact(row)
        if isinstance(fact, list):
            taken.refused += fact
        elif isinstance(fact, str):
            taken.results["unchanged"] += 1
            taken.overruled += fact == "stood"
        else:
            numbered.append((row.number, fact))
    while numbered:
        facts = [fact for _, fact in numbered]
        moment = max(map(happened, facts)) if reader.site.clock.at == "last_fact" else 0  # that moves it
        try:
            taken.results.update(log.append(facts, now=partial(_latest, now, moment), base=base).results)
        except Refused as refused:
            taken.refused += _refusals(numbered, refused)
            wrong = {place for place, _ in refused.by_fact}
            numbered = [each for place, each in enumerate(numbered) if place not in wrong]
        else:
            return


def _latest(now: Callable[[], Micros], moment: Micros) -> Micros:
    return max(now(), moment)


def _refusals(numbered: Sequence[tuple[int, NewEvent | NewVersion]], refused: Refused) -> Iterator[Refusal]:
    for place, words in refused.by_fact:
        number, fact = numbered[place]
        yield Refusal(number, _wrong(words), fact.lead_id)


def _wrong(words: str) -> Wrong:
    """What the log says of a fact, as field, what came and what is allowed."""
    name, _, rest = words.partition(": ")
    came, _, allowed = rest.partition(": ")
    return Wrong(name, came, allowed or came)
