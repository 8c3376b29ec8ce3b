"""Both evaluators mean the same: values, types and ``valid_until``, bit for bit, on random histories."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import Catalogue
from features.facts import LeadFacts
from features.single import evaluate, evaluator
from leadlight.schema import FOREVER
from tests.builders import RelationalRows, exact, lead, site_at
from tests.features.histories import EVERYTHING, SELDOM, Moments, histories


@pytest.mark.parametrize(
    ("rules", "utc_offset", "examples"),
    [
        pytest.param(EVERYTHING, "+08:00", 40, id="everything"),
        pytest.param(SELDOM, "-03:30", 40, id="seldom"),
        pytest.param(EVERYTHING, "+05:30", 300, id="at length", marks=pytest.mark.proof),
    ],
)
def test_both_evaluators_agree_bit_for_bit(rules: Catalogue, utc_offset: str, examples: int) -> None:
    """Same values, same types, same missing, same ``valid_until``; one row for each moment asked about."""
    rows = RelationalRows(rules, site_at(utc_offset))
    read = evaluator(rules, site_at(utc_offset))

    @settings(max_examples=examples)
    @given(histories())
    def agree(history: tuple[list[LeadFacts], Moments]) -> None:
        leads, moments = history
        facts = {each.lead_id: each for each in leads}

        found = rows.read(leads, moments)

        assert set(found) == set(moments)
        for lead_id, as_of in moments:
            assert exact(found[lead_id, as_of]) == exact(read(facts[lead_id], as_of))

    agree()


@pytest.mark.parametrize("rules", [pytest.param(EVERYTHING, id="everything"), pytest.param(SELDOM, id="seldom")])
@given(history=histories(), share=st.floats(0, 1))
def test_nothing_changes_before_valid_until(
    rules: Catalogue, history: tuple[list[LeadFacts], Moments], share: float
) -> None:
    """A row stays exact up to the last microsecond before its ``valid_until``."""
    read = evaluator(rules, site_at("+08:00"))
    leads, moments = history
    facts = {each.lead_id: each for each in leads}

    for lead_id, as_of in moments:
        row = read(facts[lead_id], as_of)
        later = as_of + int((row.valid_until - 1 - as_of) * share)

        assert as_of < row.valid_until <= FOREVER
        assert read(facts[lead_id], later) == row
        assert read(facts[lead_id], row.valid_until - 1) == row


@given(histories())
def test_only_what_was_known_counts(history: tuple[list[LeadFacts], Moments]) -> None:
    """A row is the same if all that had not happened, had not arrived, or was already corrected is erased."""
    leads, moments = history
    facts = {each.lead_id: each for each in leads}

    for lead_id, as_of in moments:
        told = facts[lead_id]
        events = [
            e for e in told.events if e.at < as_of and e.arrived_at <= as_of and (e.until is None or as_of < e.until)
        ]
        versions = tuple(
            v for v in told.versions if v.at < as_of and v.arrived_at <= as_of and (v.until is None or as_of < v.until)
        )
        known = lead(lead_id, created_at=told.created_at, versions=versions, events=events)

        values = evaluate(EVERYTHING, site_at("+08:00"), told, as_of).values

        assert values == evaluate(EVERYTHING, site_at("+08:00"), known, as_of).values
