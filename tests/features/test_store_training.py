"""Training rows through Feast's point-in-time join, and the definitions it stands on."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.store.definitions import define
from features.store.door import Store
from leadlight.settings import SiteError
from tests.features.store_builders import (
    CONTEXT_TYPES,
    LEAD_FEATURES,
    SPINE_TYPES,
    T0,
    lead_rows,
    table,
    tiny_site,
    tiny_store,
    write_offline,
)

NO_CONTEXT = table(CONTEXT_TYPES)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An applied store whose offline tables each test writes anew."""
    return tiny_store(tmp_path_factory.mktemp("site"))


@pytest.fixture
def state(store: Store) -> Path:
    """The state folder of ``store``."""
    return store._state


def test_training_rows_are_the_evaluated_values_in_the_order_of_time_and_lead(store: Store, state: Path) -> None:
    """Every value comes back as it was evaluated, a missing one missing, and the label rides along."""
    write_offline(
        state,
        leads=lead_rows(
            ("a", T0 + 5, 3, 0.1, "sem"),
            ("b", T0, None, None, None),
            ("a", T0, 2**53 + 1, -0.0, "小红书"),
        ),
        context=NO_CONTEXT,
    )
    spine = table(SPINE_TYPES, ("a", T0 + 5, "sem", 1), ("b", T0, "sem", None), ("a", T0, "sem", 0))

    rows = store.training_rows(target="sale", spine=spine)

    assert rows.to_pylist() == [
        {"lead_id": "a", "as_of": T0, "label": 0, "views": 2**53 + 1, "spent": -0.0, "channel": "小红书"}
        | {"crowd_7d": None, "peers_7d": None},
        {"lead_id": "b", "as_of": T0, "label": None, "views": None, "spent": None, "channel": None}
        | {"crowd_7d": None, "peers_7d": None},
        {"lead_id": "a", "as_of": T0 + 5, "label": 1, "views": 3, "spent": 0.1, "channel": "sem"}
        | {"crowd_7d": None, "peers_7d": None},
    ]
    assert rows.schema.field("views").type == "int64"
    assert rows.schema.field("label").type == "int8"


@pytest.mark.parametrize("asked", [T0 + 1, T0 - 1])
def test_an_older_or_newer_row_never_stands_in(store: Store, state: Path, asked: int) -> None:
    """A spine row without a lead row of exactly its own moment is refused, with the pair and what to do."""
    write_offline(state, leads=lead_rows(("a", T0, 1, 1.0, "sem")), context=NO_CONTEXT)
    spine = table(SPINE_TYPES, ("a", T0, "sem", 0), ("a", asked, "sem", 0))

    with pytest.raises(SiteError, match=rf"1 of 2 spine rows .*'as_of': {asked}.*leadlight build"):
        store.training_rows(target="sale", spine=spine)


def test_context_is_the_newest_day_closed_by_then(store: Store, state: Path) -> None:
    """A day counts from the very moment it closes; a channel's columns come from the lead's channel only."""
    write_offline(
        state,
        leads=lead_rows(*((lead, T0 + i, 0, 0.0, None) for lead in ("a", "b") for i in (-1, 0, 9, 10))),
        context=table(
            CONTEXT_TYPES,
            ("all", T0, 100, None),
            ("all", T0 + 10, 110, None),
            ("sem", T0, None, 7),
            ("app", T0 + 10, None, 8),
        ),
    )
    channels = {"a": "sem", "b": "app"}
    spine = table(SPINE_TYPES, *((k, T0 + i, channels[k], 0) for k in channels for i in (-1, 0, 9, 10)))

    rows = store.training_rows(target="sale", spine=spine).to_pylist()

    found = {(row["lead_id"], row["as_of"] - T0): (row["crowd_7d"], row["peers_7d"]) for row in rows}
    assert found == {
        ("a", -1): (None, None),
        ("a", 0): (100, 7),
        ("a", 9): (100, 7),
        ("a", 10): (110, 7),
        ("b", -1): (None, None),
        ("b", 0): (100, None),
        ("b", 9): (100, None),
        ("b", 10): (110, 8),
    }


def test_a_target_gets_its_own_columns(tmp_path: Path) -> None:
    """What a target excludes is not in its rows; the spine's channel then stays what it was."""
    store = tiny_store(tmp_path, exclude='"spent", "channel", "crowd", "peers"')
    write_offline(tmp_path / "state", leads=lead_rows(("a", T0, 4, 1.0, "feature")))

    rows = store.training_rows(target="sale", spine=table(SPINE_TYPES, ("a", T0, "spine", 0)))

    assert rows.to_pylist() == [{"lead_id": "a", "as_of": T0, "channel": "spine", "label": 0, "views": 4}]


def test_a_catalogue_without_context_needs_no_context_table(tmp_path: Path) -> None:
    """The lead view serves alone, and asking for context says why there is none."""
    store = tiny_store(tmp_path, LEAD_FEATURES)
    write_offline(tmp_path / "state", leads=lead_rows(("a", T0, 4, 1.0, "sem")))

    rows = store.training_rows(target="sale", spine=table(SPINE_TYPES, ("a", T0, "sem", 0)))

    assert rows["views"].to_pylist() == [4]
    with pytest.raises(LookupError, match="no context features"):
        store.read_context(["all"])


def test_names_that_feast_needs_are_refused_all_at_once(tmp_path: Path) -> None:
    """An ending that Feast's join drops is a fault of the catalogue, named for every column that has it."""
    features = LEAD_FEATURES.replace('"views"', '"often_y"').replace('"spent"', '"loyal_y"')
    site, catalogue = tiny_site(tmp_path, features)

    with pytest.raises(SiteError) as caught:
        define(site, catalogue, tmp_path / "state")

    assert [("often_y" in fault, "loyal_y" in fault) for fault in caught.value.faults] == [
        (True, False),
        (False, True),
    ]
