"""What every online store must do: rows read back equal, the newest wins, no read is torn, and Feast sees the same."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from features.store.door import Store
from features.store.online import Row
from features.store.rows import BULK
from leadlight.schema import FOREVER, from_micros
from tests.features.store_builders import (
    CONTEXT_TYPES,
    FEATURES,
    LEAD_TYPES,
    T0,
    lead_rows,
    ordered_rows,
    table,
    tiny_store,
)
from tests.servers import new_database

_NUMBERS = itertools.count()
_COLUMNS = ("row_seq", *list(LEAD_TYPES)[1:])

moments = st.integers(0, FOREVER)
sequences = st.integers(0, 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1), st.none() | st.floats() | st.just(-0.0), st.none() | texts
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "valkey"])
def online(request: pytest.FixtureRequest) -> str:
    """The setting of each online store there is, a real server with nothing in it."""
    if request.param == "postgresql":
        return new_database(request.getfixturevalue("postgres_url"))
    return f"{request.getfixturevalue('valkey_url')}/7" if request.param == "valkey" else "sqlite"


@pytest.fixture(scope="module")
def store(online: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An applied store; each test writes leads of its own."""
    own = opened(tmp_path_factory.mktemp("site"), online)
    yield own
    own.close()


def opened(folder: Path, online: str, features: str = FEATURES) -> Store:
    """The store of the site in ``folder``; its deadline is not what is tested here."""
    return tiny_store(folder, features, stores={"online": online, "deadline_ms": 10_000})


def new_lead() -> str:
    """A lead that no other example has used."""
    return f"lead-{next(_NUMBERS)}"


def read_one(store: Store, lead: str) -> Row:
    """The row of a lead that has one."""
    row = store.read_leads([lead])[lead]
    assert row is not None
    return row


@given(st.lists(st.tuples(texts, sequences, moments, moments, values), max_size=20))
def test_rows_read_back_equal(store: Store, drawn: list[tuple[str, int, int, int, tuple[object, ...]]]) -> None:
    """Whatever was written is read, value for value and missing for missing, whatever the lead is called."""
    rows = ordered_rows(*((new_lead() + name, *order, *cells) for name, *order, cells in drawn))

    store.write_leads(rows)

    written = {row.pop("lead_id"): row for row in rows.to_pylist()}
    assert {lead: sorted_repr(row) for lead, row in store.read_leads(written).items()} == {
        lead: sorted_repr(row) for lead, row in written.items()
    }


def sorted_repr(row: Mapping[str, object] | None) -> str:
    """A row to be compared to the bit: 0.0 is not -0.0, and NaN is NaN."""
    return repr(sorted((row or {}).items()))


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=6), st.integers(0, 6))
def test_the_newest_row_wins_in_any_order(store: Store, orders: list[tuple[int, int]], cut: int) -> None:
    """The row that has read most of the log wins, among those the one of the latest moment, the last of equals."""
    lead = new_lead()
    rows = [(lead, seq, T0 + late, FOREVER, n, float(n), str(n)) for n, (seq, late) in enumerate(orders)]

    for part in (rows[:cut], rows[cut:]):
        store.write_leads(ordered_rows(*part))

    newest = max(rows, key=lambda row: (row[1], row[2], row[4]))
    assert read_one(store, lead) == dict(zip(_COLUMNS, newest[1:], strict=True))


_HIGH = 2**53 + 2**31  # beyond what a double tells apart, and with the sign of its lower half set
SIX = [(0, 9, 1), (2**32, 3, 2), (2**32, 3, 2), (2**53 + 1, 9, 3), (_HIGH, 9, 4), (_HIGH + 1, 1, 5)]
"""Writes of (row_seq, as_of - T0, views): one came twice, and the later moments are not of the newer facts."""


@pytest.mark.parametrize("at_once", [False, True])
def test_every_order_of_six_writes_ends_in_the_same_row(store: Store, at_once: bool) -> None:  # noqa: FBT001
    """All 720, one row a call or all in one: the row with the greatest (row_seq, as_of) stays."""
    orders = {new_lead(): order for order in itertools.permutations(SIX)}
    rows = [
        [(lead, seq, T0 + late, FOREVER, n, None, None) for seq, late, n in order] for lead, order in orders.items()
    ]

    for part in [list(itertools.chain(*rows))] if at_once else zip(*rows, strict=True):
        store.write_leads(ordered_rows(*part))

    newest = dict(zip(_COLUMNS, (_HIGH + 1, T0 + 1, FOREVER, 5, None, None), strict=True))
    assert all(row == newest for row in store.read_leads(orders).values())


