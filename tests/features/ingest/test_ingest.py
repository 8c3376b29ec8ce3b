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
from features.log import Log, NewVersion
from features.past import Past
from leadlight.database import open_database
from leadlight.schema import DAY, HOUR
from leadlight.settings import UsageError
from tests.features.broken_files import write_broken_parquet
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


def take(site: Replay, path: Path, wall: int = NOW) -> Taken:
    log = Log(open_database(site.site, site.state))
    return ingest(path, site.site, open_history(site.state), log, state=site.state, wall=wall)


def take_text(site: Replay, path: Path, text: str, wall: int = NOW) -> dict[str, int]:
    """What becomes of a file's rows, all of which can be read."""
    path.write_text(text, encoding="utf-8")
    taken = take(site, path, wall)
    assert taken.refused == []
    return {**taken.results, "overruled": taken.overruled}


def sent(site: Replay, lead_id: str, *, at: int, **attributes: str | float) -> None:
    """A lead as it stands from ``at``, by whoever else sends it."""
    facts = past(site).records([lead_id])[lead_id]
    version = NewVersion(lead_id, facts.created_at, "sem", None, at, attributes, ())
    Log(open_database(site.site, site.state)).append([version], arrived_at=at, base={lead_id: facts})


def stands(site: Replay, lead_id: str) -> dict[str, object]:
    """The newest values of a lead."""
    newest = max(past(site).records([lead_id])[lead_id].versions, key=lambda version: (version.at, version.arrived_at))
    return {name: value for name, value in newest.values.items() if value is not None}


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
    assert (order.kind, order.amount, order.arrived_at) == ("order", 199_500, NOW + 1)
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


def test_a_broken_row_costs_no_other(site: Replay, tmp_path: Path) -> None:
    """Rows of all batches around it are taken, and what was refused before is told as well."""
    lines = ["event_id,lead_id,kind,at", *(f"many-{n},L05,page_view,2025-10-09 10:00" for n in range(1_300))]
    lines[7] = "many-6,L05,page_vew,2025-10-09 10:00"
    lines[1_201] += ",x"
    path = tmp_path / "many.csv"
    path.write_text("\n".join(lines), encoding="utf-8")

    taken = take(site, path)

    assert (taken.rows, dict(taken.results)) == (1_300, {"added": 1_298})
    assert [(each.number, each.wrong.field, each.lead_id) for each in taken.refused] == [
        (7, "kind", "L05"),
        (1_201, "line 1202", ""),
    ]


def test_leads_sent_again_do_not_bring_back_what_was_overruled(site: Replay, tmp_path: Path) -> None:
    """A row without a moment is news only if nobody ever said it of the lead; with one, it says what holds since."""
    monday = "lead_id,channel,city\nA1,sem,上海\nA2,sem,上海\n"
    assert take_text(site, tmp_path / "a.csv", monday) == {"added": 2, "overruled": 0}
    sent(site, "A1", at=NOW + HOUR, city="北京")

    again = take_text(site, tmp_path / "a.csv", monday, NOW + 2 * HOUR)

    assert again == {"unchanged": 2, "overruled": 1}
    assert stands(site, "A1") == {"channel": "sem", "city": "北京"}
    tuesday = monday.replace("上海", "广州")
    assert take_text(site, tmp_path / "a.csv", tuesday, NOW + 3 * HOUR) == {"added": 2, "overruled": 0}
    assert take_text(site, tmp_path / "a.csv", tuesday, NOW + 4 * HOUR) == {"unchanged": 2, "overruled": 0}
    dated = "lead_id,channel,city,at\nA1,sem,上海,2025/10/10 22:00\n"
    assert take_text(site, tmp_path / "a.csv", dated, NOW + 6 * HOUR)["added"] == 1
    assert stands(site, "A1")["city"] == "上海"


def test_what_the_base_says_of_a_lead_is_no_news(site: Replay, tmp_path: Path) -> None:
    """A row with the very values of the raw files changes nothing; one with fewer columns does, and once only."""
    values = stands(site, "L06")
    row = {"lead_id": "L06", **values}
    path = tmp_path / "a.jsonl"

    assert take_text(site, path, json.dumps(row)) == {"unchanged": 1, "overruled": 0}
    fewer = json.dumps({"lead_id": "L06", "channel": values["channel"]})
    first = take_text(site, path, fewer)
    assert take_text(site, path, fewer)["unchanged"] == 1
    assert first == ({"added": 1, "overruled": 0} if len(values) > 1 else {"unchanged": 1, "overruled": 0})


