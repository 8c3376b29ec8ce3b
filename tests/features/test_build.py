"""The build: raw files in, history, spines, Feast tables and online rows out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from features.build import Built, _request, build
from features.catalogue import Catalogue
from features.history import History, clock, open_history
from features.labels import Counts
from features.single import evaluate
from features.spine import spine_file
from features.store import context_table, lead_table
from features.store.door import Store
from leadlight.schema import DAY, HOUR, Micros, to_micros
from leadlight.settings import Site, SiteError, load_site
from tests.builders import moment
from tests.features.raw_builders import SITE, WALL, school

PHONES = [f"1511234{n:04}" for n in range(40)]
CONTACTS = [*PHONES, "fang_wechat_1990", "wang.fang@mail.example", "device-A1B2C3"]
LEADS = f"""
SELECT 'L' || n AS lead_id, TIMESTAMP '2025-03-01 10:00' + to_days(n::INTEGER) AS created_at,
    ['sem', 'app'][n % 2 + 1] AS channel, ['Beijing', 'Wuhan', NULL][n % 3 + 1] AS city, n * 0.1 AS budget,
    {PHONES}[n + 1] AS phone, 'fang_wechat_1990' AS wechat, 'wang.fang@mail.example' AS email, 'device-A1B2C3' AS device
FROM range(40) AS people(n)
"""
VIEWS = """
SELECT 'V' || n AS event_id, 'L' || n % 40 AS lead_id, 'view' AS kind,
    TIMESTAMP '2025-03-01 12:00' + to_hours((n * 7 % 1200)::INTEGER) AS at, NULL::TIMESTAMP AS arrived_at,
    NULL::BIGINT AS amount, 'maths' AS course, NULL AS status
FROM range(400) AS seen(n)
"""
ORDERS = """
SELECT 'O' || n, 'L' || n * 2, 'order', TIMESTAMP '2025-03-11 09:00' + to_days((n * 2)::INTEGER),
    NULL, 99000, NULL, NULL
