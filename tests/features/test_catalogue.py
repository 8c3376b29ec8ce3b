"""The catalogue: what columns its entries yield, what they are called, and that all its faults come at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from features.catalogue import Catalogue, load_catalogue, target_columns
from leadlight.schema import DAY
from leadlight.settings import SiteError, load_site, parse_part

HEAD = '[[feature]]\nzh = "词"\nen = "words in {window}"\n'
SITE = """
[site]
name = "shop"
title = { zh = "店", en = "Shop" }
utc_offset = "+08:00"
[kinds.view]
labels = ["page"]
[kinds.order]
[targets.first_order]
outcome = ["order"]
horizon = "30d"
exclude = ["nothing"]
[targets.first_order.observe]
offsets = ["7d"]
[targets.first_order.gate]
precision = 0.3
recall = 0.2
"""


def entry(**tables: object) -> dict[str, object]:
    return {"name": "views", "zh": "词", "en": "views in {window}", "events": ["view"], **tables}


def catalogue(*entries: dict[str, object]) -> Catalogue:
    return parse_part(Catalogue, {"feature": list(entries)}, "catalogue.toml")


def test_windows_fan_out() -> None:
    """One entry makes a column a window, each with its length and its words."""
    made = catalogue(entry(kind="count", windows=["7d", "1d", "all"]))

    assert [(c.name, c.type, c.window) for c in made.lead_columns] == [
        ("views_7d", "int", 7 * DAY),
        ("views_1d", "int", DAY),
        ("views_all", "int", None),
    ]
    assert [c.wording("en") for c in made.lead_columns] == ["views in 7 days", "views in 1 day", "views in all time"]
    assert made.lead_columns[0].group == "views"


def test_the_whole_past_has_no_last_days() -> None:
    """A column of the whole past says so, where the entry speaks of the last days of a window."""
    words = {"zh": "近{window}浏览次数", "en": "views in the last {window}"}

    made = catalogue(entry(kind="count", windows=["7d", "all"]) | words)

    assert [c.wording("zh") for c in made.lead_columns] == ["近7天浏览次数", "累计浏览次数"]
    assert [c.wording("en") for c in made.lead_columns] == ["views in the last 7 days", "views in all time"]


def test_ranks_fan_out() -> None:
    """A preference makes a column a rank."""
    made = catalogue(entry(kind="top", of="page", k=2, windows=["7d"]))

    assert [(c.name, c.type, c.rank) for c in made.lead_columns] == [("views_7d_1", "str", 1), ("views_7d_2", "str", 2)]


def test_context_stands_apart() -> None:
    """What looks beyond the lead belongs to the context columns."""
    made = catalogue(entry(kind="count"), entry(name="crowd", kind="context", windows=["7d"]))

    assert [c.name for c in made.lead_columns] == ["views"]
    assert [c.name for c in made.context_columns] == ["crowd_7d"]
    assert [c.name for c in target_columns(made, exclude=("crowd",))] == ["views"]


def test_the_hash_follows_the_meaning() -> None:
    """Words, themes, groups and directions change nothing; whatever a value depends on does."""
    one, same = catalogue(entry(kind="count")), catalogue(entry(kind="count"))
    told = catalogue(entry(kind="count", zh="字", en="words", group="habit", theme="value", direction="up"))
    others = [
        catalogue(entry(kind="active_days")),
        catalogue(entry(kind="count", where={"page": ["home"]})),
        catalogue(entry(kind="count", amount_over=3)),
        catalogue(entry(kind="count", windows=["7d"])),
        catalogue(entry(name="other", kind="count")),
    ]

    assert one.hash == same.hash == told.hash
    assert len({one.hash, *(other.hash for other in others)}) == 6


def test_some_columns_have_a_digest_of_their_own() -> None:
    """A column more leaves it as it was; one that a level is computed from changes it."""
    levels = [{"name": "high", "when": ["views >= 5"]}]
    tier: dict[str, object] = {"kind": "level", "name": "tier", "zh": "档", "en": "tier", "levels": levels}
    narrow = entry(kind="count", where={"page": ["home"]})
    made = catalogue(entry(kind="count"), tier, entry(name="more", kind="count"))
    other = catalogue(narrow, tier)

    assert made.digest(["tier"]) == catalogue(entry(kind="count"), tier).digest(["tier"])
    assert made.digest(["tier"]) != other.digest(["tier"])
    assert made.digest(["more"]) != made.digest(["views"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "average"},
        {"kind": "count", "windows": ["7 days"]},
        {"kind": "count", "windows": ["0d"]},
        {"kind": "count", "of": "page"},
        {"kind": "distinct"},
        {"kind": "share"},
        {"kind": "share", "hours": [24, 18]},
        {"kind": "context", "windows": ["12h"]},
        {"kind": "count", "name": "Views"},
        {"kind": "count", "colour": "red"},
        {"kind": "level", "levels": [{"name": "high", "when": ["views is big"]}]},
        {"kind": "level", "levels": [{"name": str(n), "when": ["views > 1"]} for n in range(25)]},
    ],
)
def test_a_wrong_entry_is_refused(wrong: dict[str, object]) -> None:
    """Unknown kinds and keys, parts that do not belong together, and a 25th level are faults."""
    tables = entry(**wrong)
    if wrong["kind"] == "level":
        del tables["events"]

    with pytest.raises(SiteError):
        catalogue(tables)


def test_references_are_checked_together(tmp_path: Path) -> None:
    """Unknown kinds, labels, level columns, excluded names and doubled columns come in one error."""
    (tmp_path / "leadlight.toml").write_text(SITE, encoding="utf-8")
    text = (
        f'{HEAD}name = "a"\nkind = "count"\nevents = ["buy"]\n'
        f'{HEAD}name = "b"\nkind = "distinct"\nevents = ["view"]\nof = "colour"\n'
        f'{HEAD}name = "c"\nkind = "level"\nlevels = [{{ name = "high", when = ["z > 1"] }}]\n'
        f'{HEAD}name = "a"\nkind = "age"\n'
        f'{HEAD}name = "as_of"\nkind = "age"\n'
        f'{HEAD}name = "d"\nkind = "level"\nlevels = [{{ name = "high", when = ["a > \'x\'"] }}]\n'
    )
    (tmp_path / "catalogue.toml").write_text(text, encoding="utf-8")

    with pytest.raises(SiteError) as caught:
        load_catalogue(load_site(tmp_path))

    assert len(caught.value.faults) == 7
    for word in ("'buy'", "'colour'", "'z'", "'nothing'", "2 times", "'as_of'", "a number"):
        assert word in str(caught.value)


@pytest.mark.parametrize("name", ["demo", "learning_platform", "x_education"])
def test_the_example_sites_load(name: str, tmp_path: Path) -> None:
    """The three example sites are free of faults and word every column in both languages."""
    folder = Path(__file__).parents[2] / "examples" / name
    shutil.copytree(folder, tmp_path / name, ignore=shutil.ignore_patterns("state"))

    made = load_catalogue(load_site(tmp_path / name))

    assert all(column.wording("zh") and column.wording("en") for column in made.columns)
