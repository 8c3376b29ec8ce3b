"""Made leads with planted doubles: people who came again and share no contact with their first lead."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pyarrow as pa

from features.identity import mask_of
from leadlight.sample import draw
from leadlight.schema import DAY

COLUMNS = ("lead_id", "created_at", "contact", "device", "city", "stage", "subject")
_QUERY = """
SELECT lead_id, epoch_us(min(created_at)::TIMESTAMP), phone, max(city), max(stage), max(subject)
FROM read_csv(?, types = {'phone': 'VARCHAR'}) GROUP BY lead_id, phone QUALIFY row_number() OVER
(PARTITION BY phone ORDER BY lead_id) = 1 ORDER BY lead_id
"""


def planted(folder: Path, *, leads: int, doubles: int, seed: int) -> tuple[pa.Table, set[frozenset[str]]]:
    """The leads, one row each, and the pairs that are one person.

    Of the doubles two in five mistyped a digit of the phone, the others gave another phone or none; half came from the
    device they had, where three in five leads have one; each attribute is another one time in ten.
    """
    draw(folder, leads=leads, seed=seed)
    rng = random.Random(seed)  # noqa: S311 - made data
    first = [
        {"lead_id": row[0], "created_at": row[1], "phone": row[2], "city": row[3], "stage": row[4], "subject": row[5]}
        | {"device": f"device {row[0]}" if rng.random() < 0.6 else None}
        for row in duckdb.sql(_QUERY, params=[str(folder / "leads.csv")]).fetchall()
    ]
    again = [_came_again(lead, first, rng) for lead in rng.sample(first, doubles)]
    rows = [{**lead, "contact": mask_of({"phone": lead["phone"]})} for lead in [*first, *again]]
    table = pa.Table.from_pylist([{name: row[name] for name in COLUMNS} for row in rows])
    names = [str(lead["lead_id"]) for lead in again]
    return table, {frozenset((name, name.removeprefix("again "))) for name in names}


def _came_again(lead: dict[str, object], others: list[dict[str, object]], rng: random.Random) -> dict[str, object]:
    phone = list(str(lead["phone"]))
    place = rng.randrange(3, 11)
    phone[place] = rng.choice([digit for digit in "0123456789" if digit != phone[place]])
    typed = ["".join(phone)] * 4 + [f"13{rng.randrange(10**9):09}"] * 3 + [None] * 3
    attributes = {
        name: lead[name] if rng.random() < 0.9 else rng.choice(others)[name] for name in ("city", "stage", "subject")
    }
    return {
        **attributes,
        "lead_id": f"again {lead['lead_id']}",
        "created_at": int(str(lead["created_at"])) + int(rng.expovariate(0.1) * DAY),
        "phone": rng.choice(typed),
        "device": lead["device"] if rng.random() < 0.5 else None,
    }
