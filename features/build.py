"""The build: from a site's raw files to its history, labelled spines, Feast's offline tables and online rows.

What takes long is written beside the state first and takes the old build's place when it is complete. The history goes
last: a server opens it anew when its summary changes, and then finds the rows that belong to it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import ibis

from features.catalogue import Catalogue
from features.duck import connected
from features.engines import Engine, evaluating
from features.erased_files import BUILT, WORKSHOP, erase_unpublished, publishing, without
from features.facts import Tables
from features.history import History, clock, publish
from features.history.summary import last_summary, read_summary
from features.identity import Key, identity_key
from features.labels import Counts, count, judge, labelled
from features.log.rekeying import dated_head
from features.people import as_people
from features.recording import Recorder
from features.rows import OnlineRows, online_rows, write_context_rows, write_lead_rows, write_online_rows
from features.segments import export_log, open_log
from features.settled import settled_at
from features.sources import query_files, read_sources
from features.spine import spine_file, training_spine
from features.unchanged import last_rows
from leadlight.locking import alone
from leadlight.schema import AS_OF, DAY, SECOND, Micros, from_micros, local_day
from leadlight.settings import Site

_log = logging.getLogger("leadlight.features")

STALE_DAYS = 2
_WAITS = "another build of %s is at work: this one waits for it to end"

FORMAT = 5
"""Raised whenever the same raw files would build into something else, so that old states are built anew."""


@dataclass(frozen=True)
class Built:
    """What a build made; ``skipped`` if nothing had changed since the last one, which then made it."""

    as_of: Micros
    data_end: Micros
    digest: str
    leads: int
    events: int
    merged: int
    targets: dict[str, Counts]
    lead_rows: int
    context_rows: int
    online_rows: int
    notes: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    skipped: bool = False

    def to_json(self) -> dict[str, Any]:
        """All of it as one object."""
        moments = {"as_of": from_micros(self.as_of).isoformat(), "data_end": from_micros(self.data_end).isoformat()}
        return {**asdict(self), **moments}

    def lines(self) -> list[str]:
        """The same in words."""
        took = "unchanged since the last build" if self.skipped else f"{sum(self.seconds.values()):.1f} s"
        return [
            f"built as of {from_micros(self.as_of).isoformat()} ({took})",
            f"history: {self.leads:,} leads, {self.events:,} events, digest {self.digest[:12]}",
            *([f"identity: {self.merged:,} leads were ever one person with another"] if self.merged else []),
            *(
                f"{name}: {of.rows:,} rows, {of.positives:,} positive;"
                f" left out: {of.immature:,} immature, {of.converted:,} already converted"
                for name, of in self.targets.items()
            ),
            f"features: {self.lead_rows:,} lead rows, {self.context_rows:,} context rows, {self.online_rows:,} online",
            *(f"note: {note}" for note in self.notes),
            *(f"{step}: {seconds:.1f} s" for step, seconds in self.seconds.items()),
        ]


def build(
    site: Site,
    catalogue: Catalogue,
    *,
    state: Path,
    data: Path,
    as_of: Micros | None,
    wall: Micros,
    engine: Engine = "duckdb",
) -> Built:
    """Build ``site`` from the files in ``data`` and its live log into ``state``, unless the last build was of the same.

    ``as_of`` overrules the site's clock: online rows are exact at that moment, labels mature up to it, or up to the
    newest fact if that is earlier. Faults of the raw data are one ``SiteError``, before anything in ``state`` has
    changed. Only files and live facts count as changes: a site whose SQL reads elsewhere is built anew when its clock
    or a file moves. Two builds of one state wait for one another. Every ``engine`` builds the same.
    """
    with alone(state / "build.lock", lambda: _log.warning(_WAITS, state)), open_log(site, state) as log:
        key = identity_key(site, state, os.environ)
        if log is not None and (as_of is not None or site.clock.at == "wall"):
            settled_at(log, wall if as_of is None else as_of)  # what the log has from now on arrives later
        head = dated_head(site, state, log, key, wall=wall) if log else 0
        request = _request(site, catalogue, data=data, state=state, as_of=as_of, wall=wall, key=key)
        last = _last_built(state, f"{request} {head}")
        if last is not None:
            return replace(last, skipped=True, seconds={})
        before = last_summary(state)
        with publishing(state):
            segments = export_log(log, state, through=head)
        recorder = Recorder(site, catalogue, key, log, segments, before.generation + 1 if before else 1)
        built = _build(recorder, state=state, data=data, as_of=as_of, wall=wall, engine=engine)
        _write_record(state, f"{request} {read_summary(state).log_seq}", built)  # it may have said something itself
    return built


def _build(recorder: Recorder, *, state: Path, data: Path, as_of: Micros | None, wall: Micros, engine: Engine) -> Built:
    site, catalogue = recorder.site, recorder.catalogue
    seconds: dict[str, float] = {}
    with _workshop(state) as folder, connected() as connection, evaluating(engine, folder) as evaluate:
        history, notes = _take_in(recorder, data, folder, state, wall=wall, seconds=seconds)
        now = clock(site, history, wall=wall) if as_of is None else as_of
        data_end = min(now, history.summary.newest_fact + 1)  # an export may be older than the clock
        tables = history.tables(connection)
        people = as_people(tables)
        with _timed(seconds, "spines"):
            targets = {name: _write_spine(site, name, tables, people, folder, end=data_end) for name in site.targets}
        with _timed(seconds, "lead rows"):
            spine = connection.read_parquet(str(spine_file(folder, "*")))
            last = last_rows(state, connection, site, catalogue)
            lead_rows = write_lead_rows(site, catalogue, people, spine, folder, evaluate=evaluate, last=last)
        with _timed(seconds, "context rows"):
            context_rows = write_context_rows(site, catalogue, tables, _from_first_to(now, spine), folder)
        with _timed(seconds, "online rows"):
            row_seq = history.summary.row_seq(history.summary.log_seq)
            rows = online_rows(site, catalogue, tables, as_of=now, row_seq=row_seq, evaluate=evaluate)
            history, count = _publish(recorder, history, rows, folder, state)
    return Built(
        as_of=now,
        data_end=data_end,
        digest=history.summary.digest,
        leads=history.summary.leads,
        events=history.summary.events,
        merged=history.summary.merged,
        targets=targets,
        lead_rows=lead_rows,
        context_rows=context_rows,
        online_rows=count,
        notes=(*notes, *_age_notes(now, data_end)),
        seconds=seconds,
    )


def _publish(recorder: Recorder, history: History, rows: OnlineRows, folder: Path, state: Path) -> tuple[History, int]:
    """Show what was built, without those who were erased since the log was read; how many online rows there are."""
    from features.store.door import Store  # importing Feast takes seconds: not for a build that is skipped

    store = Store(site=recorder.site, catalogue=recorder.catalogue, state=state)
    store.apply()
    with publishing(state):
        hashes = recorder.log.buried(history.summary.log_seq) if recorder.log else frozenset()
        history, gone = erase_unpublished(history, folder, hashes)
        rows = replace(rows, leads=without(rows.leads, gone))
        _record_file(state).unlink(missing_ok=True)
        _put_in_place(folder, state, *BUILT)
        write_online_rows(store, rows)
        history = publish(history, state)
    return history, len(rows.leads)


def _age_notes(now: Micros, data_end: Micros) -> Iterator[str]:
    days = (now - data_end) // DAY
    if days >= STALE_DAYS:
        words = 'labels are mature up to there; for a log that has ended set [clock] at = "last_fact"'
        yield f"the newest fact is {days} days before the clock: {words}"


def _request(
    site: Site,
    catalogue: Catalogue,
    *,
    data: Path,
    state: Path,
    as_of: Micros | None,
    wall: Micros,
    key: Key | None = None,
) -> str:
    """A hash of all that a build depends on but the live log; on the wall clock a build holds for a local day."""
    digest = hashlib.sha256(f"{FORMAT} {catalogue.hash} {site.model_dump_json(exclude={'folder'})}".encode())
    digest.update(f"{key} ".encode())
    today = local_day(wall, site.offset) if site.clock.at == "wall" else None
    digest.update(f"{as_of} {today if as_of is None else None}".encode())
    files = sorted(path for path in data.rglob("*") if path.is_file() and not path.is_relative_to(state))
    for path in [*(path for path in query_files(site) if path.is_file()), *files]:
        with path.open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
        digest.update(f"{path.name if path not in files else path.relative_to(data)} {content}\n".encode())
    return digest.hexdigest()


def _last_built(state: Path, request: str) -> Built | None:
    path = _record_file(state)
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if record.get("request") != request:
        return None
    built = record["built"]
    targets = {name: Counts(**counts) for name, counts in built["targets"].items()}
    return Built(**{**built, "targets": targets, "notes": tuple(built["notes"])})


def _write_record(state: Path, request: str, built: Built) -> None:
    unfinished = state / "build.json.new"
    text = json.dumps({"request": request, "built": asdict(built)}, indent=1)
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(_record_file(state))


def _record_file(state: Path) -> Path:
    return state / "build.json"


@contextmanager
def _workshop(state: Path) -> Iterator[Path]:
    """A folder of this build's own beside what it will replace; gone afterwards, whatever happened.

    One that a killed build left goes as well: nobody else builds.
    """
    for left in state.glob(f"{WORKSHOP}*"):
        shutil.rmtree(left)
    folder = Path(tempfile.mkdtemp(prefix=WORKSHOP, dir=state))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _take_in(
    recorder: Recorder, data: Path, folder: Path, state: Path, *, wall: Micros, seconds: dict[str, float]
) -> tuple[History, tuple[str, ...]]:
    """The raw files read, checked and written as a history with the live facts, and the notes on them."""
    started = time.perf_counter()
    with _timed(seconds, "sources"):
        raw = read_sources(recorder.site, data)
    try:
        with _timed(seconds, "check"):
            live = recorder.live(raw.connection)
            found = recorder.check(raw, live, wall=wall)
            now = wall + round((time.perf_counter() - started) * SECOND)  # answers were given meanwhile
            recorder, live, heard = recorder.hear(raw, live, state, wall=now)
        with _timed(seconds, "history"):
            history, notes = recorder.record(raw, live, folder)
    finally:
        raw.connection.disconnect()
    return history, (*found, *heard, *notes)


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - started, 3)


def _write_spine(site: Site, name: str, tables: Tables, people: Tables, folder: Path, *, end: Micros) -> Counts:
    target = site.targets[name]
    judged = judge(target, tables, training_spine(site, target, people, end=end), end=end).cache()
    file = spine_file(folder, name)
    file.parent.mkdir(exist_ok=True)
    labelled(judged).to_parquet(file)
    return count(judged)


def _from_first_to(now: Micros, spine: ibis.Table) -> tuple[Micros, Micros]:
    first = spine[AS_OF].min().to_pyarrow().as_py()
    return (now if first is None else first), now


def _put_in_place(folder: Path, state: Path, *names: str) -> None:
    """Swap in what was built; what it replaces goes with the workshop."""
    for name in names:
        if (state / name).exists():
            (state / name).rename(folder / f"{name}.replaced")
        (folder / name).rename(state / name)
