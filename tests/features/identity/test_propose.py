"""Leads that may be one person are proposed, by Splink where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pytest

from features.identity.propose import Proposal, proposals
from leadlight.settings import UsageError
from tests.features.identity.planted import COLUMNS, planted

needs_splink = pytest.mark.skipif(find_spec("splink") is None, reason="Splink is not installed (leadlight[identity])")


@needs_splink
@pytest.mark.parametrize(
    ("leads", "doubles", "precision", "recall"),
    [
        (3_000, 100, 0.8, 0.2),
        pytest.param(100_000, 500, 0.8, 0.2, marks=pytest.mark.proof),
    ],
)
def test_what_is_proposed_is_mostly_true(
    tmp_path: Path, leads: int, doubles: int, precision: float, recall: float
) -> None:
    """Of the pairs proposed at 0.8 four in five are one person, and a fifth of all such pairs is found."""
    people, truth = planted(tmp_path / "made", leads=leads, doubles=doubles, seed=5)

    found = proposals(people, at_least=0.8, decided=())

    right = sum(frozenset((pair.lead_id, pair.other_id)) in truth for pair in found)
    assert right / len(found) >= precision
    assert right / doubles >= recall


def people(*rows: tuple[str, int, str | None, str | None, str, str, str]) -> pa.Table:
    crowd = [(f"x{n}", n * 10**13, f"15{n % 10}****{n:04}", None, f"c{n % 9}", f"s{n % 4}", "math") for n in range(500)]
    types = [pa.int64() if name == "created_at" else pa.string() for name in COLUMNS]
    columns = zip(*crowd, *rows, strict=True)
    return pa.table({name: pa.array(c, kind) for name, c, kind in zip(COLUMNS, columns, types, strict=True)})


@needs_splink
def test_a_proposal_says_what_agrees_and_what_is_decided_is_not_proposed() -> None:
    """A reviewer sees why, and is asked once."""
    came = people(
        ("a", 0, "138****1234", "phone of Ana", "Lund", "s1", "law"),
        ("b", 1, None, "phone of Ana", "Lund", "s2", "law"),
    )

    (found,) = proposals(came, at_least=0.8, decided=())
    none = proposals(came, at_least=0.8, decided=[frozenset("ab")])

    assert found == Proposal("a", "b", found.probability, ("device", "city", "subject"))
    assert found.probability > 0.99
    assert none == []


@needs_splink
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_leads_are_no_trouble(rows: int) -> None:
    """A site of no, one or two leads that have nothing has nothing to propose."""
    empty = people().slice(0, rows).set_column(2, "contact", pa.nulls(rows, pa.string()))

    assert proposals(empty, at_least=0.8, decided=()) == []


@pytest.mark.skipif(find_spec("splink") is not None, reason="Splink is installed")
def test_without_splink_it_says_what_to_install() -> None:
    """One line, with the command."""
    with pytest.raises(UsageError, match=r"pip install 'leadlight\[identity\]'"):
        proposals(people(), at_least=0.8, decided=())