def test_rows_without_a_sequence_have_read_nothing_of_the_log(store: Store) -> None:
    """They count as 0: as good as one another, and never better than a row that read a fact."""
    lead = new_lead()
    store.write_leads(lead_rows((lead, T0, 1, None, None)))
    assert read_one(store, lead)["row_seq"] == 0

    store.write_leads(ordered_rows((lead, 1, T0 - 5, FOREVER, 2, None, None)))
    store.write_leads(lead_rows((lead, T0 + 5, 3, None, None)))

    assert read_one(store, lead)["views"] == 2


def test_a_row_that_feast_writes_replaces_the_whole_row(store: Store) -> None:
    """Of what it does not say nothing is left over from the row before, and an older one of Feast's is refused too."""
    lead = new_lead()
    store.write_leads(lead_rows((lead, T0, 1, 0.5, "sem")))
    key = EntityKey(join_keys=["lead_id"], entity_values=[Value(string_val=lead)])

    for late, views in ((1, 2), (0, 3)):
        said = {"views": Value(int64_val=views), "row_as_of": Value(int64_val=T0 + late)}
        row = (key, said, from_micros(T0 + late), None)
        store._feast.provider.online_write_batch(store._feast.config, store._definitions.lead, [row], None)

    nothing = dict.fromkeys(_COLUMNS)
    assert read_one(store, lead) == nothing | {"row_seq": 0, "as_of": T0 + 1, "views": 2}


def test_an_unknown_lead_has_no_row(store: Store) -> None:
    """It is answered with None beside the known ones, each asked once; who asks for nobody gets nothing."""
    known = new_lead()
    store.write_leads(lead_rows((known, T0, 1, None, None)))

    read = store.read_leads([known, "nobody", known])

    assert list(read) == [known, "nobody"]
    assert read["nobody"] is None
    assert store.read_leads([]) == {}


def test_context_rows_read_back_by_key(store: Store) -> None:
    """Everybody and each channel have a newest closed day; an older day changes nothing."""
    store.write_context(table(CONTEXT_TYPES, ("all", T0, 5, None), ("sem", T0, None, 2)))
    store.write_context(table(CONTEXT_TYPES, ("all", T0 - 1, 4, None)))

    read = store.read_context(["all", "sem", "app"])

    assert read == {
        "all": {"closed_at": T0, "crowd_7d": 5, "peers_7d": None},
        "sem": {"closed_at": T0, "crowd_7d": None, "peers_7d": 2},
        "app": None,
    }


def test_many_rows_are_written_and_read_at_once(store: Store) -> None:
    """A build writes more rows than one call may, a bulk score reads hundreds: each gets its own."""
    leads = {new_lead(): n for n in range(BULK + 100)}

    store.write_leads(lead_rows(*((lead, T0, n, None, "小红书") for lead, n in leads.items())))

    assert {lead: (row or {})["views"] for lead, row in store.read_leads(leads).items()} == leads


def test_deleted_rows_are_gone(store: Store) -> None:
    """A merged-away lead has no row and does not expire; a row that never was is passed over; a new one is welcome."""
    gone, kept = new_lead(), new_lead()
    store.write_leads(ordered_rows(*((lead, 5, T0, 11, 1, None, None) for lead in (gone, kept))))

    store.delete_leads([gone, "nobody"])

    assert store.read_leads([gone])[gone] is None
    assert read_one(store, kept)["views"] == 1
    assert gone not in store.expired(11, 1000)
    store.write_leads(ordered_rows((gone, 0, T0, FOREVER, 2, None, None)))
    assert read_one(store, gone)["views"] == 2
    store.delete_leads([kept])
    store.delete_leads([])


def test_expired_rows_are_found_by_their_end(store: Store) -> None:
    """Those that end by then, the first to end first, up to the limit; a row written anew has a new end."""
    store.clear()
    ends = {new_lead(): T0 + n for n in (30, 10, 20, 40)} | {new_lead(): FOREVER}
    store.write_leads(ordered_rows(*((lead, 0, T0, end, 0, None, None) for lead, end in ends.items())))
    late, first, second, last, eternal = ends

    assert store.expired(T0 + 9, 10) == []
    assert store.expired(T0 + 30, 10) == [first, second, late]
    assert store.expired(T0 + 30, 2) == [first, second]
    assert eternal not in store.expired(FOREVER, 10)

    store.write_leads(ordered_rows((first, 1, T0, T0 + 50, 0, None, None), (second, 1, T0, FOREVER, 0, None, None)))
    store.write_leads(ordered_rows((late, 0, T0 - 1, T0, 0, None, None)))  # older: its end does not count either

    assert store.expired(FOREVER, 10) == [late, last, first]


