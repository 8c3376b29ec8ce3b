"""A reviewer sees what contacts could not settle, over base and log, and has the last word."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from features.identity import Held
from features.identity.propose import INSTALL
from features.identity.review import Review
from features.log import Log, NewEdge, NewVersion
from leadlight.database import open_database
from leadlight.settings import Identity, Site, SiteError, UsageError
from tests.builders import site
from tests.features.identity.identity_builders import evidence
from tests.features.identity.review_builders import open_review, write_base

LUND = dict.fromkeys("abcdef", "Lund")
WALL = 1_000


@pytest.fixture(scope="module")
def tiny() -> Site:
    return site().model_copy(update={"identity": Identity(people_at_most=3)})


@pytest.fixture(scope="module")
def base(tiny: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Leads a and b share a phone; so do d and e."""
    state = tmp_path_factory.mktemp("base")
    write_base(tiny, state, evidence("a phone 1 @1", "b phone 1 @2", "d phone 2 @4", "e phone 2 @5"), LUND)
    return state


@pytest.fixture
def review(tiny: Site, base: Path, tmp_path: Path) -> Review:
    shutil.copytree(base, tmp_path, dirs_exist_ok=True)
    return open_review(tiny, tmp_path)


def edge(one: str, other: str | None, verdict: str) -> NewEdge:
    return NewEdge(one, other, "same" if verdict == "same" else "apart", "review", "")


def test_a_word_counts_at_once_and_says_who_is_who(review: Review) -> None:
    """What a reviewer says of two leads holds for all that are one person with them."""
    accepted = review.say(edge("c", "b", "same"), wall=lambda: WALL)
    again = review.say(edge("c", "b", "same"), wall=lambda: WALL + 1)
    split = review.say(edge("b", None, "apart"), wall=lambda: WALL + 2)

    assert (accepted.is_new, accepted.arrived_at) == (True, WALL)
    assert accepted.persons == {"c": ("a", "b", "c"), "b": ("a", "b", "c")}
    assert not again.is_new
    assert split.persons == {"b": ("b",)}


def test_two_leads_are_parted_and_may_be_one_by_way_of_a_third(review: Review) -> None:
    """Apart from one lead is not apart from all: it says so."""
    review.say(edge("c", "a", "same"), wall=lambda: WALL)
    review.say(edge("c", "b", "same"), wall=lambda: WALL)

    parted = review.say(edge("a", "b", "apart"), wall=lambda: WALL + 1)

    assert parted.persons["a"] == parted.persons["b"] == ("a", "b", "c")


def test_a_lead_that_is_not_known_is_refused(review: Review) -> None:
    """A slip of the pen does not enter the log."""
    with pytest.raises(SiteError, match="'zz' is not known"):
        review.say(edge("a", "zz", "same"), wall=lambda: WALL)


def test_held_merges_are_of_base_and_log(review: Review, tiny: Site, tmp_path: Path) -> None:
    """A live contact that would make too large a person is held; accepting it settles it."""
    version = NewVersion("b", 2, "sem", None, 9, {}, hashes=(("phone", "2"),))
    before = review.held()

    Log(open_database(tiny, tmp_path)).append([version], now=lambda: WALL, base={})
    later = open_review(tiny, tmp_path)

    assert before == ()
    assert later.held() == (Held("b", "d", "phone", WALL, 4),)
    later.say(edge("b", "d", "same"), wall=lambda: WALL + 1)
    assert later.held() == ()


CROWD = {f"x{number:03}": f"city {number % 7}" for number in range(200)}


@pytest.mark.skipif(find_spec("splink") is None, reason="Splink is not installed (leadlight[identity])")
def test_proposals_leave_out_what_is_settled(tiny: Site, tmp_path: Path) -> None:
    """Who is one person already, who was decided, and who is known to be another, is not proposed."""
    pairs = [(f"{name}1", f"{name}2") for name in ("device", "merged", "decided", "alone", "wechat")]
    people = {**CROWD, **{lead: "Lund" for pair in pairs for lead in pair}}
    devices = [f"{lead} device {lead if lead in CROWD else lead[:-1]} @1" for lead in people]
    names = ["merged1 phone 1 @1", "merged2 phone 1 @1", "wechat1 wechat 1 @1", "wechat2 wechat 2 @1"]
    write_base(tiny, tmp_path, evidence(*devices, *names), people)
    review = open_review(tiny, tmp_path)
    review.say(edge("decided1", "decided2", "apart"), wall=lambda: WALL)
    review.say(edge("alone1", None, "apart"), wall=lambda: WALL)

    found = review.propose(at_least=0.5)

    assert [(pair.lead_id, pair.other_id, pair.agree) for pair in found] == [("device1", "device2", ("device", "city"))]


@pytest.mark.skipif(find_spec("splink") is not None, reason="Splink is installed")
def test_without_splink_nothing_is_proposed(review: Review) -> None:
    """It says what to install."""
    with pytest.raises(UsageError) as refused:
        review.propose(at_least=0.5)

    assert refused.value.faults == (INSTALL,)
