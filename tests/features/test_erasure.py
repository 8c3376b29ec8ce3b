"""Whoever is erased is gone from everywhere; whoever was once taken for the same person stands alone and complete."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from features.build import build
from features.catalogue import Catalogue
from features.erasure import erase_people
from features.history import open_history
from features.identity.key import make_key
from features.log import Log, NewEdge
from leadlight.database import open_database
from leadlight.journal import Erased, answer, answers, answers_of, keep
from leadlight.schema import FOREVER, HOUR
from leadlight.settings import Site
from tests.builders import moment
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
