"""Contacts leave masked."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.identity import mask_of, masked_contact
from leadlight.schema import CONTACTS


@pytest.mark.parametrize(
    ("contacts", "shown"),
    [
        ({"phone": "15112348109"}, "151****8109"),
        ({"phone": "+86 151-1234-8109"}, "151****8109"),
        ({"phone": "008615112348109"}, "151****8109"),
        ({"phone": "55512345"}, "****45"),
        ({"phone": "110"}, "****"),
        ({"phone": "unknown", "email": "wang.fang@mail.example"}, "w****@mail.example"),
        ({"phone": None, "wechat": "fang_1990"}, "f****0"),
        ({"wechat": "abc"}, "****"),
        ({"wechat": "\u3000fang"}, "\u3000****g"),  # only blanks of ASCII are trimmed
        ({"email": "nonsense"}, "****"),
        ({"phone": " ", "wechat": "", "email": None}, None),
        ({"device": "A1B2C3"}, None),
    ],
)
def test_a_contact_shows_no_more_than_its_ends(contacts: dict[str, str | None], shown: str | None) -> None:
    """The first contact given is shown, with its middle hidden; a device never is."""
    table = ibis.memtable(pa.table({name: pa.array([value], pa.string()) for name, value in contacts.items()}))

    masked = table.select(contact=masked_contact(table)).to_pyarrow().to_pydict()

    assert masked == {"contact": [shown]}
    assert mask_of(contacts) == shown


SIGNS = st.text(st.sampled_from("0123456789+- ()aB@.\t\n\u3000王é") | st.characters(codec="utf-8"), max_size=18)
PHONES = st.from_regex(r"(00|\+)?(86)?1[0-9]{8,11}", fullmatch=True)


@settings(max_examples=50)
@given(st.lists(st.fixed_dictionaries({name: st.none() | SIGNS | PHONES for name in CONTACTS}), min_size=1))
def test_one_lead_is_masked_like_a_table(rows: list[dict[str, str | None]]) -> None:
    """A contact is shown alike whether it comes alone or in a file."""
    table = ibis.memtable(pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in CONTACTS])))

    masked = table.select(contact=masked_contact(table)).to_pyarrow()["contact"].to_pylist()

    assert masked == [mask_of(row) for row in rows]