FROM range(12) AS bought(n)
"""
EARLY = "SELECT 'early', 'L1', 'order', TIMESTAMP '2025-03-05 09:00', NULL, 99000, NULL, NULL"
EVENTS = f"{VIEWS} UNION ALL {ORDERS} UNION ALL {EARLY}"


@dataclass(frozen=True)
class Place:
    """The school in a folder of its own, with its state and what was built there."""

    site: Site
    catalogue: Catalogue
    result: Built

    @property
    def state(self) -> Path:
        """What the builds leave."""
        return self.site.folder / "state"

    @property
    def history(self) -> History:
        """The history that was built."""
        return open_history(self.state)

    @property
    def store(self) -> Store:
        """The store that was built."""
        return Store(site=self.site, catalogue=self.catalogue, state=self.state)

    def build(self, leads_sql: str = LEADS, events_sql: str = EVENTS, as_of: Micros | None = None) -> Built:
        """Another build into the same state, with these queries."""
        return built(*school(self.site.folder, leads_sql=leads_sql, events_sql=events_sql), as_of=as_of)


def built(site: Site, catalogue: Catalogue, as_of: Micros | None = None) -> Built:
    """A build from the school's empty data folder; its rows are in its SQL."""
    folder = site.folder
    return build(site, catalogue, state=folder / "state", data=folder / "data", as_of=as_of, wall=WALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The school with forty leads, built once; tests only read it."""
    site, catalogue = school(tmp_path_factory.mktemp("school"), leads_sql=LEADS, events_sql=EVENTS)
    return Place(site, catalogue, built(site, catalogue))


@pytest.fixture
def own(place: Place, tmp_path: Path) -> Place:
    """A copy of the built school that a test may build again."""
    folder = tmp_path / "school"
    shutil.copytree(place.site.folder, folder)
    return replace(place, site=load_site(folder))


def rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file."""
    found: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return found


def test_every_spine_row_has_its_lead_row_and_both_evaluators_agree(place: Place) -> None:
    """The offline table holds each moment of the spine once, with the values the one-lead evaluator finds."""
    spine = rows(spine_file(place.state, "first_order"))
    table = rows(lead_table(place.state))

    assert [(row["lead_id"], to_micros(row["as_of"])) for row in table] == [(r["lead_id"], r["as_of"]) for r in spine]
    for row in table:
        facts = place.history.lead(row["lead_id"])
        assert facts is not None
        expected = evaluate(place.catalogue, place.site, facts, row["row_as_of"])
        assert list(row) == ["lead_id", "as_of", "valid_until", *expected.values, "row_as_of"]
        assert {name: row[name] for name in expected.values} == expected.values
        assert row["valid_until"] == expected.valid_until


def test_the_report_counts_what_was_made(place: Place) -> None:
    """Rows, positives and what was left out, with the seconds of each step; as words and as one object."""
    result = place.result

    assert (result.leads, result.events, result.skipped) == (40, 413, False)
    assert result.as_of == clock(place.site, place.history, wall=WALL) == place.history.summary.newest_fact + 1
    assert result.targets == {"first_order": Counts(rows=13, positives=7, immature=26, converted=1)}
    assert result.lead_rows == 13
    assert result.context_rows == len(rows(context_table(place.state)))
    assert list(result.seconds) == ["sources", "check", "history", "spines", "lead rows", "context rows", "online rows"]
    assert result.to_json()["targets"]["first_order"]["rows"] == 13
    expected = "first_order: 13 rows, 7 positive; left out: 26 immature, 1 already converted"
    assert expected in result.lines()


def test_open_leads_have_an_exact_online_row_and_converted_ones_none(place: Place) -> None:
    """Each open lead's row is what the one-lead evaluator says at the clock."""
    as_of = place.result.as_of

    stored = place.store.read_leads(f"L{n}" for n in range(40))

    assert {lead_id for lead_id, row in stored.items() if row is None} == {"L1", *(f"L{n * 2}" for n in range(12))}
    assert place.result.online_rows == 27
    for lead_id, row in stored.items():
        if row is not None:
            facts = place.history.lead(lead_id)
            assert facts is not None
            expected = evaluate(place.catalogue, place.site, facts, as_of)
            assert place.history.summary.reads(int(row.pop("row_seq") or 0), 0)
            assert row == {**expected.values, "as_of": as_of, "valid_until": expected.valid_until}


def test_context_rows_reach_from_the_first_moment_to_the_clock(place: Place) -> None:
    """The first spine row finds the day closed before it, and the newest closed day is online."""
    closed = sorted({row["row_closed_at"] for row in rows(context_table(place.state))})
    first = min(row["row_as_of"] for row in rows(lead_table(place.state)))
    newest = place.store.read_context(["all"])["all"]

    assert closed[0] <= first < closed[1]
    assert closed[-1] <= place.result.as_of < closed[-1] + DAY
    assert newest is not None
    assert newest["closed_at"] == closed[-1]


def test_an_unchanged_site_is_not_built_again(own: Place) -> None:
    """The next build is skipped and says so; it returns what the first one made."""
    again = own.build()

    assert again == replace(own.result, skipped=True, seconds={})
    assert "unchanged since the last build" in again.lines()[0]


def test_the_same_facts_in_other_files_keep_their_digest(own: Place) -> None:
    """A query that returns the same rows in another order is built, and the digest shows that nothing is new."""
    again = own.build(events_sql=f"SELECT * FROM ({EVENTS}) ORDER BY random()")

    assert not again.skipped
    assert replace(again, seconds={}) == replace(own.result, seconds={})


def test_whatever_a_build_depends_on_makes_a_new_request(own: Place) -> None:
    """A raw file or its name, a setting, the catalogue, a query, a moment: each counts; the folder does not."""
    site, catalogue, data = own.site, own.catalogue, own.site.folder / "data"

    def request(site: Site = site, catalogue: Catalogue = catalogue, as_of: Micros | None = None) -> str:
        return _request(site, catalogue, data=data, state=own.state, as_of=as_of, wall=WALL)

    seen = [request(), request(as_of=WALL), request(catalogue=Catalogue(feature=catalogue.feature[1:]))]
    seen.append(request(school(site.folder, leads_sql=LEADS, toml=SITE.replace('"30d"', '"20d"'))[0]))
    (data / "a.csv").write_text("x\n1\n", encoding="utf-8")
    seen.append(request())
    (data / "a.csv").rename(data / "b.csv")
    seen.append(request())
    (data / "b.csv").write_text("x\n2\n", encoding="utf-8")
    seen.append(request())
    (data / "b.csv").unlink()
    seen.append(request(school(site.folder, leads_sql=f"{LEADS} WHERE n < 39", events_sql=EVENTS)[0]))

    assert len(set(seen)) == len(seen)
    school(site.folder, leads_sql=LEADS, events_sql=EVENTS)
    assert request(site.model_copy(update={"folder": site.folder.parent / "school"})) == seen[0]


def test_on_the_wall_clock_a_build_holds_for_a_local_day(own: Place) -> None:
    """Until midnight in China nothing is built again; a last-fact clock, or a moment asked for, knows no day."""
    wall_site = school(own.site.folder, toml=SITE.replace('"last_fact"', '"wall"'))[0]
    midnight = moment("2025-06-02 00:00", 8 * HOUR)

    def request(site: Site, wall: Micros, as_of: Micros | None = None) -> str:
        return _request(site, own.catalogue, data=own.site.folder / "data", state=own.state, as_of=as_of, wall=wall)

    assert request(wall_site, midnight - DAY) == request(wall_site, midnight - 1) != request(wall_site, midnight)
    assert request(own.site, midnight - 1) == request(own.site, midnight)
    assert request(wall_site, midnight - 1, as_of=DAY) == request(wall_site, midnight, as_of=DAY)


def test_a_fault_in_the_data_leaves_the_last_build_as_it_was(own: Place) -> None:
    """The faults are told, nothing of the state changes, and no half-written folder stays behind."""
    before = {path: path.read_bytes() for path in own.state.rglob("*") if path.is_file()}

    with pytest.raises(SiteError, match="400 rows of an unknown kind"):
        own.build(events_sql=EVENTS.replace("'view'", "'visit'"))

    assert {path: path.read_bytes() for path in own.state.rglob("*") if path.is_file()} == before
    assert [path.name for path in own.state.glob(".build-*")] == []
    assert own.build().skipped


def test_a_build_that_broke_off_is_done_again(own: Place) -> None:
    """Without its record, which is written last, a state counts as unbuilt."""
    (own.state / "build.json").unlink()
    shutil.rmtree(own.state / "offline")

    again = own.build()

    assert replace(again, seconds={}) == replace(own.result, seconds={})
    assert lead_table(own.state).is_file()


def test_a_lead_that_closed_since_the_last_build_keeps_no_row(own: Place) -> None:
    """Its stored row would go on saying what was true before; without one a reader asks the log."""
    late = "SELECT 'late', 'L3', 'order', TIMESTAMP '2025-05-01 09:00', NULL, 50000, NULL, NULL"

    own.build(events_sql=f"{EVENTS} UNION ALL {late}")

    assert own.store.read_leads(["L3"])["L3"] is None


def test_a_build_of_an_earlier_clock_leaves_no_later_row(own: Place) -> None:
    """Other facts and an earlier clock: every online row, lead or context, is of this build."""
    earlier = own.result.as_of - 10 * DAY
    more = "SELECT 'more', 'L3', 'view', TIMESTAMP '2025-03-05 09:00', NULL, NULL, 'maths', NULL"

    result = own.build(events_sql=f"{EVENTS} UNION ALL {more}", as_of=earlier)

    leads = own.store.read_leads([f"L{n}" for n in range(40)]).values()
    assert {row["as_of"] for row in leads if row} == {result.as_of} == {earlier}
    crowd = own.store.read_context(["all"])["all"]
    assert crowd is not None
    assert isinstance(crowd["closed_at"], int)
    assert crowd["closed_at"] <= earlier


def test_what_was_not_known_changes_no_row(own: Place) -> None:
    """Planted events that had not happened or arrived at the lead's moment change no value; one that had does.

    L3 is looked at on 2025-03-11 10:00, each further lead a day later.
    """
    planted = {
        "L3": "'view', TIMESTAMP '2025-03-05 12:00', TIMESTAMP '2025-03-11 10:00:00.000001', NULL",
        "L4": "'view', TIMESTAMP '2025-03-12 10:00', TIMESTAMP '2025-03-12 10:00', NULL",
        "L5": "'order', TIMESTAMP '2025-03-13 10:00:01', NULL, 77000",
        "L6": "'view', TIMESTAMP '2025-03-10 10:00', TIMESTAMP '2025-04-15 10:00', NULL",
        "L7": "'view', TIMESTAMP '2025-03-10 10:00', TIMESTAMP '2025-03-15 10:00', NULL",
    }
    extra = [f"UNION ALL SELECT 'X{lead_id}', '{lead_id}', {event}, NULL, NULL" for lead_id, event in planted.items()]
    before = {row["lead_id"]: row for row in rows(lead_table(own.state))}

    result = own.build(events_sql=" ".join([EVENTS, *extra]), as_of=own.result.as_of)

    after = {row["lead_id"]: row for row in rows(lead_table(own.state))}
    values = [column.name for column in own.catalogue.lead_columns]
    changed = {(key, name) for key in before for name in values if before[key][name] != after[key][name]}
    assert not result.skipped
    assert result.targets["first_order"].positives == own.result.targets["first_order"].positives + 1
    assert changed == {("L7", "views_7d"), ("L7", "views_all")}


def test_no_raw_contact_reaches_the_state(place: Place) -> None:
    """No file of the state, compressed or not, holds a phone number, WeChat id, e-mail address or device."""
    texts = {path: path.read_bytes() for path in place.state.rglob("*") if path.is_file()}
    texts |= {path: repr(rows(path)).encode() for path in place.state.rglob("*.parquet")}

    leaked = [(path, contact) for path, text in texts.items() for contact in CONTACTS if contact.encode() in text]

    assert any(b"151****0007" in text for text in texts.values())
    assert leaked == []
