"""Feast's own commands and ways: ``feast apply`` by hand, its YAML file, its materialisation."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from feast import FeatureStore

from features.store.door import Store
from features.store.place import site_folder, state_folder
from leadlight.schema import from_micros
from tests.features.store_builders import (
    CONTEXT_TYPES,
    SPINE_TYPES,
    T0,
    lead_rows,
    table,
    tiny_site,
    tiny_store,
    write_offline,
)

ROOT = Path(__file__).parents[2]
FEAST = Path(sys.executable).with_name("feast")


@pytest.mark.proof
def test_feast_apply_by_hand_registers_the_site_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ``feast apply`` in feature_repo the store joins, writes and reads, and Feast's YAML file finds its rows."""
    site, catalogue = tiny_site(tmp_path / "site")
    state = tmp_path / "elsewhere" / "state"
    write_offline(state, leads=lead_rows(("a", T0, 3, 0.5, "sem")), context=table(CONTEXT_TYPES, ("all", T0, 7, None)))
    monkeypatch.setenv("LEADLIGHT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("LEADLIGHT_STATE", str(state))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}

    done = subprocess.run(
        [FEAST, "apply"], cwd=ROOT / "feature_repo", env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    store = Store(site=site, catalogue=catalogue, state=state)
    joined = store.training_rows(target="sale", spine=table(SPINE_TYPES, ("a", T0, "sem", 1)))
    assert joined.select(["views", "crowd_7d"]).to_pylist() == [{"views": 3, "crowd_7d": 7}]
    store.write_leads(lead_rows(("a", T0 + 1, 4, 0.5, "sem")))
    by_yaml = FeatureStore(repo_path=str(ROOT / "feature_repo"))
    answer = by_yaml.get_online_features(features=["lead:views"], entity_rows=[{"lead_id": "a"}]).to_dict()
    assert answer["views"] == [4]


def test_materialising_through_duckdb_keeps_values_and_newer_rows(tmp_path: Path) -> None:
    """Feast's own way from the offline table to the online one brings equal values and passes the same guard."""
    store = tiny_store(tmp_path)
    days = table(
        CONTEXT_TYPES, ("all", T0 - 9, 1, None), ("all", T0, 5, None), ("sem", T0, None, 2), ("app", T0, None, None)
    )
    write_offline(tmp_path / "state", leads=lead_rows(("a", T0, 1, 1.0, "sem")), context=days)
    store.write_context(table(CONTEXT_TYPES, ("sem", T0 + 1, None, 3)))

    day = dt.timedelta(days=1)
    store._feast.materialize(from_micros(T0) - day, from_micros(T0) + day, feature_views=["context", "lead"])

    assert store.read_context(["all", "sem", "app"]) == {
        "all": {"closed_at": T0, "crowd_7d": 5, "peers_7d": None},
        "sem": {"closed_at": T0 + 1, "crowd_7d": None, "peers_7d": 3},
        "app": {"closed_at": T0, "crowd_7d": None, "peers_7d": None},
    }
    assert (store.read_leads(["a"])["a"] or {})["spent"] == 1.0


def test_without_an_environment_feast_works_on_the_demo() -> None:
    """The site is the demo and its state lies in it; a site alone brings its own state."""
    demo = ROOT / "examples" / "demo"

    assert (site_folder({}), state_folder({})) == (demo, demo / "state")
    assert state_folder({"LEADLIGHT_SITE": "/srv/site"}) == Path("/srv/site/state")
    assert state_folder({"LEADLIGHT_STATE": "/srv/state"}) == Path("/srv/state")