@given(st.lists(values, min_size=1, max_size=3), st.none() | st.integers(-(2**63), 2**63 - 1))
def test_the_door_answers_what_feast_answers(store: Store, drawn: list[tuple[object, ...]], crowd: int | None) -> None:
    """The short way of the door and Feast's get_online_features give the same values, context and missing included."""
    leads = [new_lead() for _ in drawn]
    store.clear()
    store.write_leads(lead_rows(*((lead, T0 + len(lead), *cells) for lead, cells in zip(leads, drawn, strict=True))))
    store.write_context(table(CONTEXT_TYPES, ("all", T0 + 7, crowd, None), ("sem", T0 + 7, None, crowd)))
    service = store._definitions.services["sale"]
    asked = [{"lead_id": lead, "channel": "sem", "everybody": "all"} for lead in [*leads, "nobody"]]

    answer = store._feast.get_online_features(features=service, entity_rows=asked, full_feature_names=True).to_dict()

    own = [row or dict.fromkeys(LEAD_TYPES) for row in store.read_leads([*leads, "nobody"]).values()]
    for name in ("views", "spent", "channel", "valid_until"):
        assert repr(answer[f"lead__{name}"]) == repr([row[name] for row in own])
    assert answer["lead__row_as_of"] == [row["as_of"] for row in own]
    context = store.read_context(["all", "sem"])
    assert answer["context_all__crowd_7d"] == [(context["all"] or {})["crowd_7d"]] * len(asked)
    assert answer["context_channel__peers_7d"] == [(context["sem"] or {})["peers_7d"]] * len(asked)


@given(texts)
def test_keys_are_those_of_feast(store: Store, lead: str) -> None:
    """The door makes the bytes of a key itself, and they are Feast's."""
    key = EntityKey(join_keys=["lead_id"], entity_values=[Value(string_val=lead)])

    assert store._leads._stored_key(lead) == serialize_entity_key(key, 3)


def test_rows_of_another_catalogue_are_not_read(online: str, tmp_path: Path) -> None:
    """After a change of the catalogue a lead has no row until it is evaluated anew; clearing takes out both."""
    before = opened(tmp_path, online)
    before.write_leads(ordered_rows(("a", 0, T0, T0 + 1, 1, 1.0, "sem")))

    after = opened(tmp_path, online, FEATURES.replace('events = ["view"]', 'events = ["buy"]'))

    assert after.read_leads(["a"]) == {"a": None}
    assert after.expired(FOREVER, 10) == []
    assert before.read_leads(["a"])["a"] is not None
    after.write_leads(lead_rows(("a", T0 - 1, 2, 1.0, "sem")))
    assert read_one(after, "a")["views"] == 2
    after.clear()
    assert (before.read_leads(["a"]), after.read_leads(["a"])) == ({"a": None}, {"a": None})
    assert before.expired(FOREVER, 10) == []
    before.close()
    after.close()


def test_no_read_is_torn_and_no_writer_loses_the_newest(online: str, tmp_path: Path) -> None:
    """While two connections write versions of a row out of order, every read is one version, and never an older one."""
    stores = [opened(tmp_path, online), opened(tmp_path, online)]
    versions = sorted(range(300), key=lambda version: version * 241 % 300)  # every one once, far from in order
    stores[0].write_leads(lead_rows(("torn", T0, 0, 0.0, "0")))

    def write(store: Store, part: list[int]) -> None:
        for version in part:
            store.write_leads(lead_rows(("torn", T0 + version, version, float(version), str(version))))

    def read(store: Store) -> list[tuple[object, ...]]:
        rows = [store.read_leads(["torn", "nobody"])["torn"] for _ in range(300)]
        return [tuple(row[n] for n in ("as_of", "views", "spent", "channel")) for row in rows if row]

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, store, versions[i::2]) for i, store in enumerate(stores)]
        reading = [pool.submit(read, store) for store in stores]
        [job.result() for job in writing]
        seen = [job.result() for job in reading]

    for rows in seen:
        numbers = [int(str(row[3])) for row in rows]
        assert len(rows) == 300
        assert rows == [(T0 + n, n, float(n), str(n)) for n in numbers]
        assert numbers == sorted(numbers)
    assert read_one(stores[0], "torn")["as_of"] == T0 + 299
    for store in stores:
        store.close()
