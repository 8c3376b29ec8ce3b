"""The build and the live log: what came since is taken in, whoever else builds meanwhile."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event as Signal
from threading import Thread

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.build import Built, build
from features.catalogue import Catalogue
from features.history import open_history
from features.identity import Key, hashes_of
from features.identity.key import VARIABLE, make_key
from features.log import Log, NewEdge, NewEvent, NewFact, NewVersion
from features.segments import DATABASE, open_log
from features.single import evaluate
from features.store import lead_table
from features.store.door import Store
from leadlight.locking import alone
from leadlight.schema import DAY, HOUR, Micros
from leadlight.settings import Site
from tests.builders import moment
from tests.features.interruptions import listening
from tests.features.raw_builders import EVENT, LEAD, WALL, events, leads, school

NOON = moment("2025-03-20 12:00", 8 * HOUR)
COLUMNS = "lead_id, created_at, channel, city, budget, phone"
SHARED = [
    f"('{who}', TIMESTAMP '2025-03-0{day} 10:00', 'sem', NULL, 1, '13912345678')" for day, who in enumerate("ab", 1)
]


@pytest.fixture
def place(tmp_path: Path) -> tuple[Site, Catalogue]:
    """The school with one lead, not yet built."""
    return school(tmp_path)


def built(site: Site, catalogue: Catalogue) -> Built:
    """A build from the school's SQL and its live log."""
    return build(site, catalogue, state=site.folder / "state", data=site.folder / "data", as_of=None, wall=WALL)


@contextmanager
def live(site: Site) -> Iterator[Log]:
    """The school's live log."""
    state = site.folder / "state"
    state.mkdir(exist_ok=True)
    (state / DATABASE).touch()
    with open_log(site, state) as log:
        assert log is not None
        yield log


def seen(event_id: str, lead_id: str, at: Micros, kind: str = "view", amount: int | None = None) -> NewEvent:
    """An event of the school."""
    return NewEvent(event_id, lead_id, kind, at, amount, {})


def test_live_facts_are_built_in(place: tuple[Site, Catalogue]) -> None:
    """A new lead gets its online row, an event counts, and the summary says up to where the log was read."""
    site, catalogue = place
    built(site, catalogue)
    with live(site) as log:
        new = NewVersion("L2", NOON, "app", "139****5678", NOON, {"city": "Wuhan", "budget": 2.5}, ())
        log.append([new, seen("E2", "L2", NOON + 1)], now=lambda: NOON + HOUR, base={})

    result = built(site, catalogue)

    state = site.folder / "state"
    history = open_history(state)
    facts = history.facts(["L2"])["L2"]
    row = Store(site=site, catalogue=catalogue, state=state).read_leads(["L2"])["L2"]
    assert row is not None
    assert (result.leads, result.events, history.summary.log_seq, history.summary.generation) == (2, 2, 2, 2)
    assert (facts.known_at, facts.contact, result.as_of) == (NOON + HOUR, "139****5678", NOON + HOUR + 1)
    expected = evaluate(catalogue, site, facts, result.as_of).values
    assert expected["city"] == "Wuhan"
    assert {name: row[name] for name in expected} == expected
    assert history.summary.reads(int(row["row_seq"] or 0), 2)


def test_nothing_new_in_the_log_is_nothing_to_build(place: tuple[Site, Catalogue]) -> None:
    """The log's head is part of what a build is asked for, and a log that nobody ever wrote is none."""
    site, catalogue = place
    assert not built(site, catalogue).skipped
    assert built(site, catalogue).skipped
    assert not (site.folder / "state" / DATABASE).exists()

    with live(site) as log:
        assert built(site, catalogue).skipped
        log.append([seen("E2", "L1", NOON)], now=lambda: NOON, base=open_history(site.folder / "state").records(["L1"]))

    assert not built(site, catalogue).skipped
    assert built(site, catalogue).skipped


def test_files_that_repeat_live_facts_change_nothing(place: tuple[Site, Catalogue]) -> None:
    """The company's files bring the live lead and its event again, without an arrival: the digest stays."""
    site, catalogue = place
    with live(site) as log:
        new = NewVersion("L2", NOON, "sem", None, NOON, {"city": "Wuhan", "budget": 2.5}, ())
        log.append([new, seen("E2", "L2", NOON, amount=7)], now=lambda: NOON + HOUR, base={})
    before = built(site, catalogue)

    again = "('L2', TIMESTAMP '2025-03-20 12:00', 'sem', 'Wuhan', 2.5)"
    order = "('E2', 'L2', 'view', TIMESTAMP '2025-03-20 12:00', NULL, 7, NULL, NULL)"
    place = school(site.folder, leads_sql=leads(LEAD, again), events_sql=events(EVENT, order))
    after = built(*place)

    assert not after.skipped
    assert replace(after, seconds={}) == replace(before, seconds={})


