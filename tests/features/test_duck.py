"""Connections to DuckDB answer every question that features ask."""

from __future__ import annotations

from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.duck import connected


@pytest.mark.parametrize("leads", [10, 1_000])
def test_files_and_tables_in_memory_are_joined_as_one(leads: int, tmp_path: Path) -> None:
    """A semi-join with a few leads reads a union of Parquet and memory."""
    everybody = pa.table({"lead_id": [str(number) for number in range(leads)]})
    pq.write_table(everybody, f"{tmp_path}/recorded.parquet")
    few = ibis.memtable(pa.table({"lead_id": [str(3 * number) for number in range(5)], "kept": [0, 1, 1, 1, 1]}))

    with connected() as connection:
        both = connection.read_parquet(f"{tmp_path}/recorded.parquet").union(ibis.memtable(everybody))
        found = both.semi_join(few.filter(few["kept"] > 0).distinct(), "lead_id").count().to_pyarrow().as_py()

    assert found == 2 * sum(3 * number < leads for number in range(1, 5))
