"""Contacts are made comparable, then hashed with a key."""

from __future__ import annotations

import random

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.identity import HASHED, Key, hashed_contacts, hashes_of, rekeyed
from features.identity.contacts import _parsed_phone, _plain_mobile, normalised
from leadlight.schema import CONTACTS
from leadlight.settings import SiteError

KEY = Key((b"a" * 40,))
LATER = KEY.extended(b"b" * 40)


@pytest.mark.parametrize(
    ("kind", "text", "one"),
    [
        ("phone", "13812345678", "+8613812345678"),
        ("phone", "+86 138-1234-5678", "+8613812345678"),
        ("phone", "008613812345678", "+8613812345678"),
        ("phone", "１３８１２３４５６７８", "+8613812345678"),
        ("phone", "021-6234 5678", "+862162345678"),
        ("phone", "+1 650 253 0000", "+16502530000"),
        ("phone", "021-62345678 ext. 12", None),
        ("phone", "4008001234", None),
        ("phone", "8001234567", None),
        ("phone", "10086", None),
        ("phone", "110", None),
        ("phone", "11111111111", None),
        ("phone", "18888888888", None),
        ("phone", "138****5678", None),
        ("phone", "1381234567", None),
        ("phone", "not given", None),
        ("wechat", " oXy12_Ab ", "oXy12_Ab"),
        ("wechat", "abc", None),
        ("wechat", "Unknown", None),
        ("email", " Wang.Fang@Mail.Example ", "wang.fang@mail.example"),
        ("email", "wang＠mail.example", "wang@mail.example"),
        ("email", "mail.example", None),
        ("email", "a@b@c", None),
        ("device", "A1B2-C3", "a1b2-c3"),
        ("device", "00000000-0000-0000", None),
        ("phone", "", None),
        ("email", None, None),
    ],
)
def test_a_contact_has_one_way_to_be_written(kind: str, text: str | None, one: str | None) -> None:
    """However a contact was typed, equal ones come out equal, and what names nobody comes out as nothing."""
    assert normalised(kind, text, "CN") == one


@pytest.mark.parametrize("region", ["CN", "US", "DE", "HK", "AR", "SM", "GG", "GB", "IT", "BR", "CI"])
def test_the_short_way_to_a_mobile_number_is_no_other(region: str) -> None:
    """A mobile number without a country code is read alike by the pattern and by the parser."""
    rng = random.Random(1)  # noqa: S311 - drawn numbers of a test
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    national = phonenumbers.national_significant_number(example)

    drawn = {_other_digits(national, rng) for _ in range(300)}
    short = {text: _plain_mobile(text, region) for text in drawn}

    assert any(short.values())
    assert {text: one for text, one in short.items() if one and one != _parsed_phone(text, region)} == {}


def _other_digits(number: str, rng: random.Random) -> str:
    changed = set(rng.sample(range(len(number)), 5))
    return "".join(rng.choice("0123456789") if place in changed else digit for place, digit in enumerate(number))


def test_hashes_tell_type_and_key_and_nothing_of_the_contact() -> None:
    """The same text as another type, or under another key, has another hash."""
    contacts = {"phone": "13812345678", "wechat": "13812345678", "email": None, "device": "13812345678"}

    found = dict(hashes_of(contacts, KEY, "CN"))
    other = dict(hashes_of(contacts, Key((b"c" * 40,)), "CN"))

    assert list(found) == ["phone", "wechat", "device"]
    assert len({*found.values(), *other.values()}) == 6
    assert all(len(each.partition(".")[2]) == 64 for each in found.values())


def test_a_stored_hash_follows_a_rotation() -> None:
    """A hash made under the old key and taken to the new one equals the hash of the contact under the new key."""
    third = LATER.extended(b"d" * 40)
    ((_, old),) = hashes_of({"phone": "13812345678"}, KEY, "CN")
    ((_, new),) = hashes_of({"phone": "+86 13812345678"}, third, "CN")

    assert old.partition(".")[2] != new.partition(".")[2]
    assert rekeyed(old, third) == rekeyed(rekeyed(old, LATER), third) == new
    assert rekeyed(new, third) == new


def test_a_hash_under_a_foreign_key_is_refused() -> None:
    """A stored hash that the key given cannot have made is no hash to compare with."""
    ((_, old),) = hashes_of({"phone": "13812345678"}, Key((b"c" * 40,)), "CN")

    with pytest.raises(SiteError, match="restore the old key"):
        rekeyed(old, LATER)


TEXTS = st.sampled_from(["13812345678", "+86 138 1234 5678", "13900000001", "10086", "fang_1990", "a@b.c", "A@B.C", ""])
ROW = st.fixed_dictionaries(
    {
        "lead_id": st.sampled_from("xyz"),
        "known_at": st.integers(0, 9),
        **dict.fromkeys(("phone", "wechat", "email", "device"), st.none() | TEXTS),
    }
)


@settings(max_examples=50)
@given(st.lists(ROW, max_size=12))
def test_a_file_is_hashed_like_its_leads(rows: list[dict[str, str | int | None]]) -> None:
    """A table of raw leads has the hashes of its leads, each once, from the earliest moment it is known."""
    raw = pa.Table.from_pylist(
        rows,
        pa.schema([("lead_id", pa.string()), ("known_at", pa.int64()), *((name, pa.string()) for name in CONTACTS)]),
    )
    expected: dict[tuple[str, str, str], int] = {}
    for row in rows:
        lead, known_at = str(row["lead_id"]), int(row["known_at"] or 0)
        contacts = {name: str(row[name]) if row[name] is not None else None for name in CONTACTS}
        for kind, digest in hashes_of(contacts, KEY, "CN"):
            earlier = expected.get((lead, kind, digest), known_at)
            expected[lead, kind, digest] = min(known_at, earlier)

    found = hashed_contacts(raw, KEY, "CN")

    assert found.schema == HASHED
    assert [tuple(row.values()) for row in found.to_pylist()] == [(*k, v) for k, v in sorted(expected.items())]


def test_a_file_may_lack_contacts() -> None:
    """A site without a contact column has no hashed contacts."""
    raw = pa.table({"lead_id": ["x"], "known_at": pa.array([1], pa.int64())})

    assert hashed_contacts(raw, KEY, "CN") == HASHED.empty_table()