PHONE = "lead_id, created_at, channel, city, budget, phone"
CAME = "TIMESTAMP '2025-03-20 12:00'"
OF_FILES = [f"('L1', {CAME}, 'sem', NULL, NULL, '13912345678')", f"('L2', {CAME}, 'sem', NULL, 7.5, '13912345678')"]
ORDER = f"('E2', 'L2', 'order', {CAME}, NULL, 9, NULL, NULL)"


def test_what_files_say_otherwise_of_what_came_live_counts_from_the_build_on(place: tuple[Site, Catalogue]) -> None:
    """Of its lead, its event and its contacts; what the files leave blank stays; no earlier answer is another."""
    site, _ = place
    state = site.folder / "state"
    make_key(state)
    with live(site) as log:
        new = NewVersion("L2", NOON, "sem", None, NOON, {"city": "Wuhan"}, ())
        log.append([new, seen("E2", "L2", NOON, "order", amount=7)], now=lambda: NOON + HOUR, base={})
    place = school(site.folder, leads_sql=leads(OF_FILES[0], columns=PHONE), events_sql=events(EVENT))
    before = built(*place)
    earlier = open_history(state).facts(["L2"])["L2"]

    place = school(site.folder, leads_sql=leads(*OF_FILES, columns=PHONE), events_sql=events(EVENT, ORDER))
    after = built(*place)

    history = open_history(state)
    now = history.records(["L2"])["L2"]
    for as_of in (NOON + HOUR, before.as_of):
        assert evaluate(place[1], site, earlier, as_of).values == evaluate(place[1], site, now, as_of).values
        assert history.identity.canonical("L2", as_of) == "L2"
    values = evaluate(place[1], site, now, after.as_of).values
    assert (values["city"], values["budget"], values["paid"]) == ("Wuhan", 7.5, 0.009)
    assert history.identity.canonical("L2", after.as_of) == "L1"
    assert [note for note in after.notes if "(3 such): it counts from this build on" in note]


def test_what_files_said_of_what_came_live_is_heard_once(place: tuple[Site, Catalogue], tmp_path: Path) -> None:
    """A build of the same has nothing to do; from nothing it finds the same; what comes live afterwards stays."""
    site, _ = place
    state = site.folder / "state"
    version = NewVersion("L2", NOON, "sem", None, NOON, {"city": "Wuhan", "budget": 1.0}, ())
    with live(site) as log:
        log.append([version, seen("E2", "L2", NOON, "order", amount=7)], now=lambda: NOON + HOUR, base={})
    place = school(site.folder, leads_sql=leads(*OF_FILES, columns=PHONE), events_sql=events(EVENT, ORDER))
    first = built(*place)

    again = built(*place)
    shutil.copytree(
        state, tmp_path / "fresh", ignore=shutil.ignore_patterns("history", "offline", "live", "build.json")
    )
    anew = build(*place, state=tmp_path / "fresh", data=site.folder / "data", as_of=None, wall=WALL)
    with live(site) as log:
        head = log.append([version, seen("E2", "L2", NOON, "order", amount=7)], now=lambda: WALL - DAY, base={}).seq
    built(*place)

    with live(site) as log:
        assert log.head() == head
    facts = open_history(state).facts(["L2"])["L2"]
    assert again.skipped
    assert anew.digest == first.digest
    assert [event.amount for event in facts.events if event.until is None] == [7]
    assert [each.values["budget"] for each in facts.versions if each.until is None] == [1.0]