def test_a_new_contact_is_news_and_an_old_one_is_not(site: Replay, tmp_path: Path) -> None:
    """The contact that is shown is the newest, however often a file with an older one comes."""
    old, new = (f"lead_id,channel,phone\nB1,sem,1510000{number}\n" for number in ("1111", "2222"))
    path = tmp_path / "a.csv"

    assert [take_text(site, path, each, NOW + n * HOUR) for n, each in enumerate((old, new, old, new))] == [
        {"added": 1, "overruled": 0},
        {"added": 1, "overruled": 0},
        {"unchanged": 1, "overruled": 0},
        {"unchanged": 1, "overruled": 0},
    ]
    assert past(site).records(["B1"])["B1"].contact == "151****2222"


def test_a_lead_may_be_twice_in_a_file(site: Replay, tmp_path: Path) -> None:
    """The second row counts after the first, and sent again both change nothing."""
    text = "lead_id,channel,city\nC1,sem,上海\nC1,sem,北京\nC1,sem,上海\n"

    first, again = (take_text(site, tmp_path / "a.csv", text, NOW + n * HOUR) for n in range(2))

    assert first == {"added": 1, "corrected": 1, "unchanged": 1, "overruled": 0}
    assert again == {"unchanged": 3, "overruled": 2}
    assert stands(site, "C1")["city"] == "北京"


def test_whole_numbers_are_ids_and_other_odd_ones_are_refused(site: Replay, tmp_path: Path) -> None:
    """A column of numbers with gaps comes as 1001.0; no id may be blank, or longer than a request can bring."""
    ids = [1001.0, 1002, "1003.0", 10.5, True, ["x"], "x" * 201, "a\tb", 2.0**60, "\ud800"]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"lead_id": each, "channel": "sem"}) for each in ids), encoding="utf-8")

    taken = take(site, path)

    assert dict(taken.results) == {"added": 3}
    assert set(past(site).records(["1001", "1002", "1003.0", "1001.0"])) == {"1001", "1002", "1003.0"}
    assert [(each.number, each.wrong.field) for each in taken.refused] == [(n, "lead_id") for n in range(4, 11)]


def test_moments_as_spreadsheets_write_them(site: Replay, tmp_path: Path) -> None:
    """In GB18030, with the usual headers; a day is its midnight."""
    moments = ["2025/10/9 18:30", "2025年10月9日 18:30", "2025-10-09", "45939.7708333"]
    lines = [f"sheet-{n},L07,下单,{moment},1" for n, moment in enumerate(moments)]
    path = tmp_path / "sheet.csv"
    path.write_text("\n".join(["事件编号,线索编号,事件类型,发生时间,金额", *lines]), encoding="gb18030")

    assert dict(take(site, path).results) == {"added": 4}
    at = {event.event_id: event.at for event in past(site).facts(["L07"])["L07"].events}
    evening = 1_760_005_800_000_000  # 18:30 at +08:00
    assert [at[f"sheet-{n}"] for n in range(4)] == [evening, evening, evening - 18 * HOUR - HOUR // 2, evening]


def test_a_file_that_breaks_off_keeps_count(site: Replay, tmp_path: Path) -> None:
    """What was taken and refused before a fault of the file is known to whoever asked."""
    path = tmp_path / "a.parquet"
    write_broken_parquet(path, "L08")
    log, taken = Log(open_database(site.site, site.state)), Taken()

    with pytest.raises(UsageError, match="cannot be read as parquet"):
        ingest(path, site.site, open_history(site.state), log, state=site.state, wall=NOW, taken=taken)

    assert (taken.rows, dict(taken.results), len(taken.refused)) == (1_000, {"added": 999}, 1)


def test_what_was_ingested_is_in_the_next_build(site: Replay, tmp_path: Path) -> None:
    """A file-based site and a live one share one history."""
    path = tmp_path / "late.csv"
    path.write_text("event_id,lead_id,kind,at\nlate-1,L04,trial,2025-10-08 10:00\n", encoding="utf-8")
    take(site, path)
    site.now = NOW + HOUR
    site.build()
    assert "late-1" in {event.event_id for event in open_history(site.state).facts(["L04"])["L04"].events}
