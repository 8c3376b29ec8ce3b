"""The live log as Parquet segments in the state folder: each build adds what came since the last."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.log import Log, Tail
from leadlight.database import open_database
from leadlight.settings import Site, SiteError
from leadlight.settings.stores import resolved

DATABASE = "leadlight.db"

_TABLES = tuple(field.name for field in fields(Tail))


@dataclass(frozen=True)
class Segments:
    """All live facts up to ``seq``, in folders that each hold a stretch of the log, in its order."""

    folders: tuple[Path, ...]
    seq: int

    def tail(self) -> Tail:
        """All of them."""
        parts = {name: [pq.read_table(folder / f"{name}.parquet") for folder in self.folders] for name in _TABLES}
        return Tail(**{name: pa.concat_tables(tables) for name, tables in parts.items()})


@contextmanager
def open_log(site: Site, state: Path) -> Iterator[Log | None]:
    """The live log of ``site``; ``None`` where nothing was ever written to the embedded one."""
    if resolved(site.stores.database) == "sqlite" and not (state / DATABASE).exists():
        yield None
        return
    engine = open_database(site, state)
    try:
        yield Log(engine)
    finally:
        engine.dispose()


def export_log(log: Log | None, state: Path, *, through: int) -> Segments:
    """Write what the log has up to its head ``through``, and the segments have not; all segments."""
    root = state / "live"
    folders = sorted(root.glob("[0-9]*-*"), key=_stretch)
    after = _stretch(folders[-1])[1] if folders else 0
    if through < after:
        fault = f"{state}: the live log ends at {through}, but {root.name}/ has its facts up to {after}"
        raise SiteError([f"{fault}: bring back the database, or move {root.name}/ away to go on without these facts"])
    if log is not None and through > after:
        folders.append(_write_segment(log.tail(after=after, through=through), root / f"{after}-{through}"))
    return Segments(tuple(folders), through)


def _stretch(folder: Path) -> tuple[int, int]:
    after, through = folder.name.split("-")
    return int(after), int(through)


def _write_segment(tail: Tail, folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    try:
        for name in _TABLES:
            pq.write_table(getattr(tail, name), unfinished / f"{name}.parquet")
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder
