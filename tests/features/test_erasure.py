"""Whoever is erased is gone from everywhere; whoever was once taken for the same person stands alone and complete."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.build import build
from features.catalogue import Catalogue
from features.erasure import Unfinished, erase_people
from features.history import History, open_history
from features.identity.key import make_key
from features.log import Log, NewEdge, NewEvent, NewVersion
from features.segments import DATABASE
from features.store.door import Store
from leadlight.database import open_database
from leadlight.journal import Erased, answer, answers, answers_of, keep
from leadlight.schema import DAY, FOREVER, HOUR
from leadlight.settings import Site
from tests.builders import moment
from tests.features.interruptions import Killed, killed_at, listening
from tests.features.raw_builders import EVENT, WALL, events, leads, school
from tests.leadlight.journal.journal_builders import an_answer

MERGED = moment("2025-03-02 10:00", 8 * HOUR)
PARTED = moment("2025-03-20 12:00", 8 * HOUR)
COLUMNS = "lead_id, created_at, channel, city, budget, phone"
SHARED = [
    f"('{who}', TIMESTAMP '2025-03-0{day} 10:00', 'sem', NULL, 1, '13912345678')" for day, who in enumerate("ab", 1)
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Catalogue, Path]:
    """A built school with two leads that were one person, named after a, from b's creation until a reviewer came."""
    folder = tmp_path_factory.mktemp("parted")
    site, catalogue = school(
        folder, leads_sql=leads(*SHARED, columns=COLUMNS), events_sql=events(EVENT.replace("L1", "a"))
    )
    state = site.folder / "state"
    make_key(state)
    engine = open_database(site, state)
    build(site, catalogue, state=state, data=site.folder / "data", as_of=None, wall=WALL)
    edge = NewEdge("b", None, "apart", "reviewer", "brothers")
    Log(engine).append([edge], now=lambda: PARTED, base=open_history(state).records(["b"]))
    keep(
        engine,
        [
            an_answer("of-both", "a", as_of=PARTED - 1),
            an_answer("of-a", "a", as_of=PARTED),
            an_answer("of-b", "b", as_of=PARTED),
        ],
    )
    engine.dispose()
    return site, catalogue, state


@pytest.fixture
def parted(built: tuple[Site, Catalogue, Path], tmp_path: Path) -> tuple[Site, Catalogue, Path]:
    """The same in a state folder of the test's own."""
    site, catalogue, state = built
    shutil.copytree(state, tmp_path / "state")
    return site, catalogue, tmp_path / "state"


def test_a_lead_that_was_parted_from_the_erased_one_stands_alone(parted: tuple[Site, Catalogue, Path]) -> None:
    """It is another person: its facts stay, and from its first moment on it is itself and nobody else."""
    site, catalogue, state = parted
    assert open_history(state).identity.canonical("b", MERGED) == "a"

    erased = erase_people(site, catalogue, ["a"], state=state, at=WALL)

    history = open_history(state)
    assert erased.leads == ("a",)
    assert history.facts(["a", "b"]).keys() == {"b"}
    assert [history.identity.canonical("b", at) for at in (MERGED - 1, MERGED, PARTED, WALL)] == ["b"] * 4
    stays = list(history.identity.intervals())
    assert {stay.lead_id for stay in stays} == {"b"}
    assert (stays[0].since, stays[-1].until) == (0, FOREVER)
    assert all(one.until == other.since for one, other in pairwise(stays))


def test_the_journal_forgets_a_person_and_what_others_answers_told_of_it(parted: tuple[Site, Catalogue, Path]) -> None:
    """Answers about a, while b was part of it, were made of b's facts too: erasing b takes those, and only those."""
    site, catalogue, state = parted

    erased = erase_people(site, catalogue, ["b"], state=state, at=WALL)

    engine = open_database(site, state)
    assert erased.leads == ("b",)
    assert erased.removed["journal/answers"] == 2
    assert answers(engine)["id"].to_pylist() == ["of-a"]
    assert answer(engine, "of-both") == answer(engine, "of-b") == answers_of(engine, "b") == Erased(WALL)
    assert open_history(state).facts(["a"]).keys() == {"a"}
    engine.dispose()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Catalogue, Path]:
    """A built school in which b of the files became one person, by the live log alone, with the older lead new."""
    folder = tmp_path_factory.mktemp("merged")
    other = "('other', TIMESTAMP '2025-03-03 10:00', 'sem', NULL, 1, NULL)"
    site, catalogue = school(
        folder, leads_sql=leads(SHARED[1], other, columns=COLUMNS), events_sql=events(EVENT.replace("L1", "b"))
    )
    state = site.folder / "state"
    make_key(state)
    engine = open_database(site, state)
    base = built_anew(site, catalogue, state).records(["b"])
    created = base["b"].created_at
    new = NewVersion("new", created - DAY, "app", None, created - DAY, {"city": "Wuhan"}, ())
    seen = NewEvent("E9", "b", "view", PARTED, None, {})
    same = NewEdge("b", "new", "same", "reviewer", "seen")
    Log(engine).append([new, seen, same], now=lambda: PARTED, base=base)
    keep(engine, [an_answer("of-both", "new", as_of=PARTED + 1)])
    engine.dispose()
    return site, catalogue, state


@pytest.fixture
def place(made: tuple[Site, Catalogue, Path], tmp_path: Path) -> tuple[Site, Catalogue, Path]:
    """The same in a state folder of the test's own."""
    site, catalogue, state = made
    shutil.copytree(state, tmp_path / "state")
    return site, catalogue, tmp_path / "state"


def built_anew(site: Site, catalogue: Catalogue, state: Path) -> History:
    """The history of a build of all there is."""
    build(site, catalogue, state=state, data=site.folder / "data", as_of=None, wall=WALL)
    return open_history(state)


def traces(site: Site, catalogue: Catalogue, state: Path) -> list[str]:
    """Where b and new are still to be found; in Parquet files of any folder by whole ids, as is their event."""
    gone = {"b", "new", "E9"}
    found = []
    for file in sorted(path for path in state.rglob("*.parquet")):
        texts = pq.read_table(file, partitioning=None)
        columns = [name for name in texts.column_names if texts[name].type == "string"]
        found += [f"{file.relative_to(state)}: {name}" for name in columns if gone & {*texts[name].to_pylist()}]
    rows = Store(site=site, catalogue=catalogue, state=state).read_leads(["b", "new"])
    found += [f"online {lead_id}" for lead_id, row in rows.items() if row is not None]
    engine = open_database(site, state)
    found += [f"log {lead_id}" for lead_id in Log(engine).facts(["b", "new"], after=0)]
    found += [f"answers {lead_id}" for lead_id in answers(engine)["lead_id"].to_pylist() if lead_id in gone]
    found += [] if Log(engine).erased(["b", "new"]) == {"b", "new"} else ["no tombstones"]
    engine.dispose()
    return found + [file.name for file in state.glob("erasing*")]


@pytest.mark.proof
def test_an_erasure_that_was_killed_anywhere_is_finished_by_the_next(
    made: tuple[Site, Catalogue, Path], tmp_path: Path
) -> None:
    """By then nothing may tell any more that b and new were one person: it was written down before."""
    site, catalogue, whole = made
    step, ended, left = 0, False, {}
    while not ended:
        state = tmp_path / f"state-{step}"
        shutil.copytree(whole, state)
        try:
            with listening(killed_at(step, state)):
                erase_people(site, catalogue, ["new"], state=state, at=WALL)
            ended = True
        except Killed:
            erase_people(site, catalogue, ["new"], state=state, at=WALL)
        left[step] = traces(site, catalogue, state)
        shutil.rmtree(state)
        step += 1

    assert step > 10
    assert {killed: found for killed, found in left.items() if found} == {}


@pytest.mark.proof  # it waits for SQLite's reader as long as a command would
def test_while_somebody_reads_what_was_all_else_is_erased(place: tuple[Site, Catalogue, Path]) -> None:
    """It is said that it must be repeated; then the rest goes too."""
    site, catalogue, state = place
    with closing(sqlite3.connect(state / DATABASE)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchall()
        with pytest.raises(Unfinished, match="erase them again"):
            erase_people(site, catalogue, ["new"], state=state, at=WALL)
        assert traces(site, catalogue, state) == ["erasing.json"]

    again = erase_people(site, catalogue, ["new"], state=state, at=WALL)

    assert set(again.leads) == {"new", "b"}
    assert traces(site, catalogue, state) == []


@pytest.mark.parametrize("moment_of_build", ["spines", "offline"])
def test_whoever_is_erased_during_a_build_is_in_nothing_that_it_publishes(
    place: tuple[Site, Catalogue, Path], moment_of_build: str
) -> None:
    """Its history was written by then; the next build knows them no more either."""
    site, catalogue, state = place
    erased = list[tuple[str, ...]]()

    def erase(event: str, path: str) -> None:
        if event == "os.mkdir" and path.endswith(f"/{moment_of_build}") and not erased:
            erased.append(())
            erased.append(erase_people(site, catalogue, ["new"], state=state, at=WALL).leads)

    with listening(erase):
        history = built_anew(site, catalogue, state)

    assert set(erased[-1]) == {"new", "b"}
    assert traces(site, catalogue, state) == []
    assert (history.summary.leads, history.summary.events, history.summary.merged) == (1, 0, 0)
    assert history.of_other_leads([("E9", "x"), ("E1", "x")]) == frozenset()
    assert built_anew(site, catalogue, state).facts(["b", "new", "other"]).keys() == {"other"}
    assert traces(site, catalogue, state) == []
