"""A lead as people look at it: what it shows is what the evaluator counts at that moment."""

from __future__ import annotations

from features.facts import LeadFacts, Version
from features.people import Identities, person
from features.single import evaluate
from leadlight.schema import DAY, Micros
from serving.lead import lead_answer
from tests.builders import catalogue, lead, merged, site
from tests.serving.given_builders import given

CITY = {"name": "city", "kind": "attribute", "column": "city"}


def shown_and_counted(facts: LeadFacts, as_of: Micros) -> tuple[object, object]:
    """The lead's city on its page, and as a feature."""
    page = lead_answer(facts, given(facts.lead_id).score, as_of).attributes.get("city")
    return page, evaluate(catalogue(CITY), site(), facts, as_of).values["city"]


def test_a_lead_that_was_parted_shows_nothing_of_the_other() -> None:
    """While two leads are one person the newer version is shown, of equal times the greater lead's; then its own."""
    leads = [
        lead(name, versions=(Version(DAY, DAY, {"city": city}),)) for name, city in (("a", "Wuhan"), ("b", "Xian"))
    ]
    stays = merged(leads, (3 * DAY, [["a", "b"]]), (5 * DAY, [["a"], ["b"]]))

    facts = person("a", {each.lead_id: each for each in leads}, Identities(stays))

    assert shown_and_counted(facts, 2 * DAY) == ("Wuhan", "Wuhan")
    assert shown_and_counted(facts, 4 * DAY) == ("Xian", "Xian")
    assert shown_and_counted(facts, 6 * DAY) == ("Wuhan", "Wuhan")


def test_a_corrected_version_is_shown_until_its_correction_arrives() -> None:
    """Both have the same ``at``; each is shown while it is known."""
    versions = (Version(DAY, DAY, {"city": "Wuhan"}, until=3 * DAY), Version(DAY, 3 * DAY, {"city": None}))

    facts = lead("a", versions=versions)

    assert shown_and_counted(facts, 2 * DAY) == ("Wuhan", "Wuhan")
    assert shown_and_counted(facts, 4 * DAY) == (None, None)
