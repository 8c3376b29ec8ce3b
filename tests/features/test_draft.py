"""What `leadlight init` guesses from raw files, and that a draft is a site that loads and runs."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from features.catalogue import load_catalogue
from features.draft import draft_site
from leadlight.settings import SiteError, load_site

LEADS = """id,created,source,mobile,city,score_note,constant
1,2025-01-01 08:00:00,ads,15100000001,Beijing,Select,x
2,2025-01-02 09:30:00,seo,15100000002,Select,good,x
3,2025-01-03 10:00:00,ads,15100000003,Shanghai,good,x
4,2025-01-04 10:00:00,,15100000004,Shanghai,good,x
5,2025-01-05 10:00:00,ads,15100000005,Beijing,good,x
6,2025-01-06 10:00:00,ads,15100000006,Beijing,good,x
"""
VISITS = """visit,lead_id,type,date,minutes,page
a,1,view,2025-01-02,3.5,home
b,1,share,2025-01-02,1.25,price
c,2,view,2025-01-03,2,home
d,3,view,2025-01-04,2,home
e,3,view,2025-01-04,2,home
"""
ORDERS = """order_no,lead_id,paid_at,amount
o1,1,2025-01-05 12:00:00,99.9
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name, text in (("leads", LEADS), ("visits", VISITS), ("orders", ORDERS)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def rows(site: Path, source: str, data: Path, columns: str) -> list[tuple[object, ...]]:
    sql = (site / "sources" / f"{source}.sql").read_text(encoding="utf-8").replace("{data}", str(data))
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {columns} FROM (\n{sql}\n) ORDER BY ALL").fetchall()


def test_draft_is_a_site_that_loads(tmp_path: Path, data: Path) -> None:
    """The four files are written, load without a fault and name the guessed outcome."""
    written = draft_site(tmp_path / "shop", data)

    site = load_site(tmp_path / "shop")
    catalogue = load_catalogue(site)
    assert all(path.is_file() for path in written.files)
    assert site.clock.at == "last_fact"
    assert site.target()[1].outcome == ("orders",)
    assert {"city", "channel", "view_7d", "share_7d", "view_page_top"} <= {c.name for c in catalogue.lead_columns} | {
        c.name.removesuffix("_1") for c in catalogue.lead_columns
    }


def test_draft_maps_leads(tmp_path: Path, data: Path) -> None:
    """Key, time, channel, contact and attributes go to their columns; words that stand for nothing become missing."""
    draft_site(tmp_path / "shop", data)

    found = rows(tmp_path / "shop", "leads", data, "lead_id, channel, phone, city")

    assert found == [
        ("1", "ads", "15100000001", "Beijing"),
        ("2", "seo", "15100000002", None),
        ("3", "ads", "15100000003", "Shanghai"),
        ("4", "not_recorded", "15100000004", "Shanghai"),
        ("5", "ads", "15100000005", "Beijing"),
        ("6", "ads", "15100000006", "Beijing"),
    ]


def test_draft_maps_events(tmp_path: Path, data: Path) -> None:
    """Kinds come from a type column, amounts in thousandths, and a day without time counts only once it is over."""
    draft_site(tmp_path / "shop", data)

    found = rows(tmp_path / "shop", "events", data, 'lead_id, kind, CAST("at" AS VARCHAR) AS moment, amount')

    assert ("1", "share", "2025-01-02 23:59:59.999999", 1250) in found
    assert ("1", "orders", "2025-01-05 12:00:00", 99900) in found
    assert len(found) == 6


def test_draft_finds_an_undated_outcome(tmp_path: Path) -> None:
    """One table with a yes-or-no outcome and no time gets a made-up order and an immediate outcome."""
    data = tmp_path / "data"
    data.mkdir()
    lines = "\n".join(f"{number},{'ads' if number % 2 else 'seo'},{number % 3 == 0:d}" for number in range(1, 13))
    (data / "leads.csv").write_text(f"Lead Number,Lead Source,Converted\n{lines}\n", encoding="utf-8")

    draft_site(tmp_path / "shop", data)

    assert rows(tmp_path / "shop", "events", data, "lead_id") == [("12",), ("3",), ("6",), ("9",)]
    assert load_site(tmp_path / "shop").target()[0] == "converted"


def test_draft_says_what_it_could_not_use(tmp_path: Path, data: Path) -> None:
    """A file with one broken date is not dropped in silence: the column and the number of broken values are named."""
    with (data / "orders.csv").open("a", encoding="utf-8") as orders:
        orders.write("o2,2,2025-10-01 12:00:00,5\no3,3,2025-09-31 12:00:00,5\n")

    draft = draft_site(tmp_path / "shop", data)

    assert draft.left_out["orders"].startswith("1 values of paid_at are no date")
    assert draft.left_out["constant"] == "says the same of every lead"


def test_draft_makes_no_feature_of_a_contact(tmp_path: Path, data: Path) -> None:
    """Phone numbers among the events, or a second one of the lead, reach neither labels nor attributes."""
    rows = "\n".join(f'{n % 6 + 1},call "{n % 2}",2025-01-0{n % 9 + 1},151000000{n % 3:02}' for n in range(12))
    (data / "calls.csv").write_text(f"lead_id,kind,at,phone\n{rows}\n", encoding="utf-8")
    leads = (data / "leads.csv").read_text(encoding="utf-8").splitlines()
    second = [f"{line},{'backup_mobile' if n == 0 else 15200000000 + n}" for n, line in enumerate(leads)]
    (data / "leads.csv").write_text("\n".join(second), encoding="utf-8")

    draft_site(tmp_path / "shop", data)

    site = load_site(tmp_path / "shop")
    written = (tmp_path / "shop" / "catalogue.toml").read_text(encoding="utf-8")
    assert "phone" not in site.labels
    assert "mobile" not in written
    assert {"call_0", "call_1"} <= site.kinds.keys()


def test_draft_never_overwrites(tmp_path: Path, data: Path) -> None:
    """A folder that already holds a site is refused, and the site stays as it was."""
    draft_site(tmp_path / "shop", data)
    before = (tmp_path / "shop" / "leadlight.toml").read_bytes()

    with pytest.raises(SiteError, match="exists already"):
        draft_site(tmp_path / "shop", data)

    assert (tmp_path / "shop" / "leadlight.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no file of .csv, .tsv, .parquet"),
        ({"a.csv": "x,y\n1,2\n1,2\n", "b.csv": "x,z\n1,2\n1,2\n"}, "no column names each lead once"),
    ],
)
def test_draft_says_what_is_missing(tmp_path: Path, files: dict[str, str], message: str) -> None:
    """Data in which no leads can be told end in one clear error."""
    data = tmp_path / "data"
    data.mkdir()
    for name, text in files.items():
        (data / name).write_text(text, encoding="utf-8")

    with pytest.raises(SiteError, match=message):
        draft_site(tmp_path / "shop", data)
