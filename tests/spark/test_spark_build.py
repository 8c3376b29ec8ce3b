"""A build on Spark leaves what a build on DuckDB leaves."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.build import build
from features.catalogue import load_catalogue
from features.history import open_history
from features.spark.session import Spark, missing
from features.spine import spine_file
from features.store import context_table, lead_table
from features.store.door import Store
from leadlight.sample import draw
from leadlight.schema import LEAD_ID
from leadlight.settings import load_site
from tests.conftest import ROOT

WALL = 1_900_000_000_000_000
LEADS = 400


@pytest.mark.usefixtures("spark")
def test_a_build_on_spark_leaves_what_one_on_duckdb_leaves(tmp_path: Path) -> None:
    """Offline tables, what Feast joins from them for training, and online rows; then nothing is left to build."""
    site = load_site(ROOT / "examples" / "demo")
    catalogue = load_catalogue(site)
    data, ours, theirs = (tmp_path / name for name in ("data", "duckdb", "spark"))
    draw(data, leads=LEADS, seed=7)

    done = build(site, catalogue, state=ours, data=data, as_of=None, wall=WALL)
    also = build(site, catalogue, state=theirs, data=data, as_of=None, wall=WALL, engine="spark")

    assert {**also.to_json(), "seconds": {}} == {**done.to_json(), "seconds": {}}
    assert done.lead_rows > 100
    for table in (lead_table, context_table):
        assert pq.read_table(table(theirs)).equals(pq.read_table(table(ours)), check_metadata=True)
    spine = pq.read_table(spine_file(ours, "first_order"))
    stores = [Store(site=site, catalogue=catalogue, state=state) for state in (ours, theirs)]
    joined = [store.training_rows(target="first_order", spine=spine) for store in stores]
    assert joined[0].equals(joined[1])
    with open_history(ours).reading() as tables:
        leads = tables.leads.select(LEAD_ID).to_pyarrow()[LEAD_ID].to_pylist()
    online = [store.read_leads(leads) for store in stores]
    assert online[0] == online[1]
    assert any(online[0].values())
    assert build(site, catalogue, state=theirs, data=data, as_of=None, wall=WALL).skipped


def test_what_is_missing_for_spark_is_said(spark: Spark, tmp_path: Path) -> None:
    """Without Java, or with one too old, the fault says what to install; a session that runs elsewhere needs none."""
    assert spark is not None
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    old.chmod(0o755)

    assert missing() is None
    assert "no java in PATH" in str(missing({"PATH": str(tmp_path)}))
    assert '"11.0.2"' in str(missing({"JAVA_HOME": str(tmp_path)}))
    assert missing({"PATH": str(tmp_path), "SPARK_REMOTE": "sc://spark.example"}) is None
