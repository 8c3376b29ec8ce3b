"""Every open lead scored at once, with reasons, likeliest first: what HTTP answers at the same moment, as a file.

Leads that nobody may contact are left out, and counted by their locks.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from features import relational
from features.catalogue import Catalogue
from features.people import as_people
from features.spine import open_leads
from leadlight.database import DatabaseUnavailable, open_database
from leadlight.journal import keep
from leadlight.model.margins import FloatArray
from leadlight.schema import LEAD_ID, Micros, from_micros
from leadlight.settings import Site, SiteError
from serving.challenger import load_challenger
from serving.champion import Champion, load_champion
from serving.desk import Desk, open_desk
from serving.entries import Entry, Names, Told, to_answers
from serving.intake import Question
from serving.language import Language
from serving.locks import locks
from serving.schemas import Score
from serving.scoring import Answered, Asker, columns_of, score_vectors
from serving.sheet import Sheet, open_sheet
from serving.vectors import Vector, channel_of

AT_ONCE = 5_000
Give = Callable[[Sequence[Answered]], list[Score]]
"""How answers go out: the scores as they are to be written."""


@dataclass(frozen=True)
class Scored:
    """What a bulk run wrote, and what it left out: ``locked`` counts by lock, a lead of two locks under both.

    ``off_schedule`` leads are of an age that the model never learned from: their scores promise less.
    """

    target: str
    version: str
    as_of: dt.datetime
    leads: int
    left_out: int
    locked: Mapping[str, int]
    off_schedule: int


def score_site(  # noqa: PLR0913  each is an option of the command line
    site: Site,
    catalogue: Catalogue,
    *,
    target: str,
    state: Path,
    out: Path,
    wall: Micros,
    as_of: Micros | None = None,
    language: Language = "en",
    journal: bool = True,
) -> Scored:
    """Write the scores of all open leads to ``out``: .parquet, .csv or .jsonl; a ``SiteError`` without a champion.

    With ``journal`` no list appears whose answers the journal does not have.
    """
    with open_sheet(out) as sheet:  # first: a wrong name is said before the work
        champion = load_champion(catalogue, site, target, state=state)
        desk = open_desk(site, catalogue, state)
        asked_at = desk.past.now(site, wall=wall) if as_of is None else as_of
        asker = Asker(language, from_micros(wall))
        if not journal:
            return score_open_leads(desk, champion, as_of=asked_at, asker=asker, sheet=sheet)
        challenger = load_challenger(catalogue, site, target, state=state)
        with _journalling(site, state, Told(champion, challenger, desk.exploration, "bulk")) as give:
            return score_open_leads(desk, champion, as_of=asked_at, asker=asker, sheet=sheet, give=give)


@contextmanager
def _journalling(site: Site, state: Path, told: Told) -> Iterator[Give]:
    """A way out through the journal; a ``SiteError`` if it cannot be written."""
    engine, names = open_database(site, state), Names()

    def give(answered: Sequence[Answered]) -> list[Score]:
        named = names.name(answered)
        keep(engine, to_answers([Entry(each, told) for each in named]))
        return [each.score for each in named]

    try:
        yield give
    except DatabaseUnavailable as fault:
        words = "run it again when the database answers, or with --no-journal"
        raise SiteError([f"the scores could not be journalled ({fault}): {words}"]) from fault
    finally:
        engine.dispose()


def _unjournalled(answered: Sequence[Answered]) -> list[Score]:
    return [each.score for each in answered]


def score_open_leads(
    desk: Desk, champion: Champion, *, as_of: Micros, asker: Asker, sheet: Sheet, give: Give = _unjournalled
) -> Scored:
    """Write the scores of all leads that are open and not locked at ``as_of``."""
    rows, locked, left_out = without_locked(desk, champion, _open_rows(desk, champion.target, as_of), as_of)
    ordered = rows.take(_likeliest_first(desk, champion, rows, as_of))
    for part in ordered.to_batches(max_chunksize=AT_ONCE):
        asked = _questions(part, as_of)
        rows = _vectors(desk, asked, part)
        scores = score_vectors(desk.site, champion, asked, rows, exploration=desk.exploration, asker=asker)
        sheet.write(give([*map(Answered, scores, asked, rows)]))
    off = off_schedule(desk, champion.target, ordered, as_of)
    return Scored(champion.target, champion.version, from_micros(as_of), len(ordered), left_out, locked, off)


def _open_rows(desk: Desk, target: str, as_of: Micros) -> pa.Table:
    with desk.past.reading() as recorded:
        tables = as_people(recorded)
        spine = open_leads(desk.site.targets[target], tables, as_of=as_of)
        rows = relational.evaluate(desk.catalogue, desk.site, tables, spine)
        return rows.order_by(LEAD_ID).to_pyarrow()


def without_locked(
    desk: Desk, champion: Champion, rows: pa.Table, as_of: Micros
) -> tuple[pa.Table, dict[str, int], int]:
    """The rows of leads without a lock, how many leads each lock holds back, and how many that are in all."""
    held = [
        locks(desk.site, champion.target, desk.roster.held.get(lead_id), as_of, "en")
        for lead_id in rows[LEAD_ID].to_pylist()
    ]
    counts = Counter(lock.name for found in held for lock in found)
    free = rows.filter(pa.array([not found for found in held], pa.bool_()))
    return free, dict(counts.most_common()), len(rows) - len(free)


def off_schedule(desk: Desk, target: str, rows: pa.Table, as_of: Micros) -> int:
    """How many of these leads are of an age at which the target's schedule looks at nobody."""
    observe, members = desk.site.targets[target].observe, desk.roster.members
    ages = (as_of - members[lead_id].created_at for lead_id in rows[LEAD_ID].to_pylist())
    return sum(not observe.looks_at(age) for age in ages)


def _likeliest_first(desk: Desk, champion: Champion, rows: pa.Table, as_of: Micros) -> pa.Array:
    """The order of the rows by raw margin, equal ones by lead."""
    margins: list[FloatArray] = [np.empty(0)]
    for part in rows.to_batches(max_chunksize=AT_ONCE):
        vectors = _vectors(desk, _questions(part, as_of), part)
        margins.append(champion.bundle.model.margin(columns_of(champion, vectors)))
    return pa.array(np.argsort(-np.concatenate(margins), kind="stable"))


def _questions(rows: pa.RecordBatch, as_of: Micros) -> list[Question]:
    return [Question(lead_id, as_of) for lead_id in rows[LEAD_ID].to_pylist()]


def _vectors(desk: Desk, asked: list[Question], rows: pa.RecordBatch) -> list[Vector]:
    return [
        Vector({**row, **desk.contexts.at(channel_of(desk, question), question.as_of)}, question.as_of)
        for question, row in zip(asked, rows.to_pylist(), strict=True)
    ]
