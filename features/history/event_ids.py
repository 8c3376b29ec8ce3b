"""Whose each recorded event is, in a file that is looked up without being read: two hashes an event, in their order.

New events name their lead; whether their ids are of another lead's events must be known before any is accepted, for a
thousand of them among a hundred million, while everybody else who writes waits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from features.history.summary import bucket_file
from features.table_file import unfinished
from leadlight.schema import EVENT_ID, LEAD_ID

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

_HASH: Final = np.dtype("<u8")


_READ: Final = f"""
SELECT DISTINCT md5_number_lower({EVENT_ID}) AS event, md5_number_lower({LEAD_ID}) AS lead
FROM read_parquet(?, hive_partitioning = false) ORDER BY ALL
"""


def write_event_ids(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """The file of the version in ``root``, whose other files are there."""
    columns = connection.execute(_READ, [str(bucket_file(root, "events", "*"))]).fetchnumpy()
    _write(np.asarray(columns["event"], _HASH), np.asarray(columns["lead"], _HASH), root)


def of_other_leads(root: Path, named: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The event ids, of these (event_id, lead_id), that are recorded as another lead's and not as that one's.

    By 64 bits of each hash: that one of a million new ids is taken for one of a hundred million recorded ones happens
    on one site of a hundred thousand.
    """
    asked = list(named)
    if not asked or not _file(root).stat().st_size:
        return frozenset()
    hashes = np.memmap(_file(root), _HASH, mode="r")
    events, leads = np.split(hashes, 2)
    wanted = np.array([_hash(event_id) for event_id, _ in asked], _HASH)
    first, last = (np.searchsorted(events, wanted, side=side).tolist() for side in ("left", "right"))
    return frozenset(
        event_id
        for (event_id, lead_id), start, end in zip(asked, first, last, strict=True)
        if start < end and _hash(lead_id) not in leads[start:end].tolist()
    )


def erase_event_ids(root: Path, lead_ids: Iterable[str]) -> None:
    """Take out the events of these leads; a version that an older Leadlight wrote has no such file."""
    if not _file(root).exists():
        return
    events, leads = np.split(np.fromfile(_file(root), _HASH), 2)
    kept = ~np.isin(leads, np.array([_hash(lead_id) for lead_id in lead_ids], _HASH))
    if not kept.all():
        _write(events[kept], leads[kept], root)


def _write(events: NDArray[np.uint64], leads: NDArray[np.uint64], root: Path) -> None:
    """All events, then all leads; at once, for those who look into it meanwhile."""
    with unfinished(_file(root)) as file:
        np.concatenate([events, leads]).tofile(file)


def _file(root: Path) -> Path:
    return root / "event_ids.bin"


def _hash(text: str) -> int:
    """What DuckDB's ``md5_number_lower`` makes of it."""
    return int.from_bytes(
        hashlib.md5(text.encode(errors="surrogatepass"), usedforsecurity=False).digest()[8:], "little"
    )
