"""The contacts of the log follow a rotation of the key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from features.identity import Evidence, Key, hashes_of
from features.identity.components import intervals
from features.identity.key import VARIABLE, make_key
from features.log import Log
from features.log.rekeying import rekey_contacts, rotate, under_older_links
from leadlight.settings import Identity, SiteError, UsageError, load_site
from tests.conftest import ROOT
from tests.features.log.log_builders import a_version

OLD = Key((b"a" * 40,))
NEW = OLD.extended(b"b" * 40)
PHONE = {"phone": "13812345678"}
BOTH = {"phone": "13900001111", "email": "ana@mail.example"}


def tell(log: Log, lead_id: str, contacts: dict[str, str], key: Key, at: int) -> None:
    log.append([a_version(lead_id, hashes=hashes_of(contacts, key, "CN"))], arrived_at=at, base={})


def nobody(_: Sequence[str]) -> list[Evidence]:
    """A base without contacts."""
    return []


def people_at(log: Log, recorded: list[Evidence], as_of: int) -> dict[str, str]:
    """Who is whom at ``as_of``, the older lead's name by the younger's."""
    created = {"ana": 1, "bob": 2, "carl": 3}
    found = intervals([*recorded, *log.contacts_of(created)], [], created, Identity()).intervals
    return {each.lead_id: each.canonical_id for each in found if each.since <= as_of < each.until}


@pytest.mark.parametrize("in_base", [True, False])
def test_what_was_hashed_under_the_old_link_meanwhile_is_recognised_from_the_rekeying_on(
    log: Log, engine: Engine, *, in_base: bool
) -> None:
    """It was answered as somebody else until then; but those that came with it were one person among themselves."""
    if not in_base:
        tell(log, "ana", PHONE, OLD, 5_000)
    recorded = [Evidence("ana", *contact, 5_000) for contact in hashes_of(PHONE, NEW, "CN")] if in_base else []
    rekey_contacts(engine, NEW, at=5_500, recorded=nobody)
    tell(log, "bob", PHONE, OLD, 6_000)  # by a server that still has the old key
    tell(log, "carl", PHONE, OLD, 7_000)
    moments = (5_500, 6_500, 7_500, 8_999)
    before = [people_at(log, recorded, as_of) for as_of in moments]
    head = log.head()

    rekey_contacts(engine, NEW, at=9_000, recorded=lambda asked: [each for each in recorded if each.hash in asked])

    assert under_older_links(engine, NEW) == 0
    named = [{who: of.get(who, who) for who in ("ana", "bob", "carl")} for of in before]
    after = [people_at(log, recorded, as_of) for as_of in moments]
    assert [{who: of.get(who, who) for who in ("ana", "bob", "carl")} for of in after] == named
    assert people_at(log, recorded, 9_000) == {"ana": "ana", "bob": "ana", "carl": "ana"}
    assert log.linked(head) == {"bob", "carl"}


def test_every_contact_is_taken_along_and_equal_ones_stay_equal(log: Log, engine: Engine) -> None:
    """Under the new link stands what a new lead with the same contacts hashes to, known as long as before."""
    tell(log, "ana", PHONE, OLD, 5_000)
    tell(log, "bob", BOTH, OLD, 6_000)

    assert under_older_links(engine, NEW) == 3
    assert rekey_contacts(engine, NEW, at=9_000, recorded=nobody) == 3

    assert under_older_links(engine, NEW) == 0
    expected = {"ana": (PHONE, 5_000), "bob": (BOTH, 6_000)}
    assert set(log.contacts_of(expected)) == {
        Evidence(lead_id, kind, digest, at)
        for lead_id, (contacts, at) in expected.items()
        for kind, digest in hashes_of(contacts, NEW, "CN")
    }
    assert rekey_contacts(engine, NEW, at=9_000, recorded=nobody) == 0


def test_a_contact_heard_again_under_the_new_link_is_known_since_it_was_first_heard(log: Log, engine: Engine) -> None:
    """A server that knew the new link before the rotation was finished does no harm."""
    tell(log, "ana", PHONE, OLD, 5_000)
    tell(log, "ana", PHONE, NEW, 6_000)

    rekey_contacts(engine, NEW, at=9_000, recorded=nobody)

    ((kind, digest),) = hashes_of(PHONE, NEW, "CN")
    assert log.contacts_of(["ana"]) == [Evidence("ana", kind, digest, 5_000)]


def test_contacts_under_a_foreign_key_stop_it_all(log: Log, engine: Engine) -> None:
    """Nothing is changed where the key given cannot have made all that is stored."""
    tell(log, "ana", PHONE, OLD, 5_000)
    tell(log, "bob", BOTH, Key((b"c" * 40,)), 6_000)
    before = log.contacts_of(["ana", "bob"])

    with pytest.raises(SiteError, match="restore the old key"):
        rekey_contacts(engine, NEW, at=9_000, recorded=nobody)

    assert log.contacts_of(["ana", "bob"]) == before


def test_an_interrupted_rotation_is_finished_and_not_begun_again(log: Log, engine: Engine, tmp_path: Path) -> None:
    """What a link was added for is done first; only then does a rotation add another."""
    site = load_site(ROOT / "examples" / "x_education")
    tell(log, "ana", PHONE, make_key(tmp_path), 5_000)

    first = rotate(site, tmp_path, {}, engine, wall=9_000)
    tell(log, "bob", BOTH, Key(first.key.links[:1]), 6_000)  # by a server that still had the old key
    finished = rotate(site, tmp_path, {}, engine, wall=9_000)
    second = rotate(site, tmp_path, {}, engine, wall=9_000)

    assert (first.contacts, finished.contacts, second.contacts) == (1, 2, 3)
    assert finished.key == first.key
    assert second.key.links[:2] == first.key.links
    assert len(second.key.links) == 3


def test_a_key_in_the_environment_is_rotated_there(log: Log, engine: Engine, tmp_path: Path) -> None:
    """Leadlight cannot add to the environment: it says how, and then follows."""
    site = load_site(ROOT / "examples" / "x_education")
    tell(log, "ana", PHONE, OLD, 5_000)

    with pytest.raises(UsageError, match="behind the old one, with a comma"):
        rotate(site, tmp_path, {VARIABLE: "a" * 40}, engine, wall=9_000)
    done = rotate(site, tmp_path, {VARIABLE: f"{'a' * 40},{'b' * 40}"}, engine, wall=9_000)

    assert (done.key, done.contacts) == (NEW, 1)
    assert list(tmp_path.iterdir()) == []
