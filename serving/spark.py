"""Every open lead scored on Spark: the rows that ``serving.bulk`` writes, as a folder of Parquet files, in no order.

Here is decided who is asked about, and what every channel did; Spark's workers evaluate, score and write. Each of them
loads the champion's bundle once, from its folder, checked against its SHA-256. On a cluster all machines see the state
folder and the one of the scores.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue import Catalogue
from features.facts import Value
from features.people import as_people
from features.spark.rows import hand_over, lead_rows
from features.spark.session import open_spark
from features.spine import open_leads
from leadlight.model.bundle import Bundle, load_bundle
from leadlight.schema import AS_OF, CHANNEL, LEAD_ID, Micros, from_micros
from leadlight.settings import Site, UsageError
from leadlight.shelf import bundle_folder
from serving.bulk import AT_ONCE, Scored, off_schedule, without_locked
from serving.champion import Champion, load_champion
from serving.desk import Desk, open_desk
from serving.exploration import Exploration
from serving.intake import Question
from serving.language import Language
from serving.scoring import Asker, score_vectors
from serving.sheet import SCHEMA, table_of
from serving.vectors import Vector

_ASKED = "asked.parquet"
_SCORES = "scores"
_CHANNEL = "_channel"


def score_site(
    site: Site,
    catalogue: Catalogue,
    *,
    target: str,
    state: Path,
    out: Path,
    wall: Micros,
    as_of: Micros | None = None,
    language: Language = "en",
) -> Scored:
    """Write the scores of all open leads into the folder ``out``; a ``SiteError`` without a champion."""
    with _workshop(out) as folder:  # first: a wrong name is said before the work
        champion = load_champion(catalogue, site, target, state=state)
        desk = open_desk(site, catalogue, state)
        asked_at = desk.past.now(site, wall=wall) if as_of is None else as_of
        asker = Asker(language, from_micros(wall))
        return score_open_leads(desk, champion, state=state, as_of=asked_at, asker=asker, folder=folder)


def score_open_leads(
    desk: Desk, champion: Champion, *, state: Path, as_of: Micros, asker: Asker, folder: Path
) -> Scored:
    """Write the scores of all leads that are open and not locked at ``as_of`` into ``folder``/scores."""
    bundle = bundle_folder(state, champion.target, int(champion.version)).absolute()
    with desk.past.reading() as recorded, open_spark() as spark:
        from pyspark.sql.pandas.types import from_arrow_schema

        tables = as_people(recorded)
        opened = open_leads(desk.site.targets[champion.target], tables, as_of=as_of).to_pyarrow()
        free, locked, left_out = without_locked(desk, champion, opened, as_of)
        channels = {channel: desk.contexts.at(channel, as_of) for channel in free[CHANNEL].unique().to_pylist()}
        job = _Job(
            desk.site,
            _without_bundle(champion),
            bundle,
            champion.bundle.sha256,
            channels,
            as_of,
            desk.exploration,
            asker,
        )
        asked = free.select([LEAD_ID, AS_OF]).append_column(_CHANNEL, free[CHANNEL])
        pq.write_table(asked, folder / _ASKED)
        facts = hand_over(spark, tables, folder / "facts")
        rows = lead_rows(spark, desk.catalogue, desk.site, facts, spark.read_parquet(folder / _ASKED))
        rows = rows.join(spark.session.read.parquet(str(folder / _ASKED)).drop(AS_OF), LEAD_ID)
        rows.mapInArrow(partial(_scores, job), from_arrow_schema(SCHEMA)).write.parquet(str(folder / _SCORES))
    off = off_schedule(desk, champion.target, free, as_of)
    return Scored(champion.target, champion.version, from_micros(as_of), len(free), left_out, locked, off)


@contextmanager
def _workshop(out: Path) -> Iterator[Path]:
    """A folder to work in; its ``scores`` appear as ``out``, in place of older ones, only when they are complete."""
    if out.suffix:
        raise UsageError([f"--out {out}: Spark writes a folder of Parquet files: give a name without {out.suffix!r}"])
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield folder
        for checksum in (folder / _SCORES).glob(".*.crc"):
            checksum.unlink()  # they would make a file unreadable once a person has been erased from it
        if out.exists():
            out.rename(folder / "replaced")
        (folder / _SCORES).rename(out)
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True)
class _Job:
    """What a worker is told; the bundle it reads itself."""

    site: Site
    champion: Callable[[Bundle], Champion]
    bundle: Path
    sha256: str
    contexts: Mapping[str, Mapping[str, Value]]
    as_of: Micros
    exploration: Exploration
    asker: Asker


def _without_bundle(champion: Champion) -> Callable[[Bundle], Champion]:
    """The champion once its bundle is there: what can be sent to a worker."""
    known = {name: value for name, value in vars(champion).items() if name != "bundle"}
    return lambda bundle: Champion(bundle=bundle, **known)


def _scores(job: _Job, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Runs in a worker: the scores of some rows."""
    champion = job.champion(_bundle(job.bundle, job.sha256))
    for batch in batches:
        for start in range(0, len(batch), AT_ONCE):
            rows = batch.slice(start, AT_ONCE).to_pylist()
            asked = [Question(row[LEAD_ID], job.as_of) for row in rows]
            vectors = [Vector({**row, **job.contexts[row[_CHANNEL]]}, job.as_of) for row in rows]
            scores = score_vectors(
                job.site, champion, asked, vectors, exploration=job.exploration, asker=job.asker, threads=1
            )
            yield from table_of(scores).to_batches()


@cache
def _bundle(folder: Path, sha256: str) -> Bundle:
    return load_bundle(folder, expected=sha256)
