"""Bulk scoring on Spark writes what bulk scoring writes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as pd
import pyarrow.parquet as pq
import pytest

from features.erasure import erase_people
from features.spark.session import Spark
from leadlight.database.exports import remember_export
from leadlight.settings import LockRule, SiteError, UsageError
from serving import bulk
from serving import spark as on_spark
from serving.bulk import Scored
from serving.sheet import SCHEMA
from tests.serving.serving_builders import WALL, School, build_school, certify_champion


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    """The small school with a champion for its first target."""
    made = build_school(tmp_path_factory.mktemp("school"))
    certify_champion(made)
    return made


@pytest.mark.usefixtures("spark")
def test_scores_on_spark_equal_those_of_bulk(school: School, tmp_path: Path) -> None:
    """The same leads, but the locked ones, with the same values in the same columns; older scores give way."""
    rule = {"zh": "未知", "en": "unknown", "attribute": "budget", "values": [3000]}
    site = school.site.model_copy(update={"locks": {"unknown": LockRule.model_validate(rule)}})
    file, folder = tmp_path / "scores.parquet", tmp_path / "scores"
    (folder / "older").mkdir(parents=True)

    done = bulk.score_site(
        site, school.catalogue, target="first_order", state=school.state, out=file, wall=WALL, journal=False
    )
    also = on_spark.score_site(site, school.catalogue, target="first_order", state=school.state, out=folder, wall=WALL)

    assert also == done
    assert done.leads > 20
    assert done.left_out > 0
    assert read_folder(folder).schema.types == SCHEMA.types
    assert by_lead(read_folder(folder)) == by_lead(pq.read_table(file))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scores", "scores.parquet"]
    assert not (folder / "older").exists()


def test_whoever_is_erased_is_taken_out_of_a_folder_of_scores(spark: Spark, school: School, tmp_path: Path) -> None:
    """Erasing finds the files in it, and Spark can read them still."""
    folder, state = tmp_path / "scores", tmp_path / "state"
    shutil.copytree(school.state, state)
    done = on_spark.score_site(school.site, school.catalogue, target="first_order", state=state, out=folder, wall=WALL)
    remember_export(school.site, state, folder, at=WALL)

    erased = erase_people(school.site, school.catalogue, ["hot"], state=state, at=WALL)

    left = spark.session.read.parquet(str(folder)).toArrow()["lead_id"].to_pylist()
    assert len(left) == done.leads - 1
    assert "hot" not in left
    assert [count for file, count in erased.removed.items() if file.startswith(str(folder))] == [1]


def test_a_file_is_refused_and_without_a_champion_nothing_is_left_behind(school: School, tmp_path: Path) -> None:
    """Neither needs Spark to be told."""

    def run(target: str, name: str) -> Scored:
        out = tmp_path / name
        return on_spark.score_site(site, school.catalogue, target=target, state=school.state, out=out, wall=WALL)

    site = school.site
    with pytest.raises(UsageError, match="Spark writes a folder"):
        run("first_order", "scores.parquet")
    with pytest.raises(SiteError, match="leadlight promote"):
        run("second_order", "scores")

    assert list(tmp_path.iterdir()) == []


def read_folder(folder: Path) -> pa.Table:
    """What Spark wrote into ``folder``."""
    return pd.dataset(folder, format="parquet").to_table()


def by_lead(scores: pa.Table) -> list[dict[str, object]]:
    """The rows in one order, whatever order they were written in."""
    rows: list[dict[str, object]] = scores.sort_by("lead_id").to_pylist()
    return rows
