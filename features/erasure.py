"""A person is forgotten: every trace in what Leadlight keeps and wrote is taken out, and it is said what and where.

The company's own raw files are not touched; a tombstone in the log keeps them, and re-sent facts, from bringing the
person back. Who goes is written down before anything is taken out, since what tells who is one person goes too: an
erasure that ended early is finished by the next one, whoever that is about.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from features.catalogue import Catalogue
from features.erased_files import erase_files, publishing
from features.history import open_history
from features.log import Log
from features.past import Past
from features.people import Identities
from features.store import StoreUnavailable
from features.table_file import unfinished
from leadlight.database import DatabaseUnavailable, TracesLeft, open_database
from leadlight.database.exports import exported_files
from leadlight.journal import erase_answers
from leadlight.schema import FOREVER, Micros
from leadlight.settings import Site

if TYPE_CHECKING:
    from features.store.door import Store


@dataclass(frozen=True)
class Erased:
    """The leads that were erased, and how many rows of them were removed where."""

    leads: tuple[str, ...]
    removed: dict[str, int]


class Unfinished(DatabaseUnavailable):
    """Some of an erasure could not be done yet; all that could was. Repeated, it does what is left."""


@dataclass(frozen=True)
class _Going:
    """Who goes; and when answers about leads that stay were made of their facts: while both were one person."""

    leads: tuple[str, ...]
    told_of: tuple[tuple[str, Micros, Micros], ...]


def erase_people(site: Site, catalogue: Catalogue, lead_ids: Iterable[str], *, state: Path, at: Micros) -> Erased:
    """Forget the persons that these leads are: log, answers, history, feature tables, online rows and exported files.

    A lead that is unknown is erased too: nothing of it will be taken. One that was parted from the person is another
    person. Until a build trains anew, models keep what they learnt from everybody, which names nobody. ``Unfinished``
    if something must be repeated.
    """
    from features.store.door import Store  # importing Feast takes seconds

    engine = open_database(site, state)
    log = Log(engine)
    with publishing(state):
        going = _written_down(_going(site, list(lead_ids), log, state), state)
        gone, faults, removed = going.leads, list[str](), dict[str, int]()

        def do(step: Callable[[], dict[str, int]], *waits_for: type[Exception]) -> None:
            try:
                removed.update(step())
            except waits_for as fault:
                faults.append(str(fault))

        do(lambda: _erase_log(log, gone, at=at), TracesLeft)  # without tombstones nothing else would last
        do(lambda: {"journal/answers": erase_answers(engine, gone, going.told_of, at=at)}, DatabaseUnavailable)
        do(lambda: _erase_online(Store(site=site, catalogue=catalogue, state=state), gone), StoreUnavailable)
        do(lambda: erase_files(state, exported_files(engine), gone), DatabaseUnavailable)
        if faults:
            raise Unfinished("; ".join(dict.fromkeys(faults)))
        _list(state).unlink()
    return Erased(gone, removed)


def _going(site: Site, named: Sequence[str], log: Log, state: Path) -> _Going:
    past = Past(open_history(state), log, site.identity)
    past.reached(past.news(())[0])
    people = {past.person_of(lead_id) for lead_id in named}
    members = [member for each in sorted(people) for member in past.identity.members(each, FOREVER - 1)]
    gone = tuple(dict.fromkeys([*named, *members]))
    return _Going(gone, tuple(_told_of(gone, past.identity)))


def _told_of(gone: Sequence[str], identity: Identities) -> Iterator[tuple[str, Micros, Micros]]:
    for lead_id in gone:
        for stay in identity.of(lead_id):
            if stay.canonical_id not in gone:
                yield stay.canonical_id, stay.since, stay.until


def _written_down(going: _Going, state: Path) -> _Going:
    """``going`` and whom an erasure that ended early had begun with, in the file that is there until all are gone."""
    if _list(state).exists():
        before = json.loads(_list(state).read_text(encoding="utf-8"))
        spans = [(lead_id, since, until) for lead_id, since, until in before["told_of"]]
        going = _Going(
            tuple(dict.fromkeys([*going.leads, *before["leads"]])), tuple(dict.fromkeys([*going.told_of, *spans]))
        )
    with unfinished(_list(state)) as file:
        file.write_text(json.dumps(asdict(going)), encoding="utf-8")
    return going


def _list(state: Path) -> Path:
    return state / "erasing.json"


def _erase_log(log: Log, gone: Sequence[str], *, at: Micros) -> dict[str, int]:
    return {f"log/{table}": count for table, count in log.erase(gone, at=at).items() if count}


def _erase_online(store: Store, gone: Sequence[str]) -> dict[str, int]:
    """Whoever writes a row at this moment takes it out again (``serving.rows``): the tombstones are there."""
    count = sum(row is not None for row in store.read_leads(gone).values())
    store.delete_leads(gone)
    return {"online rows": count}
