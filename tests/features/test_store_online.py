"""The online door: rows read back equal, the newest wins, no read is torn."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.store.door import Store
from leadlight.schema import FOREVER
from tests.features.store_builders import CONTEXT_TYPES, LEAD_TYPES, T0, lead_rows, table, tiny_store

_NUMBERS = itertools.count()

values = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.text(st.characters(exclude_categories=["Cs"])),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An applied store; each test writes leads of its own."""
    return tiny_store(tmp_path_factory.mktemp("site"))


def new_lead() -> str:
    """A lead that no other example has used."""
    return f"lead-{next(_NUMBERS)}"


@given(st.lists(st.tuples(st.integers(0, FOREVER), values), max_size=20))
def test_rows_read_back_equal(store: Store, drawn: list[tuple[int, tuple[object, ...]]]) -> None:
    """Whatever was written is read, value for value and missing for missing."""
    rows = lead_rows(*((new_lead(), as_of, *cells) for as_of, cells in drawn))

    store.write_leads(rows)

    written = {row.pop("lead_id"): row for row in rows.to_pylist()}
    assert repr(store.read_leads(written)) == repr(written)  # repr: 0.0 is not -0.0


@given(st.lists(st.tuples(st.integers(0, 3), values), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_newest_row_wins_in_any_order(
    store: Store, drawn: list[tuple[int, tuple[object, ...]]], order: random.Random
) -> None:
    """Rows of one lead, microseconds apart and in any order and grouping, end in the newest one, the last of equals."""
    lead = new_lead()
    order.shuffle(drawn)
    cut = order.randrange(len(drawn) + 1)

    for part in (drawn[:cut], drawn[cut:]):
        store.write_leads(lead_rows(*((lead, T0 + late, *cells) for late, cells in part)))

    newest = max(late for late, _ in drawn)
    expected = [cells for late, cells in drawn if late == newest][-1]
    row = store.read_leads([lead])[lead]
    assert row == dict(zip(list(LEAD_TYPES)[1:], (T0 + newest, FOREVER, *expected), strict=True))


def test_an_unknown_lead_has_no_row(store: Store) -> None:
    """It is answered with None beside the known ones, each asked once."""
    known = new_lead()
    store.write_leads(lead_rows((known, T0, 1, None, None)))

    read = store.read_leads([known, "nobody", known])

    assert list(read) == [known, "nobody"]
    assert read["nobody"] is None


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


def test_the_door_answers_what_feast_answers(store: Store) -> None:
    """The short way of the door and Feast's get_online_features give the same values, context and missing included."""
    leads = [new_lead() for _ in range(3)]
    store.write_leads(lead_rows((leads[0], T0, 1, None, "sem"), (leads[1], T0, None, 2.5, None)))
    store.write_context(table(CONTEXT_TYPES, ("all", T0 + 7, 9, None), ("sem", T0 + 7, None, 3)))
    service = store._definitions.services["sale"]
    asked = [{"lead_id": lead, "channel": "sem", "everybody": "all"} for lead in leads]

    answer = store._feast.get_online_features(features=service, entity_rows=asked, full_feature_names=True).to_dict()

    own = [store.read_leads([lead])[lead] or dict.fromkeys(LEAD_TYPES) for lead in leads]
    for name in ("views", "spent", "channel", "valid_until"):
        assert answer[f"lead__{name}"] == [row[name] for row in own]
    assert answer["lead__row_as_of"] == [row["as_of"] for row in own]
    context = store.read_context(["all", "sem"])
    assert answer["context_all__crowd_7d"] == [(context["all"] or {})["crowd_7d"]] * 3
    assert answer["context_channel__peers_7d"] == [(context["sem"] or {})["peers_7d"]] * 3


def test_rows_of_another_catalogue_are_not_read(tmp_path: Path) -> None:
    """After a change of the catalogue a lead has no row until it is evaluated anew; going back finds the old one."""
    before = tiny_store(tmp_path)
    before.write_leads(lead_rows(("a", T0, 1, 1.0, "sem")))

    changed = (tmp_path / "catalogue.toml").read_text(encoding="utf-8").replace('events = ["view"]', 'events = ["buy"]')
    after = tiny_store(tmp_path, changed)

    assert after.read_leads(["a"]) == {"a": None}
    assert before.read_leads(["a"])["a"] is not None


def test_no_read_is_torn_and_no_writer_loses_the_newest(tmp_path: Path) -> None:
    """While two connections write versions of a row out of order, every read is one version, and never an older one."""
    stores = [tiny_store(tmp_path), tiny_store(tmp_path)]
    versions = sorted(range(400), key=lambda version: version * 241 % 400)  # every one once, far from in order

    def write(store: Store, part: list[int]) -> None:
        for version in part:
            store.write_leads(lead_rows(("a", T0 + version, version, float(version), str(version))))

    def read(store: Store) -> list[tuple[int, int, float, str]]:
        rows = [store.read_leads(["a"])["a"] for _ in range(400)]
        return [tuple(row[n] for n in ("as_of", "views", "spent", "channel")) for row in rows if row]  # type: ignore[misc]

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, store, versions[i::2]) for i, store in enumerate(stores)]
        reading = [pool.submit(read, store) for store in stores]
        [job.result() for job in writing]
        seen = [job.result() for job in reading]

    for rows in seen:
        assert all(row == (T0 + row[1], row[1], float(row[1]), str(row[1])) for row in rows)
        assert rows == sorted(rows)
    assert (stores[0].read_leads(["a"])["a"] or {})["as_of"] == T0 + 399
