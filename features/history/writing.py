"""How a version of the history is written: one file a bucket, and a digest of what they hold."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import ibis
import pyarrow.parquet as pq

from features.facts import Tables
from features.history.event_ids import write_event_ids
from features.history.reading import History, history_in
from features.history.summary import BUCKETS, FILES, Summary, bucket_file, history_folder, last_summary, write_summary
from leadlight.schema import ARRIVED_AT, CREATED_AT, LEAD_ID, SINCE

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

ROW_GROUP = 8_192
"""Rows of a Parquet row group: few enough that one lead is read in milliseconds, enough to scan all quickly."""

_NAME_LENGTH = 16


def write_history(
    tables: Tables, connection: Backend, workshop: Path, *, generation: int = 1, log_seq: int = 0
) -> History:
    """Write ``tables``, which ``connection`` holds, into a new folder of ``workshop``; ``publish`` shows it."""
    workshop.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix=".history-", dir=workshop))
    for name, (table, first) in FILES.items():
        _write_files(getattr(tables, table), connection, root, name, first)
    write_event_ids(connection.con, root)
    return _summarised(connection.con, root, generation=generation, log_seq=log_seq)


def summarised(root: Path, before: Summary) -> History:
    """The history whose files lie in ``root`` after some of them changed; what ``before`` says of its making holds."""
    with duckdb.connect() as connection:
        return _summarised(connection, root, generation=before.generation, log_seq=before.log_seq)


def publish(history: History, state: Path) -> History:
    """Make ``history`` the current version of ``state``; the one before stays readable until the next is published."""
    folder = history_folder(state)
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / history.summary.folder
    if not root.exists():  # else the same facts are there already
        history.root.rename(root)
    before = last_summary(state)
    kept = {root.name, before.folder if before else ""}
    write_summary(history.summary, state)
    for version in folder.iterdir():
        if version.is_dir() and version.name not in kept:
            shutil.rmtree(version)
    return replace(history, root=root)


def _write_files(table: ibis.Table, connection: Backend, root: Path, name: str, first: tuple[str, ...]) -> None:
    """One file a bucket, even an empty one, so that every read finds its files."""
    table = table.relocate(*first)
    connection.create_table(name, table.mutate(_bucket=table[first[0]].hexdigest("md5").left(1)))
    columns = ", ".join(f'"{column}"' for column in table.columns)
    filled = {bucket for (bucket,) in connection.con.table(name).unique("_bucket").fetchall()}
    empty = root / f"{name}.parquet"
    connection.con.table(name).limit(0).project(columns).write_parquet(str(empty))
    for bucket in BUCKETS:
        file = bucket_file(root, name, bucket)
        file.parent.mkdir(parents=True)
        if bucket in filled:
            rows = connection.con.table(name).filter(f"_bucket = '{bucket}'").project(columns).order(columns)
            rows.write_parquet(str(file), row_group_size=ROW_GROUP)
        else:
            shutil.copyfile(empty, file)
    empty.unlink()
    connection.drop_table(name)


def _summarised(connection: duckdb.DuckDBPyConnection, root: Path, *, generation: int, log_seq: int) -> History:
    """Hashes of contacts differ with the key they were made with: they count in the folder's name alone."""
    counts = dict.fromkeys(FILES, 0)
    facts, hashes = hashlib.sha256(), hashlib.sha256()
    for name, (table, _) in FILES.items():
        digest = hashes if table == "contacts" else facts
        for bucket in BUCKETS:
            file = bucket_file(root, name, bucket)
            rows = pq.read_metadata(file).num_rows
            content = connection.execute(_DIGEST, [str(file)]).fetchall()[0][0] if rows else ""
            counts[name] += rows
            digest.update(f"{name}/{bucket}:{rows}:{content}\n".encode())
    hashes.update(facts.digest())
    identity = connection.read_parquet(str(bucket_file(root, "identity", "*")), hive_partitioning=False)
    summary = Summary(
        folder=hashes.hexdigest()[:_NAME_LENGTH],
        digest=facts.hexdigest(),
        newest_fact=_newest_fact(connection, root),
        **{name: counts[name] for name in ("leads", "attributes", "events", "contacts")},
        merged=len(identity.unique(LEAD_ID).fetchall()),
        generation=generation,
        log_seq=log_seq,
    )
    return history_in(root, summary)


def _newest_fact(connection: duckdb.DuckDBPyConnection, root: Path) -> int:
    moments = {"leads": CREATED_AT, "attributes": ARRIVED_AT, "events": ARRIVED_AT, "identity": SINCE}
    newest = [
        connection.read_parquet(str(bucket_file(root, name, "*"))).max(column).fetchall()[0][0]
        for name, column in moments.items()
    ]
    return int(max(moment for moment in newest if moment is not None))


_DIGEST = """
SELECT sha256(string_agg(row, '' ORDER BY row))
FROM (SELECT md5(to_json(fact)::VARCHAR) AS row FROM read_parquet(?, hive_partitioning = false) AS fact)
"""
"""A file's content whatever its encoding: names and values of each row as JSON, hashed in the order of the hashes."""