def test_what_comes_while_files_are_read_is_held_against_them_too(place: tuple[Site, Catalogue]) -> None:
    """Where a build has something to say to the log, nothing that others said meanwhile is recorded unheard."""
    site, _ = place
    with live(site) as log:
        version = NewVersion("L2", NOON, "sem", None, NOON, {"city": "Wuhan", "budget": 2.5}, ())
        log.append([version], now=lambda: NOON + HOUR, base={})
    built(*place)
    otherwise = "('L2', TIMESTAMP '2025-03-20 12:00', 'sem', 'Beijing', 2.5)"
    event = "('E3', 'L1', 'view', TIMESTAMP '2025-03-20 12:00', NULL, 9, NULL, NULL)"
    place = school(site.folder, leads_sql=leads(LEAD, otherwise), events_sql=events(EVENT, event))
    base = open_history(site.folder / "state").records(["L1"])
    come = list[int]()

    def comes(happens: str, path: str) -> None:
        if happens == "open" and path.endswith("events.sql") and not come:
            come.append(0)
            with live(site) as log:
                come.append(log.append([seen("E3", "L1", NOON, amount=7)], now=lambda: NOON + 2 * HOUR, base=base).seq)

    with listening(comes):
        built(*place)
    last = built(*place)

    assert come[1:]
    assert last.skipped
    known = open_history(site.folder / "state").facts(["L1"])["L1"].events
    assert [each.amount for each in known if each.event_id == "E3" and each.until is None] == [9]


def test_versions_of_files_are_heard_at_their_moments(place: tuple[Site, Catalogue]) -> None:
    """Of a lead that came live; a version that repeats a live one of its moment says nothing."""
    site, _ = place
    with live(site) as log:
        log.append([NewVersion("L2", NOON, "sem", None, NOON, {"city": "Wuhan"}, ())], now=lambda: NOON + HOUR, base={})
    moved = [
        f"('L2', {CAME}, 'sem', '{city}', NULL, TIMESTAMP '2025-03-{day} 12:00', TIMESTAMP '2025-03-{day} 13:00')"
        for city, day in (("Wuhan", 20), ("Xian", 22), ("Wuhan", 24))
    ]
    columns = 'lead_id, created_at, channel, city, budget, "at", arrived_at'
    of_l1 = f"('L1', {CAME}, 'sem', 'Wuhan', NULL, {CAME}, {CAME})"

    result = built(*school(site.folder, leads_sql=leads(of_l1, *moved, columns=columns)))

    versions = open_history(site.folder / "state").records(["L2"])["L2"].versions
    assert [(each.at, each.values["city"]) for each in versions] == [
        (NOON, "Wuhan"),
        (NOON + 2 * DAY, "Xian"),
        (NOON + 4 * DAY, "Wuhan"),
    ]
    assert [each.arrived_at < result.as_of for each in versions] == [True] * 3
    assert len({each.arrived_at for each in versions[1:]} & {NOON + 2 * DAY + HOUR, NOON + 4 * DAY + HOUR}) == 0


def test_files_know_the_leads_that_came_live(place: tuple[Site, Catalogue]) -> None:
    """An event of such a lead is none of an unknown one; one that came live for another lead is set aside and told."""
    site, _ = place
    with live(site) as log:
        new = NewVersion("L2", NOON, "sem", None, NOON, {}, ())
        log.append([new, seen("E2", "L2", NOON)], now=lambda: NOON, base={})
    of_both = "('E3', 'L2', 'view', TIMESTAMP '2025-03-21 12:00', NULL, NULL, NULL, NULL)"
    stolen = "('E2', 'L1', 'view', TIMESTAMP '2025-03-21 12:00', NULL, NULL, NULL, NULL)"

    assert built(*school(site.folder, events_sql=events(EVENT, of_both))).events == 3
    after = built(*school(site.folder, events_sql=events(EVENT, of_both, stolen)))

    facts = open_history(site.folder / "state").records(["L1", "L2"])
    found = {who: [each.event_id for each in facts[who].events] for who in facts}
    assert found == {"L1": ["E1"], "L2": ["E2", "E3"]}
    words = "events: 1 row with the event_id of another lead's live event: set aside"
    assert [note for note in after.notes if note.startswith(words)]


def test_a_live_text_of_what_is_a_number_now_is_unknown_and_told(place: tuple[Site, Catalogue]) -> None:
    """It came while the attribute was a text; the build says how many such there are, and goes on."""
    site, catalogue = place
    with live(site) as log:
        came = [("L2", "about 500"), ("L3", "nan"), ("L4", "7.5")]
        new = [NewVersion(who, NOON, "sem", None, NOON, {"budget": budget}, ()) for who, budget in came]
        log.append(new, now=lambda: NOON, base={})

    notes = built(site, catalogue).notes

    facts = open_history(site.folder / "state").facts(["L2", "L3", "L4"])
    assert {who: each.versions[0].values["budget"] for who, each in facts.items()} == {
        "L2": None,
        "L3": None,
        "L4": 7.5,
    }
    assert [note.split(":")[1].strip() for note in notes if "is a number now" in note] == [
        "2 live versions have a text where budget is a number now"
    ]


