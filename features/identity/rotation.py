"""What a rotation of the key takes along outside the database: the live contacts that builds wrote down."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.identity.contacts import HASH, rekeyed
from features.identity.key import Key


def rekey_segments(state: Path, key: Key) -> None:
    """Take every hashed contact in the state's segments of the log to all of ``key``; again changes nothing."""
    for file in sorted((state / "live").glob("*/contacts.parquet")):
        table = pq.read_table(file)
        hashes = pa.array([rekeyed(each, key) for each in table[HASH].to_pylist()], pa.string())
        unfinished = file.with_name(".contacts.parquet")
        pq.write_table(table.set_column(table.schema.get_field_index(HASH), HASH, hashes), unfinished)
        unfinished.replace(file)
