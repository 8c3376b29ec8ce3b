"""`leadlight export`: any features of any leads at any moment, as a file that an erasure will find."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from features.catalogue import load_catalogue
from features.history import clock, open_history
from features.single import evaluate
from leadlight.__main__ import app
from leadlight.database import open_database, read
from leadlight.schema import from_micros
from leadlight.settings import SiteError, UsageError, load_site
from leadlight.shelf import champion_file, write_json
from tests.features.raw_builders import events, leads, school

LEADS = leads(
    "('L1', TIMESTAMP '2025-03-01 10:00', 'sem', '=HYPERLINK(1)', -100.5)",
    "('L2', TIMESTAMP '2025-03-02 10:00', 'live', NULL, NULL)",
    "('-3', TIMESTAMP '2025-03-09 10:00', 'live', '数学', 7)",
)
EVENTS = events(
    "('E1', 'L1', 'view', TIMESTAMP '2025-03-02 10:00', TIMESTAMP '2025-03-02 10:05', 1000, 'maths', NULL)",
    "('E2', 'L1', 'view', TIMESTAMP '2025-03-06 10:00', TIMESTAMP '2025-03-12 10:00', NULL, 'art', NULL)",
    "('E3', 'L2', 'order', TIMESTAMP '2025-03-08 10:00', NULL, 250, NULL, NULL)",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school of three leads, built once."""
    folder = tmp_path_factory.mktemp("export") / "school"
    school(folder, leads_sql=LEADS, events_sql=EVENTS)
    export(folder, "--out", folder / "all.csv", "--data", folder / "data")
    return folder