def test_leads_that_share_a_phone_become_one_person(place: tuple[Site, Catalogue]) -> None:
    """With a key; a reviewer parts them; without a key the report says why nobody is recognised."""
    site, catalogue = school(
        place[0].folder, leads_sql=leads(*SHARED, columns=COLUMNS), events_sql=events(EVENT.replace("L1", "a"))
    )
    state = site.folder / "state"

    without = built(site, catalogue)
    make_key(state)
    with_key = built(site, catalogue)
    with live(site) as log:
        edge = NewEdge("b", None, "apart", "reviewer", "brothers")
        log.append([edge], now=lambda: NOON, base=open_history(state).records(["b"]))
    parted = built(site, catalogue)

    who = open_history(state).identity
    created = moment("2025-03-02 10:00", 8 * HOUR)
    assert any("for want of a key: `leadlight identity key SITE`" in note for note in without.notes)
    assert (without.merged, with_key.merged, parted.merged) == (0, 2, 2)
    assert (with_key.online_rows, parted.online_rows) == (1, 2)
    assert [who.canonical("b", at) for at in (created - 1, created, NOON - 1, NOON)] == ["b", "a", "a", "b"]
    assert not any("want of a key" in note for note in with_key.notes)


def test_a_contact_hashed_under_the_old_key_merges_from_the_build_on_that_finds_it(
    place: tuple[Site, Catalogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that was not started anew answered it as somebody else until then."""
    old, new = Key((b"a" * 40,)), Key((b"a" * 40, b"b" * 40))
    monkeypatch.setenv(VARIABLE, f"{'a' * 40},{'b' * 40}")
    site, catalogue = school(place[0].folder, leads_sql=leads(OF_FILES[0], columns=PHONE))
    state = site.folder / "state"
    built(site, catalogue)
    hashes = {key: hashes_of({"phone": "13912345678"}, key, "CN") for key in (old, new)}
    assert hashes[new][0][1] == open_history(state).contacts_of(["L1"])[0].hash
    with live(site) as log:
        late = NewVersion("L2", NOON + DAY, "sem", None, NOON + DAY, {}, hashes[old])
        log.append([late], now=lambda: NOON + DAY, base={})

    result = built(site, catalogue)

    who = open_history(state).identity
    assert [who.canonical("L2", at) for at in (NOON + DAY, result.as_of)] == ["L2", "L1"]
    assert built(site, catalogue).skipped


def test_an_erased_lead_stays_away(place: tuple[Site, Catalogue]) -> None:
    """Its rows in the company's files are passed over, whatever they say."""
    site, catalogue = school(place[0].folder, leads_sql=leads(LEAD, LEAD.replace("L1", "L2")))
    built(site, catalogue)
    with live(site) as log:
        log.erase(["L1"], at=NOON)

    result = built(site, catalogue)

    assert (result.leads, result.events) == (1, 0)
    assert open_history(site.folder / "state").facts(["L1", "L2"]).keys() == {"L2"}


def test_two_builds_of_one_state_wait_for_one_another(
    place: tuple[Site, Catalogue], caplog: pytest.LogCaptureFixture
) -> None:
    """The second says that it waits, and then finds that there is nothing left to do."""
    site, catalogue = place
    built(site, catalogue)
    waited, results = Signal(), list[Built]()

    class Listener(logging.Handler):
        def emit(self, _: logging.LogRecord) -> None:
            waited.set()

    logging.getLogger("leadlight.features").addHandler(listener := Listener())
    with alone(site.folder / "state" / "build.lock"):
        second = Thread(target=lambda: results.append(built(site, catalogue)))
        second.start()
        assert waited.wait(20)
        second.join(1)
        assert results == []
    second.join(60)
    logging.getLogger("leadlight.features").removeHandler(listener)

    assert "another build of" in caplog.text
    assert results[0].skipped


def test_a_clock_that_ends_with_the_log_counts_live_facts(place: tuple[Site, Catalogue]) -> None:
    """The newest live fact moves the site's clock."""
    site, catalogue = place
    before = built(site, catalogue).as_of
    with live(site) as log:
        late = NOON + 30 * DAY
        log.append([seen("E2", "L1", NOON)], now=lambda: late, base=open_history(site.folder / "state").records(["L1"]))

    assert before < built(site, catalogue).as_of == late + 1


def test_a_build_after_few_changes_is_a_build_from_nothing(place: tuple[Site, Catalogue], tmp_path: Path) -> None:
    """Rows of persons of whom nothing changed are taken over, all others evaluated: the files are the same."""
    many = [LEAD.replace("L1", f"L{n}").replace("-03-01", f"-03-{n:02}") for n in range(1, 25)]
    visit = [EVENT.replace("L1", f"L{n}").replace("E1", f"E{n}") for n in range(25)]
    seen_by_all = [visit[n].replace("-03-02", f"-03-{n:02}") for n in range(3, 24)]
    seen_by_all.append(visit[24].replace("-03-02", "-04-25"))  # so that most rows are mature
    site, catalogue = school(place[0].folder, leads_sql=leads(*many), events_sql=events(EVENT, *seen_by_all))
    built(site, catalogue)
    _raise_all_values(lead_table(site.folder / "state"))
    late = EVENT.replace("'L1'", "'L4'").replace("E1", "late").replace("-03-02", "-03-05")
    newest = EVENT.replace("'L1'", "'L9'").replace("E1", "newest").replace("-03-02", "-04-20")
    changed = [many[0].replace("Beijing", "Wuhan"), *many[1:], many[3].replace("L4", "L40")]

    sources = {"leads_sql": leads(*changed), "events_sql": events(EVENT, *seen_by_all, late, newest)}
    site, catalogue = school(site.folder, **sources)
    built(site, catalogue)

    rows = {row["lead_id"]: row for row in pq.read_table(lead_table(site.folder / "state")).to_pylist()}
    fresh, _ = school(tmp_path / "fresh", **sources)
    built(fresh, catalogue)
    expected = {row["lead_id"]: row for row in pq.read_table(lead_table(fresh.folder / "state")).to_pylist()}
    raised = {who for who in expected if rows[who]["views_7d"] == expected[who]["views_7d"] + 1000}
    evaluated = {who for who in expected if rows[who] == expected[who]}
    assert rows.keys() == expected.keys()
    assert evaluated >= {"L1", "L4", "L9", "L40"}
    assert raised | evaluated == rows.keys()
    assert {"L2", "L3", "L5", "L8"} <= raised


def _raise_all_values(file: Path) -> None:
    """Make every stored row tell that it was not evaluated anew."""
    table = pq.read_table(file)
    place = table.schema.get_field_index("views_7d")
    pq.write_table(table.set_column(place, "views_7d", pc.add(table["views_7d"], 1000)), file)


def test_an_incremental_build_equals_a_full_one_bit_for_bit(place: tuple[Site, Catalogue], tmp_path: Path) -> None:
    """Live facts, a merge and a version later, the same files as from nothing; the digest of the facts as well."""
    columns = [LEAD.replace("L1", f"L{n}").replace("-03-01", f"-03-{n:02}") for n in range(1, 21)]
    newest = EVENT.replace("L1", "L20").replace("E1", "newest").replace("-03-02", "-04-25")
    sources = {"leads_sql": leads(*columns), "events_sql": events(EVENT, newest)}
    site, catalogue = school(place[0].folder, **sources)
    state = site.folder / "state"
    first = built(site, catalogue)
    with live(site) as log:
        known = open_history(state).records([f"L{n}" for n in range(1, 21)])
        facts: list[NewFact] = [
            NewEdge("L2", "L3", "same", "reviewer", "seen"),
            NewVersion("L5", known["L5"].created_at, "sem", None, known["L5"].created_at + DAY, {"city": "Xi'an"}, ()),
            *(seen(f"live{n}", f"L{n}", known[f"L{n}"].created_at + n * HOUR) for n in range(6, 12)),
        ]
        log.append(facts, now=lambda: moment("2025-03-09 12:00"), base=known)

    incremental = built(site, catalogue)

    shutil.copytree(state, tmp_path / "fresh")
    shutil.rmtree(tmp_path / "fresh" / "offline")
    (tmp_path / "fresh" / "build.json").unlink()
    full = build(site, catalogue, state=tmp_path / "fresh", data=site.folder / "data", as_of=None, wall=WALL)
    assert replace(full, seconds={}) == replace(incremental, seconds={})
    assert first.lead_rows > 0
    assert pq.read_table(lead_table(state)).equals(pq.read_table(lead_table(tmp_path / "fresh")))
    assert lead_table(state).read_bytes() == lead_table(tmp_path / "fresh").read_bytes()
