"""Contacts leave masked."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from features.identity import masked_contact


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
