"""What `leadlight init` makes of dumps as they come: encodings, doubled rows, other keys, dates and money as text."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from features.catalogue import load_catalogue
from features.draft import Draft, draft_site
from features.encoding import utf8_folder
from leadlight.settings import load_site

CITIES = ("上海", "北京", "广州")
EPOCH_MS = 1_740_794_400_000
"""2025-03-01 02:00 UTC, 10:00 in China."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A Chinese dump: leads and orders in GB18030, the leads twice in part, and an app log that knows user ids only."""
    folder = tmp_path / "data"
    folder.mkdir()
    leads = [
        f"L{n},u{n},2025/3/{n % 27 + 1} 9:30,1510000{n:04},抖音,{CITIES[n % 3]},{'已报名' if n < 25 else '跟进中'}"
        for n in range(60)
    ]
    header = "线索ID,用户ID,创建时间,手机号,来源渠道,城市,跟进状态"
    (folder / "线索表.csv").write_text("\n".join([header, *leads, *leads[:5]]) + "\n", encoding="gb18030")
    orders = [f'D{n},L{n},2025-04-0{n % 9 + 1} 10:00:00,"¥1,{n:03}.50",支付成功' for n in range(25)]
    undone = "D90,L3,2025-04-20 10:00:00,-¥900.00,退款"
    text = "\n".join(["订单号,线索ID,下单时间,金额,状态", *orders, undone])
    (folder / "订单.csv").write_text(text + "\n", encoding="gb18030")
    log = [
        {"eid": f"e{n}", "uid": f"u{n % 40}", "event": "view", "ts": EPOCH_MS + n, "page": f"p{n % 4}"}
        for n in range(90)
    ]
    log += [{"eid": f"s{n}", "uid": f"stranger{n}", "event": "login", "ts": EPOCH_MS + n} for n in range(200)]
    lines = [json.dumps(row) for row in [*log, log[0]]]
    (folder / "app.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "notes.xlsx").write_bytes(b"PK")
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "school"


@pytest.fixture
def draft(site: Path, data: Path) -> Draft:
    return draft_site(site, data)


def rows(site: Path, source: str, data: Path, columns: str) -> list[tuple[object, ...]]:
    sql = (site / "sources" / f"{source}.sql").read_text(encoding="utf-8")
    with utf8_folder(data) as readable, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Shanghai'")
        query = sql.replace("{data}", str(readable))
        return connection.execute(f"SELECT {columns} FROM (\n{query}\n) ORDER BY ALL").fetchall()


def test_doubled_leads_are_leads_once(draft: Draft, site: Path, data: Path) -> None:
    """The leads are found although some rows are there twice; moments are read, a status is left out."""
    found = rows(site, "leads", data, "lead_id, created_at::VARCHAR, channel, phone, city")

    assert len(found) == 60
    assert found[0] == ("L0", "2025-03-01 09:30:00", "抖音", "15100000000", "上海")
    assert "跟进状态" not in {column.name for column in load_catalogue(load_site(site)).lead_columns}
    assert "-- left out: 跟进状态: " in (site / "sources" / "leads.sql").read_text(encoding="utf-8")
    assert draft.left_out["notes.xlsx"].startswith("is no file of .csv")


@pytest.mark.usefixtures("draft")
def test_a_log_by_user_ids_finds_its_leads(site: Path, data: Path) -> None:
    """The app's log is joined by the leads' other key, once an event, without strangers; its epochs are moments."""
    found = rows(site, "events", data, 'lead_id, kind, "at"::TIMESTAMP::VARCHAR')
    views = [row for row in found if row[1] == "view"]

    assert len(views) == 90
    assert views[0] == ("L0", "view", "2025-03-01 10:00:00")
    assert not [row for row in found if row[1] == "login"]


@pytest.mark.usefixtures("draft")
def test_paid_orders_are_the_outcome_and_refunds_are_not(site: Path, data: Path) -> None:
    """Money written as text is an amount, a kind that undoes is no success, and the data say how soon people buy."""
    target = load_site(site).target()[1]

    assert target.outcome == ("payment_success",)
    assert ("payment_success", 1003500) in rows(site, "events", data, "kind, amount")
    assert ("refund", -900000) in rows(site, "events", data, "kind, amount")
    assert "four in five of the leads that buy do within" in (site / "leadlight.toml").read_text(encoding="utf-8")
    assert target.gate.precision == 0.5  # half as much again as 25 of 60 would be 0.62


@pytest.mark.usefixtures("draft")
def test_kinds_have_only_the_labels_that_they_fill_in(site: Path) -> None:
    """Who logs in sees no page: no feature is drafted that would be empty for ever."""
    kinds = load_site(site).kinds

    assert kinds["view"].labels == ("page",)
    assert kinds["login"].labels == ()
    assert load_site(site).site.utc_offset == 8 * 3600 * 1_000_000


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{day:02}/28/2025 11:05 AM", "2025-01-28 11:05:00"),
        ("28.{day:02}.2025 11:05", "2025-01-28 11:05:00"),
        ("28 Jan 2025", "2025-01-28 00:00:00"),
        ("2025年{day}月28日", "2025-01-28 00:00:00"),
        ("202501{day:02}", "2025-01-01 00:00:00"),
        ("17380584{day:02}", "2025-01-28 10:00:01"),
    ],
)
def test_dates_in_any_spelling_are_read(tmp_path: Path, site: Path, written: str, read: str) -> None:
    """Whatever a column of dates looks like, created_at is read from it, and never from when it was last touched."""
    folder = tmp_path / "data"
    folder.mkdir()
    lines = [f"A{n},{written.format(day=n % 12 + 1)},2026-01-01,{n % 3}" for n in range(30)]
    text = "\n".join(["Lead ID,Created Date,Last Activity Date,Size", *lines])
    (folder / "leads.csv").write_text(text, encoding="utf-8")

    draft_site(site, folder)

    moments = rows(site, "leads", folder, "created_at AT TIME ZONE 'UTC'" if "17380" in written else "created_at")
    assert str(moments[0][0]) == read


