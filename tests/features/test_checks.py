"""The check of raw tables: every fault at once, counted, with examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.checks import Inspection, inspect
from leadlight.settings import SiteError
from tests.features.raw_builders import EVENT, LEAD, LEAD_COLUMNS, SITE, WALL, events, leads, rows, school_raw

T = "TIMESTAMP '2025-03-02 10:00'"
VERSIONED = LEAD_COLUMNS + ', "at", arrived_at'


def check(folder: Path, **sources: str) -> Inspection:
    """The inspection of the school with these queries."""
    raw, site, catalogue = school_raw(folder, **sources)
    return inspect(raw, site, catalogue, wall=WALL)


def faults(folder: Path, **sources: str) -> list[str]:
    """The faults of the school with these queries, in words."""
    return [str(fault) for fault in check(folder, **sources).faults]


def event(event_id: str = "'E1'", **changes: str) -> str:
    """One event row in SQL."""
    cells = {
        "lead": "'L1'",
        "kind": "'order'",
        "at": T,
        "arrived": "NULL",
        "amount": "NULL",
        "course": "NULL",
        **changes,
    }
    return f"({event_id}, {', '.join(cells.values())}, NULL)"


def test_sound_tables_have_no_fault(tmp_path: Path) -> None:
    """A plain lead and a plain event pass without a word."""
    inspection = check(tmp_path)

    inspection.require_sound()
    assert inspection == Inspection(faults=(), notes=())


def test_columns_without_a_value_may_have_any_type(tmp_path: Path) -> None:
    """NULL AS amount is an INTEGER to DuckDB, and so is a label that nobody used: neither is a fault."""
    unused = (
        f"SELECT 'E1' AS event_id, 'L1' AS lead_id, 'order' AS kind, {T} AS at, NULL AS arrived_at, NULL AS amount,"
    )

    assert faults(tmp_path, events_sql=f"{unused} NULL AS course, NULL AS status") == []


@pytest.mark.parametrize(
    ("leads_sql", "fault"),
    [
        (rows("lead_id, channel, city, budget", "('L1', 'sem', 'x', 1)"), "column created_at is missing"),
        (rows("lead_id, created_at, channel, budget", f"('L1', {T}, 'sem', 1)"), "column city is missing"),
        (leads(f"(7, {T}, 'sem', 'x', 1)"), "column lead_id is int32, not text: cast it in sources/leads.sql"),
        (leads("('L1', 20250301, 'sem', 'x', 1)"), "column created_at is int32, not time"),
        (leads(f"('L1', {T}, 'sem', 'x', 'much')"), "column budget is string, not number"),
        (leads(f"('L1', {T}, 'sem', 5, 1)"), "column city is int32, not text"),
        (
            leads(f"('L1', {T}, 'sem', 'x', 1, {T})", columns=LEAD_COLUMNS + ", born"),
            "column born is timestamp(6), not",
        ),
        (
            leads(f"('L1', {T}, 'sem', 'x', 1, 'y')", columns=LEAD_COLUMNS + ', "Lead Origin"'),
            "'Lead Origin' cannot be",
        ),
        (leads(f"('L1', {T}, 'sem', 'x', 1, {T})", columns=LEAD_COLUMNS + ', "at"'), "column at stands alone"),
        (f"{leads(LEAD)} WHERE false", "the query returned no row"),
        (leads(f"(NULL, {T}, 'sem', 'x', 1)", LEAD), "1 row without lead_id"),
        (leads(f"(repeat('x', 201), {T}, 'sem', 'x', 1)", LEAD), "1 row with a lead_id that no request could name"),
        (leads(f"('L' || chr(9), {T}, 'sem', 'x', 1)", LEAD), "an id has 1 to 200 characters that are not all blank"),
        (leads(f"('\u3000', {T}, 'sem', 'x', 1)", LEAD), "1 row without lead_id"),
        (leads(LEAD, LEAD), "2 rows with the lead_id of another row: return one row a lead, or at and arrived_at"),
        (leads(LEAD, f"('L2', {T}, ' ', 'x', 1)"), "1 row without channel"),
        (leads(LEAD, "('L2', NULL, 'sem', 'x', 1)"), "1 row without created_at"),
        (
            leads("('L1', '2025-03-01', 'sem', 'x', 1)", "('L2', '2025-13-01', 'sem', 'x', 1)"),
            "created_at '2025-13-01'",
        ),
        (leads("('L1', TIMESTAMP '2026-03-01', 'sem', 'x', 1)"), "1 row with created_at in the future"),
        (leads(f"('L1', {T}, 'sem', 'x', 'inf'::DOUBLE)"), "1 row with an infinite budget"),
        (leads(f"('L1', {T}, 'sem', 'x', 1, NULL, {T})", columns=VERSIONED), "1 row without at"),
        (
            leads(f"('L1', {T}, 'sem', 'x', 1, {T}, DATE '2025-03-01')", columns=VERSIONED),
            "1 row with an arrived_at before at",
        ),
        (
            leads(f"('L1', {T}, 'sem', 'x', 1, {T}, {T})", f"('L1', {T}, 'sem', 'y', 1, {T}, {T})", columns=VERSIONED),
            "2 rows that differ under one lead_id, at, arrived_at",
        ),
        (
            leads(
                f"('L1', {T}, 'sem', 'x', 1, {T}, NULL)",
                "('L1', DATE '2025-03-01', 'sem', 'y', 1, DATE '2025-03-05', NULL)",
                columns=VERSIONED,
            ),
            "2 rows with another created_at than",
        ),
    ],
)
def test_each_fault_of_leads_is_named(tmp_path: Path, leads_sql: str, fault: str) -> None:
    """Whatever is wrong with the leads is told with its count, or its column, and what to do."""
    found = faults(tmp_path, leads_sql=leads_sql)

    assert any(one.startswith("leads: ") and fault in one for one in found), found


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (event("NULL"), "1 row without event_id"),
        (event(lead="'L9'"), "1 row of unknown leads"),
        (event(kind="'visit'"), "1 row of an unknown kind: leadlight.toml declares view, order, call"),
        (event(kind="'lead_created'"), "1 row of kind lead_created"),
        (event(at="NULL::TIMESTAMP"), "1 row without at"),
        (event(at="'yesterday'"), "1 row with at that is no time"),
        (event(at="TIMESTAMP '2025-06-01 08:00:00.000001'"), "1 row with at in the future"),
        (event(arrived="'soon'"), "1 row with arrived_at that is no time"),
        (event(arrived="TIMESTAMP '2025-06-02'"), "1 row with arrived_at in the future"),
        (event(arrived="TIMESTAMP '2025-03-01'"), "1 row with an arrived_at before at"),
        (event(amount="10.5"), "column amount is decimal(3, 1), not whole number: amounts are whole thousandths"),
        (event(amount="9223372036854775808"), "1 row with an amount beyond 64 bits"),
        (
            event(course="'maths'"),
            "with the label course, which the kind does not declare: it is declared for view, call",
        ),
    ],
)
def test_each_fault_of_events_is_named(tmp_path: Path, changed: str, fault: str) -> None:
    """Whatever is wrong with the events is told with its count, or its column, and what to do."""
    (found,) = faults(tmp_path, events_sql=events(changed))

    assert found.startswith("events: ")
    assert fault in found


def test_an_event_exactly_now_is_not_in_the_future(tmp_path: Path) -> None:
    """The wall clock itself is the last moment allowed."""
    assert faults(tmp_path, events_sql=events(event(at="TIMESTAMP '2025-06-01 08:00'"))) == []


def test_an_undeclared_label_column_is_a_fault(tmp_path: Path) -> None:
    """A column that no kind declares would silently be lost."""
    (found,) = faults(tmp_path, events_sql=f"SELECT *, 'x' AS teacher FROM ({events(EVENT)})")

    assert "column 'teacher' is no declared label: declare it in leadlight.toml" in found


def test_an_undeclared_channel_is_a_fault_where_the_site_declares_some(tmp_path: Path) -> None:
    """Without [channels] any channel will do; with it only those named."""
    toml = SITE + '[channels.app]\nzh = "应用"\nen = "app"\n'

    (found,) = faults(tmp_path, toml=toml)

    assert "1 row with an unknown channel: [channels] of leadlight.toml declares app" in found
    assert "channel 'sem'" in found


def test_two_contents_at_one_arrival_are_a_fault_and_a_repetition_is_a_note(tmp_path: Path) -> None:
    """Nobody can say which of two contents holds; the same content twice is harmless, and counted."""
    repeated = check(tmp_path, events_sql=events(event("'E1'"), event("'E1'"), event("'E2'", amount="1000")))
    differing = check(tmp_path, events_sql=events(event("'E1'"), event("'E1'", amount="1000")))
    corrected = check(tmp_path, events_sql=events(event("'E1'"), event("'E1'", arrived="DATE '2025-03-09'")))

    assert [str(note) for note in repeated.notes] == [
        "events: 1 row delivered more than once, unchanged: harmless, each counts once"
    ]
    assert repeated.faults == ()
    assert "2 rows that differ under one event_id, arrived_at" in str(differing.faults[0])
    assert (corrected.faults, corrected.notes) == ((), ())


def test_an_event_id_that_two_leads_share_is_a_fault(tmp_path: Path) -> None:
    """Numbers counted per lead would make one lead's events correct another's."""
    two = leads(LEAD, LEAD.replace("L1", "L2"))
    other = event("'1'", lead="'L2'", arrived="DATE '2025-03-09'")

    (found,) = faults(tmp_path, leads_sql=two, events_sql=events(event("'1'"), other))

    assert "2 rows with the event_id of another lead's event" in found


def test_all_faults_come_at_once_with_counts_and_a_few_examples(tmp_path: Path) -> None:
    """A hundred bad rows of four sorts make four faults, each with its five commonest cases."""
    unknown = [event(f"'E{n}'", kind=f"'kind_{n if n < 10 else n % 4}'") for n in range(100)]
    nameless = leads(LEAD, *(f"('N{n}', NULL, NULL, 'x', 1)" for n in range(9)))

    with pytest.raises(SiteError) as caught:
        check(tmp_path, leads_sql=nameless, events_sql=events(*unknown, event("'F'", lead="'L7'"))).require_sound()

    channel, created_at, kind, leadless = caught.value.faults
    assert channel.startswith("leads: 9 rows without channel")
    assert created_at.startswith("leads: 9 rows without created_at")
    assert created_at.count("lead_id 'N") == 5
    assert leadless.startswith("events: 1 row of unknown leads")
    assert kind.startswith("events: 100 rows of an unknown kind")
    assert "for example kind 'kind_2' (24 times); kind 'kind_3' (24 times); kind 'kind_0' (23 times)" in kind
    assert kind.count("; kind '") == 4


def test_a_wrong_column_hides_no_other_fault(tmp_path: Path) -> None:
    """Rows are judged by the columns that can be judged."""
    found = faults(tmp_path, leads_sql=rows("lead_id, channel, city, budget", "('L1', NULL::VARCHAR, 'x', 1)"))

    assert [one.split(":")[1].strip() for one in found] == ["column created_at is missing", "1 row without channel"]


def test_examples_never_show_a_contact(tmp_path: Path) -> None:
    """A phone number in a faulty row is not in the words about it."""
    columns = LEAD_COLUMNS + ", phone"

    found = faults(tmp_path, leads_sql=leads("('L1', '2025-13-01', NULL, 'x', 1, '15112348109')", columns=columns))

    assert found
    assert "15112348109" not in " ".join(found)
