"""The files that a state folder and its exports keep of leads, and how leads are taken out of them."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.history import History, history_folder, open_history
from features.history.event_ids import erase_event_ids
from features.history.summary import BUCKETS, FILES, bucket_file, write_summary
from features.history.writing import ROW_GROUP, summarised
from features.table_file import unfinished
from leadlight.database import lead_hash
from leadlight.locking import alone
from leadlight.schema import CANONICAL_ID, LEAD_ID

BUILT = ("spines", "offline")
"""Folders of a build whose Parquet files have rows of leads, beside the history."""
KEPT_BESIDE_HISTORY = (*BUILT, "live")
WORKSHOP = ".build-"
"""How the folders of unfinished builds begin."""


@contextmanager
def publishing(state: Path) -> Iterator[None]:
    """Nobody else changes which facts the files of ``state`` show: a build that publishes, or an erasure."""
    with alone(state / "publish.lock"):
        yield


def erase_files(state: Path, exports: Iterable[Path], lead_ids: Collection[str]) -> dict[str, int]:
    """Take these leads out of the history, the feature tables and the exported files; rows removed, by file."""
    gone = frozenset(lead_ids)
    _clear_workshops(state)
    removed = _erase_history(state, gone)
    own = [path for folder in KEPT_BESIDE_HISTORY for path in (state / folder).rglob("*.parquet")]
    for path in (*own, *(path for path in exports if path.is_file() and path.suffix in _ERASERS)):
        count = _ERASERS[path.suffix](path, gone)
        if count:
            removed[str(path.relative_to(state)) if path in own else str(path)] = count
    return removed


def erase_unpublished(history: History, workshop: Path, hashes: frozenset[str]) -> tuple[History, frozenset[str]]:
    """Take the leads with these ``lead_hash``es out of what a build has made in ``workshop``: what is left, and who."""
    files = [bucket_file(history.root, "leads", bucket) for bucket in BUCKETS] if hashes else []
    ids = [lead_id for file in files for lead_id in pq.read_table(file, columns=[LEAD_ID])[LEAD_ID].to_pylist()]
    gone = frozenset(lead_id for lead_id in ids if lead_hash(lead_id) in hashes)
    if not gone:
        return history, gone
    _erase_version(history.root, gone)
    for path in (path for folder in BUILT for path in (workshop / folder).rglob("*.parquet")):
        _erase_parquet(path, gone)
    return summarised(history.root, history.summary), gone


def without(rows: pa.Table, lead_ids: Collection[str]) -> pa.Table:
    """The rows of all other leads."""
    return rows.filter(pc.invert(pc.is_in(rows[LEAD_ID], pa.array(sorted(lead_ids), pa.string()))))


def _clear_workshops(state: Path) -> None:
    """Take away what killed builds left behind; one that is at work takes out itself who was erased meanwhile."""

    class AtWork(Exception):  # noqa: N818 -- no error
        pass

    def leave() -> None:
        raise AtWork

    try:
        with alone(state / "build.lock", leave):
            for folder in state.glob(f"{WORKSHOP}*"):
                shutil.rmtree(folder)
    except AtWork:
        pass


def _erase_history(state: Path, gone: frozenset[str]) -> dict[str, int]:
    """Take these leads out of every version of the history that is kept, file by file: whoever reads one goes on."""
    current = open_history(state)
    removed: dict[str, int] = {}
    for version in (path for path in history_folder(state).iterdir() if path.is_dir()):
        counts = _erase_version(version, gone)
        removed = counts if version == current.root else removed
    summary = replace(summarised(current.root, current.summary).summary, folder=current.summary.folder)
    write_summary(summary, state)
    return {f"history/{name}": count for name, count in removed.items() if count}


def _erase_version(root: Path, gone: frozenset[str]) -> dict[str, int]:
    erase_event_ids(root, gone)
    return {
        name: sum(_erase_parquet(file, gone, row_group=ROW_GROUP) for file in (root / name).rglob("*.parquet"))
        for name in FILES
    }


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
