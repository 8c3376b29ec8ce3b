"""Files of live facts: whatever their format, encoding and headers, good rows are kept once and the others told."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.history import open_history
from features.ingest import Taken, ingest, write_refusals
from features.log import Log
from features.past import Past
from leadlight.database import open_database
from leadlight.schema import DAY, HOUR, SECOND
from leadlight.settings import UsageError
from tests.journey.skew import SITE_ON_THE_WALL_CLOCK, START, Replay, made_site
from tests.serving.serving_builders import CATALOGUE
from tests.traces import files_with

NOW = START + DAY


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """A built site of twenty leads."""
    aliases = '\n[aliases]\n"学员" = "lead_id"\n'
    made = made_site(tmp_path_factory.mktemp("ingest") / "site", SITE_ON_THE_WALL_CLOCK + aliases, CATALOGUE, seed=3)
    made.build()
    return made


def take(site: Replay, path: Path) -> Taken:
    log = Log(open_database(site.site, site.state))
    return ingest(path, site.site, open_history(site.state), log, state=site.state, wall=lambda: NOW)


def past(site: Replay) -> Past:
    found = Past(open_history(site.state), Log(open_database(site.site, site.state)), site.site.identity)
    found.reached(found.news(())[0])
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_headers_and_words_in_any_encoding(site: Replay, tmp_path: Path, encoding: str) -> None:
    """Headers by the usual names and the site's aliases, kinds by their wording, amounts in yuan."""
    path = tmp_path / "orders.csv"
    rows = ["事件编号,学员,事件,发生时间,金额", f"zh-{encoding},L01,下单,2025-10-09 18:00:00,199.5"]
    path.write_text("\n".join(rows), encoding=encoding)

    taken = take(site, path)

    assert dict(taken.results) == {"added": 1}, taken.refused
    (order,) = [event for event in past(site).facts(["L01"])["L01"].events if event.event_id == f"zh-{encoding}"]
    assert (order.kind, order.amount) == ("order", 199_500)
    assert NOW <= order.arrived_at < NOW + SECOND
    assert take(site, path).results == {"unchanged": 1}


def test_parquet_and_json_lines(site: Replay, tmp_path: Path) -> None:
    """Typed files need no parsing; a moment without a zone is local."""
    rows = [{"event_id": f"p{n}", "lead_id": "L02", "kind": "trial", "at": "2025-10-09T18:00:00"} for n in range(3)]
    (tmp_path / "events.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "events.parquet")

    assert dict(take(site, tmp_path / "events.jsonl").results) == {"added": 3}
    assert dict(take(site, tmp_path / "events.parquet").results) == {"unchanged": 3}
    known = {event.event_id: event.at for event in past(site).facts(["L02"])["L02"].events}
    assert known["p0"] == 1_760_004_000_000_000  # 18:00 at +08:00


def test_leads_are_taken_with_their_contacts_hashed(site: Replay, tmp_path: Path) -> None:
    """A row without a kind is a lead as it now stands."""
    path = tmp_path / "leads.csv"
    path.write_text("线索编号,渠道,手机号,city,budget\nnew-1,转介绍,15100001111,上海,900\n", encoding="utf-8")

    assert dict(take(site, path).results) == {"added": 1}
    facts = past(site).facts(["new-1"])["new-1"]
    assert (facts.channel, facts.contact, facts.versions[0].values["budget"]) == ("referral", "151****1111", 900.0)
    assert files_with(site.state, "15100001111") == []


def test_bad_rows_are_told_and_good_ones_kept(site: Replay, tmp_path: Path) -> None:
    """Each fault has its row, field, what came and what is allowed; a formula is not run by who opens the file."""
    path = tmp_path / "mixed.csv"
    lines = [
        "event_id,lead_id,kind,at,amount,course",
        "g1,L03,page_view,2025-10-09 10:00,,数学",
        "b1,L03,page_vew,2025-10-09 10:00,,",
        "b2,L03,page_view,yesterday,,",
        "b3,nobody,page_view,2025-10-09 10:00,,",
        "b4,L03,order,2025-10-09 10:00,1.5,",
        "b5,L03,trial,2025-10-09 10:00,,=HYPERLINK(1)",
        ",L03,trial,2025-10-09 10:00,,",
        "b6,L03,trial,2031-01-01,,",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")

    taken = take(site, path)
    write_refusals(tmp_path / "errors.csv", taken.refused)

    assert dict(taken.results) == {"added": 1}
    told = list(csv.DictReader((tmp_path / "errors.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert sorted((row["row"], row["field"]) for row in told) == [
        ("2", "kind"),
        ("3", "at"),
        ("4", "lead_id"),
        ("5", "amount"),
        ("6", "labels/course"),
        ("7", "event_id"),
        ("8", "at"),
    ]
    assert not any(cell.startswith("=") for row in told for cell in row.values())
    assert {row["allowed"] for row in told if row["field"] == "kind"} == {
        "one of: follow_up, order, page_view, trial; did you mean page_view?"
    }


def test_a_file_of_another_sort_is_refused(site: Replay, tmp_path: Path) -> None:
    """The error says what a file of facts is called."""
    (tmp_path / "facts.xlsx").write_bytes(b"PK")
    with pytest.raises(UsageError, match=r"\.csv, \.parquet, \.jsonl"):
        take(site, tmp_path / "facts.xlsx")
    with pytest.raises(UsageError, match="no such file"):
        take(site, tmp_path / "none.csv")


def test_what_was_ingested_is_in_the_next_build(site: Replay, tmp_path: Path) -> None:
    """A file-based site and a live one share one history."""
    path = tmp_path / "late.csv"
    path.write_text("event_id,lead_id,kind,at\nlate-1,L04,trial,2025-10-08 10:00\n", encoding="utf-8")
    take(site, path)
    site.now = NOW + HOUR
    site.build()
    assert "late-1" in {event.event_id for event in open_history(site.state).facts(["L04"])["L04"].events}