def export(site: Path, *words: object) -> dict[str, object]:
    """What the command answers as JSON; its faults are raised."""
    done = CliRunner().invoke(app, ["export", str(site), *map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_csv_has_every_feature_of_every_lead_and_runs_nothing(site: Path) -> None:
    """At the site's clock; missing is empty, numbers are as they are, and a formula is a text."""
    with (site / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert list(rows[0]) == ["lead_id", "as_of", "city", "budget", "views_7d", "views_all", "paid", "crowd_7d"]
    assert [row["lead_id"] for row in rows] == ["'-3", "L1", "L2"]
    assert (rows[1]["city"], rows[1]["budget"], rows[1]["views_all"]) == ("'=HYPERLINK(1)", "-100.5", "2")
    assert (rows[2]["city"], rows[2]["budget"], rows[2]["paid"]) == ("", "", "0.25")
    assert {row["as_of"] for row in rows} == {"2025-03-12 02:00:00.000001Z"}


def test_parquet_has_what_was_known_at_the_moment(site: Path) -> None:
    """The chosen columns in their order, typed, and equal to what the one-lead evaluator says."""
    out = site / "some.parquet"
    said = export(site, "--out", out, "--features", "views,city", "--as-of", "2025-03-09T10:00", "--lead", "L1")

    table = pq.read_table(out)
    history, rules = open_history(site / "state"), load_catalogue(load_site(site))
    facts = history.lead("L1")
    assert facts is not None
    moment = clock(load_site(site), history, wall=0) - 3 * 86_400_000_000 - 1
    one = evaluate(rules, load_site(site), facts, moment).values
    names = ["views_7d", "views_all", "city"]
    assert table.to_pylist() == [{"lead_id": "L1", "as_of": from_micros(moment), **{name: one[name] for name in names}}]
    assert table.schema.field("views_7d").type == pa.int64()
    assert (one["views_7d"], one["views_all"]) == (1, 1)  # the view of 6 March is not known yet
    assert said == {"as_of": "2025-03-09T02:00:00+00:00", "leads": 1, "columns": 3, "out": str(out)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("name", ["ids.txt", "ids.csv", "ids.CSV", "ids.parquet"])
def test_leads_come_from_a_file_and_from_options(site: Path, name: str, encoding: str) -> None:
    """One id a line, or a column lead_id, as spreadsheets of China write it; together with those given one by one."""
    if name.endswith(".parquet"):
        pq.write_table(pa.table({"lead_id": ["L2", "-3"], "more": [1, 2]}), site / name)
    else:
        head = "更多,lead_id\n数学,L2\n英语,-3\n" if name.casefold().endswith(".csv") else "L2\n\n -3 \n"
        (site / name).write_text(head, encoding=encoding)

    export(site, "--out", site / "out.parquet", "--leads", site / name, "--lead", "L1", "--features", "city")

    assert pq.read_table(site / "out.parquet")["lead_id"].to_pylist() == ["-3", "L1", "L2"]


def test_a_target_leaves_out_what_its_model_must_not_use(site: Path) -> None:
    """A column that the target excludes is no feature of it."""
    toml = site / "leadlight.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace('outcome = ["order"]', 'outcome = ["order"]\nexclude = ["paid"]'), encoding="utf-8")
    try:
        said = export(site, "--out", site / "target.csv", "--target", "first_order")
        with pytest.raises(UsageError, match="'paid' is no feature"):
            export(site, "--out", site / "target.csv", "--target", "first_order", "--features", "paid")
    finally:
        toml.write_text(text, encoding="utf-8")

    assert said["columns"] == 5


def test_every_written_file_is_remembered(site: Path) -> None:
    """Once, under its whole path, so that whoever is erased can be taken out of it."""
    export(site, "--out", site / "again.csv", "--features", "city")
    export(site, "--out", site / "again.csv", "--features", "city")

    engine = open_database(load_site(site), site / "state")
    paths = [path for (path,) in read(engine, "SELECT path FROM exports ORDER BY path")]
    engine.dispose()
    assert {str(site / "all.csv"), str(site / "again.csv")} <= set(paths)
    assert len(paths) == len(set(paths))


def test_the_file_of_scores_is_remembered_before_it_is_there(site: Path) -> None:
    """Whatever becomes of the command, no file about leads is ever forgotten."""
    words = ["score", str(site), "--out", str(site / "scores.csv")]
    write_json(champion_file(site / "state", "first_order"), {"version": 1, "bundle_sha256": "0" * 64})

    with pytest.raises(SiteError, match="train once"):
        CliRunner().invoke(app, words, catch_exceptions=False)

    engine = open_database(load_site(site), site / "state")
    assert (str(site / "scores.csv"),) in read(engine, "SELECT path FROM exports")
    engine.dispose()


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (["--features", "vews,citi,city"], ["'vews'", "'citi'"]),
        (["--lead", "L9", "--lead", "nobody", "--lead", "L1"], ["'L9'", "'nobody'"]),
        (["--leads", "{site}/leadlight.csv"], ["no column lead_id"]),
        (["--leads", "{site}/gb.txt"], ["'线索一'"]),
        (["--leads", "{site}/odd.txt"], ["neither UTF-8 nor GB18030"]),
        (["--target", "renewal"], ["first_order"]),
    ],
)
def test_every_fault_is_told_and_no_file_is_left(site: Path, words: list[str], faults: list[str]) -> None:
    """All unknown names at once, with what is near; nothing is written."""
    (site / "leadlight.csv").write_text("id\n1\n", encoding="utf-8")
    (site / "gb.txt").write_text("L1\n线索一\n", encoding="gb18030")
    (site / "odd.txt").write_bytes(b"\xff\xfeL\x001\x00")
    before = sorted(site.iterdir())

    with pytest.raises(SiteError) as refused:
        export(site, "--out", site / "wrong.csv", *(word.replace("{site}", str(site)) for word in words))

    assert len(refused.value.faults) == len(faults)
    assert all(said in fault for said, fault in zip(faults, refused.value.faults, strict=True))
    assert sorted(site.iterdir()) == before


def test_another_suffix_is_refused_before_the_work(tmp_path: Path) -> None:
    """A site that was never built says so at once."""
    school(tmp_path / "school")

    with pytest.raises(UsageError, match=r"\.parquet or \.csv"):
        export(tmp_path / "school", "--out", tmp_path / "out.xlsx", "--data", tmp_path / "school" / "data")

    assert not (tmp_path / "school" / "state").exists()
