"""Files that break off."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write_broken_parquet(path: Path, lead_id: str) -> None:
    """2,000 events of a lead, of which the thousandth has no moment; what comes after it cannot be read."""
    rows = [
        {"event_id": f"half-{n}", "lead_id": lead_id, "kind": "trial", "at": "soon" if n == 999 else "2025-10-01"}
        for n in range(2_000)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=1_000, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    second = content.index(b"half-1001")
    content[second - 4 : second + 72] = b"\xff" * 76  # the length of a text, and what follows
    path.write_bytes(content)
