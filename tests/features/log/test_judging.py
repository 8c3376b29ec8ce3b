"""What becomes of a fact, and what cannot be taken."""

from __future__ import annotations

import math
from typing import Any

import pytest

from features.log import NewEdge, NewFact, NewVersion
from features.log.judging import Judged, judge
from features.log.known import Known
from tests.features.log.log_builders import a_version, an_event


def verdict(*facts: NewFact, known: Known | None = None) -> Judged:
    return judge(facts, known or Known(), arrived_at=9_000, seq=0)


def a_known_lead(*lead_ids: str) -> Known:
    return Known(created=dict.fromkeys(lead_ids or ("ana",), 1_000))


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (an_event("e2", "eve"), "lead_id: 'eve' was erased"),
        (a_version("eve"), "lead_id: 'eve' was erased"),
        (NewEdge("ana", "eve", "same", "desk", ""), "lead_id: 'eve' was erased"),
        (NewEdge("ana", "bob", "same", "desk", ""), "lead_id: 'bob' is not known"),
        (NewEdge("ana", "ana", "apart", "desk", ""), "other_id: 'ana' is the lead itself"),
        (NewEdge("ana", None, "same", "desk", ""), "other_id: nobody was named"),
        (NewVersion("ana", 999, "ads", None, 999, {}, ()), "created_at: 1970-01-01T00:00:00.000999+00:00 came, but"),
        (an_event("e\0"), "event_id: 'e\\x00' has a character"),
        (an_event(labels={"course": "\ud800"}), "labels/course: '\\ud800' has a character"),
        (a_version(contact="\0"), "contact: '\\x00' has a character"),
        (a_version(budget=math.nan), "attributes/budget: nan is no number"),
        (a_version(hashes=(("phone", "\0"),)), "hashes: '\\x00' has a character"),
        (an_event(amount=2**63), f"amount: {2**63} is beyond 64 bits"),
    ],
)
def test_a_fault_says_which_field_and_what_came(fact: NewFact, words: str) -> None:
    known = a_known_lead("ana")
    known.erased.add("eve")

    [(index, fault)] = verdict(an_event(), fact, known=known).faults

    assert index == 1
    assert fault.startswith(words)


def test_a_faulty_lead_is_one_fault_not_one_more_for_each_of_its_events() -> None:
    faults = verdict(a_version("bob", city="\0"), an_event(lead_id="bob")).faults

    assert [index for index, _ in faults] == [0]


def test_an_event_keeps_its_lead_within_a_batch_too() -> None:
    [(index, fault)] = verdict(an_event("e1", "ana"), an_event("e1", "bob"), known=a_known_lead("ana", "bob")).faults

    assert index == 1
    assert "give another event another event_id" in fault


@pytest.mark.parametrize(
    "change",
    [{"kind": "call"}, {"at": 2_001}, {"amount": 1}, {"labels": {"course": "a"}}],
    ids=lambda each: next(iter(each)),
)
def test_any_other_content_of_an_event_is_a_correction(change: dict[str, Any]) -> None:
    judged = verdict(an_event(), an_event(**change), an_event(**change), known=a_known_lead())

    assert judged.results == ["added", "corrected", "unchanged"]
    assert [row["arrived_at"] for row in judged.rows["events"]] == [9_000, 9_001]


@pytest.mark.parametrize(
    "change", [{"channel": "fair"}, {"city": "B"}, {"contact": "2**"}], ids=lambda each: next(iter(each))
)
def test_any_other_content_of_a_version_is_a_correction(change: dict[str, Any]) -> None:
    first: dict[str, Any] = {"city": "A", "contact": "1**"}

    assert verdict(a_version(**first), a_version(**first | change)).results == ["added", "corrected"]


def test_a_version_of_another_moment_is_a_further_one() -> None:
    judged = verdict(a_version(city="A"), a_version(city="A", at=1_500))

    assert judged.results == ["added", "added"]
    assert [row["first"] for row in judged.rows["lead_versions"]] == [True, False]


def test_a_missing_attribute_is_an_absent_one_and_a_missing_contact_says_nothing() -> None:
    judged = verdict(a_version(city="A", contact="1**"), a_version(city="A", age=None))

    assert judged.results == ["added", "unchanged"]


def test_a_contact_that_is_new_is_kept_even_where_the_version_is_not() -> None:
    judged = verdict(a_version(hashes=(("phone", "a"),)), a_version(hashes=(("phone", "a"), ("email", "b"))))

    assert judged.results == ["added", "unchanged"]
    assert [(row["type"], row["hash"]) for row in judged.rows["contacts"]] == [("phone", "a"), ("email", "b")]


def test_a_word_about_two_leads_counts_once_whichever_is_named_first() -> None:
    judged = verdict(
        NewEdge("ana", "bob", "same", "desk", "x"),
        NewEdge("bob", "ana", "same", "desk", "x"),
        NewEdge("ana", "bob", "apart", "desk", "x"),
        known=a_known_lead("ana", "bob"),
    )

    assert judged.results == ["added", "unchanged", "corrected"]
    assert [row["arrived_at"] for row in judged.rows["edges"]] == [9_000, 9_001]


def test_a_word_that_another_overruled_is_news_when_it_is_said_again() -> None:
    same, apart = NewEdge("ana", "bob", "same", "desk", ""), NewEdge("bob", None, "apart", "desk", "")

    judged = verdict(same, apart, same, apart, apart, known=a_known_lead("ana", "bob"))

    assert judged.results == ["added", "corrected", "corrected", "corrected", "unchanged"]
    assert [row["arrived_at"] for row in judged.rows["edges"]] == [9_000, 9_001, 9_002, 9_003]
