"""An erased lead leaves nothing but a tombstone, and cannot be brought back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from features.log import Log, NewEdge, Refused, lead_hash
from leadlight.database import read
from leadlight.database.opening import open_sqlite
from tests.features.log.log_builders import a_version, an_event


def told(log: Log) -> None:
    log.append(
        [
            a_version("ana", hashes=(("phone", "h"),)),
            a_version("bob"),
            an_event("e1", "ana"),
            an_event("e2", "bob"),
            NewEdge("ana", "bob", "same", "desk", ""),
            NewEdge("bob", "ana", "apart", "desk", ""),
        ],
        now=lambda: 5_000,
        base={},
    )


def test_every_row_that_names_the_lead_goes_and_the_others_stay(log: Log, engine: Engine) -> None:
    told(log)

    counts = log.erase(["ana", "never heard of"], at=9_000)

    assert counts == {"lead_versions": 1, "events": 1, "contacts": 1, "edges": 2}
    assert set(log.facts(["ana", "bob"], after=0)) == {"bob"}
    assert log.edges_of(["bob"]) == []
    assert log.erased(["ana", "bob", "never heard of"]) == {"ana", "never heard of"}
    assert read(engine, "SELECT lead_hash, erased_at FROM tombstones ORDER BY seq") == [
        (lead_hash("ana"), 9_000),
        (lead_hash("never heard of"), 9_000),
    ]


def test_others_hear_of_it_by_the_leads_hash(log: Log) -> None:
    told(log)
    before = log.head()

    log.erase(["ana"], at=9_000)

    assert log.changed(before) == (log.look(), frozenset({lead_hash("ana")}))
    assert log.tail(after=before, through=before + 1).tombstones["lead_hash"].to_pylist() == [lead_hash("ana")]


def test_what_is_sent_again_does_not_bring_it_back(log: Log) -> None:
    told(log)
    log.erase(["ana"], at=9_000)
    head = log.head()

    with pytest.raises(Refused) as refused:
        log.append([a_version("ana"), an_event("e1", "ana"), an_event("e3", "bob")], now=lambda: 9_500, base={})

    assert [index for index, _ in refused.value.by_fact] == [0, 1]
    assert log.head() == head
    assert log.facts(["ana"], after=0) == {}


def test_erasing_again_is_no_news(log: Log) -> None:
    told(log)
    log.erase(["ana"], at=9_000)
    head = log.head()

    assert set(log.erase(["ana"], at=9_900).values()) == {0}
    assert log.head() == head


def test_no_byte_of_it_stays_in_the_files_of_sqlite(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "leadlight.db")
    log = Log(engine)
    secrets = ("lead-of-a-secret", "event-of-a-secret", "attribute-of-a-secret", "hash-of-a-secret")
    lead_id, event_id, city, digest = secrets
    others = [a_version(f"lead{n}", city="other") for n in range(300)]
    log.append([*others, a_version(lead_id, hashes=(("phone", digest),), city=city)], now=lambda: 5_000, base={})
    log.append(
        [an_event(event_id, lead_id), *(an_event(f"e{n}", f"lead{n}") for n in range(300))], now=lambda: 1, base={}
    )
    assert all(in_files(tmp_path, secret) for secret in secrets)

    log.erase([lead_id], at=9_000)

    assert not any(in_files(tmp_path, secret) for secret in secrets)
    engine.dispose()


def in_files(folder: Path, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in folder.iterdir())
