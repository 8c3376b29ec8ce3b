"""A person is forgotten: every trace in what Leadlight keeps and wrote is taken out, and it is said what and where.

The company's own raw files are not touched; a tombstone in the log keeps them, and re-sent facts, from bringing the
person back.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.catalogue import Catalogue
from features.history import history_folder, open_history
from features.history.summary import FILES, write_summary
from features.history.writing import ROW_GROUP, summarised
from features.log import Log
from features.past import Past
from features.people import Identities
from features.table_file import unfinished
from leadlight.database import open_database
from leadlight.database.exports import exported_files
from leadlight.journal import erase_answers
from leadlight.schema import CANONICAL_ID, FOREVER, LEAD_ID, Micros
from leadlight.settings import Site

KEPT_BESIDE_HISTORY = ("spines", "offline", "live")
"""Folders of a state whose Parquet files have rows of leads."""


@dataclass(frozen=True)
class Erased:
    """The leads that were erased, and how many rows of them were removed where."""

    leads: tuple[str, ...]
    removed: dict[str, int]


def erase_people(site: Site, catalogue: Catalogue, lead_ids: Iterable[str], *, state: Path, at: Micros) -> Erased:
    """Forget the persons that these leads are: log, answers, history, feature tables, online rows and exported files.

    A lead that is unknown is erased too: nothing of it will be taken. One that was parted from the person is another
    person. Until a build trains anew, models keep what they learnt from everybody, which names nobody.
    """
    from features.store.door import Store  # importing Feast takes seconds

    engine = open_database(site, state)
    log = Log(engine)
    past = Past(open_history(state), log, site.identity)
    past.reached(past.news(())[0])
    named = list(lead_ids)
    people = {past.person_of(lead_id) for lead_id in named}
    members = [member for each in sorted(people) for member in past.identity.members(each, FOREVER - 1)]
    gone = tuple(dict.fromkeys([*named, *members]))
    removed = {f"log/{table}": count for table, count in log.erase(gone, at=at).items() if count}
    removed["journal/answers"] = erase_answers(engine, gone, _told_of(gone, past.identity), at=at)
    store = Store(site=site, catalogue=catalogue, state=state)
    removed["online rows"] = sum(row is not None for row in store.read_leads(gone).values())
    store.delete_leads(gone)
    return Erased(gone, {**removed, **erase_files(state, exported_files(engine), gone)})


def _told_of(gone: Sequence[str], identity: Identities) -> Iterator[tuple[str, Micros, Micros]]:
    """When answers about leads that stay were made of the facts of those that go: while both were one person."""
    for lead_id in gone:
        for stay in identity.of(lead_id):
            if stay.canonical_id not in gone:
                yield stay.canonical_id, stay.since, stay.until


def erase_files(state: Path, exports: Iterable[Path], lead_ids: Sequence[str]) -> dict[str, int]:
    """Take these leads out of the history, the feature tables and the exported files; rows removed, by file."""
    gone = frozenset(lead_ids)
    removed = _erase_history(state, gone)
    own = [path for folder in KEPT_BESIDE_HISTORY for path in (state / folder).rglob("*.parquet")]
    for path in (*own, *(path for path in exports if path.is_file() and path.suffix in _ERASERS)):
        count = _ERASERS[path.suffix](path, gone)
        if count:
            removed[str(path.relative_to(state)) if path in own else str(path)] = count
    return removed


def _erase_history(state: Path, gone: frozenset[str]) -> dict[str, int]:
    """Take these leads out of every version of the history that is kept, file by file: whoever reads one goes on."""
    current = open_history(state)
    removed = dict.fromkeys(FILES, 0)
    for version in (path for path in history_folder(state).iterdir() if path.is_dir()):
        for name in FILES:
            count = sum(_erase_parquet(file, gone, row_group=ROW_GROUP) for file in (version / name).rglob("*.parquet"))
            removed[name] += count if version == current.root else 0
    summary = replace(summarised(current.root, current.summary).summary, folder=current.summary.folder)
    write_summary(summary, state)
    return {f"history/{name}": count for name, count in removed.items() if count}


def _erase_parquet(path: Path, gone: frozenset[str], row_group: int | None = None) -> int:
    file = pq.ParquetFile(path)
    names = file.schema_arrow.names
    columns = [name for name in (LEAD_ID, CANONICAL_ID, "other_id") if name in names]
    ids = pa.array(sorted(gone), pa.string())
    if not columns or not any(
        pc.any(pc.is_in(batch[name], ids)).as_py() for batch in file.iter_batches(columns=columns) for name in columns
    ):
        return 0
    rows = 0
    with unfinished(path) as written, pq.ParquetWriter(written, file.schema_arrow) as writer:
        for batch in file.iter_batches():
            named = pc.is_in(batch[columns[0]], ids)
            if "other_id" in names:
                named = pc.or_(named, pc.is_in(batch["other_id"], ids))
            kept = _stand_alone(batch.filter(pc.invert(named)), ids)
            rows += len(batch) - len(kept)
            writer.write_batch(kept, row_group_size=row_group)
    return rows


def _stand_alone(rows: pa.RecordBatch, gone: pa.Array) -> pa.RecordBatch:
    """Leads that were one person with an erased one, and named after it, were that alone."""
    if CANONICAL_ID not in rows.schema.names:
        return rows
    names = pc.if_else(pc.is_in(rows[CANONICAL_ID], gone), rows[LEAD_ID], rows[CANONICAL_ID])
    return rows.set_column(rows.schema.get_field_index(CANONICAL_ID), rows.schema.field(CANONICAL_ID), names)


def _erase_csv(path: Path, gone: frozenset[str]) -> int:
    with path.open(newline="", encoding="utf-8") as came:
        header, *rows = csv.reader(came)
    place = header.index(LEAD_ID) if LEAD_ID in header else None
    kept = [row for row in rows if place is None or not {row[place], row[place].removeprefix("'")} & gone]
    if len(kept) < len(rows):
        with unfinished(path) as written:
            written.touch(mode=0o600)
            with written.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([header, *kept])
            shutil.copymode(path, written)
    return len(rows) - len(kept)


def _erase_lines(path: Path, gone: frozenset[str]) -> int:
    count = 0
    with unfinished(path) as written, path.open(encoding="utf-8") as came, written.open("w", encoding="utf-8") as file:
        for line in came:
            erased = json.loads(line).get(LEAD_ID) in gone
            count += erased
            if not erased:
                file.write(line)
    return count


_ERASERS: dict[str, Callable[[Path, frozenset[str]], int]] = {
    ".parquet": _erase_parquet,
    ".csv": _erase_csv,
    ".jsonl": _erase_lines,
}