def test_what_only_the_won_have_is_left_out(tmp_path: Path, site: Path) -> None:
    """A column filled in for won leads alone, or for none of them, is no attribute; text that is money is a number."""
    folder = tmp_path / "data"
    folder.mkdir()
    lines = [
        f"A{n},2025-01-{n % 28 + 1:02},{f'2025-03-{n % 28 + 1:02}' if n < 30 else ''},"
        f'{n * 1000 if n < 30 else ""},{"" if n < 30 else f"reason {n % 3}"},"${n % 7},500"'
        for n in range(90)
    ]
    text = "\n".join(["lead,created,won_on,income,why_not,budget", *lines])
    (folder / "leads.csv").write_text(text, encoding="utf-8")

    draft = draft_site(site, folder)

    assert draft.left_out["income"] == "filled in only for leads that were won"
    assert draft.left_out["why_not"] == "filled in only for leads that were not won"
    assert (1500.0,) in rows(site, "leads", folder, "budget")


def test_a_list_without_names_goes_by_its_rows(tmp_path: Path, site: Path) -> None:
    """One table with an outcome and no key, as marketing exports are, is read in the order of its rows."""
    folder = tmp_path / "data"
    folder.mkdir()
    lines = [f"{20 + n % 5};{('admin', 'services')[n % 2]};{'yes' if n % 4 == 0 else 'no'}" for n in range(40)]
    (folder / "bank.csv").write_text("\n".join(["age;job;y", *lines]), encoding="utf-8")

    draft_site(site, folder)

    assert len(rows(site, "leads", folder, "lead_id")) == 40
    assert [row[0] for row in rows(site, "events", folder, "lead_id::INT")] == list(range(1, 41, 4))
