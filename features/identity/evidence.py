"""What is known of who is who: contacts that leads showed, what reviewers said, and the persons that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from leadlight.schema import Micros

GLUES = ("wechat", "email", "phone")
"""The types of contact that make leads one person, the surest first; a device does not."""


class Evidence(NamedTuple):
    """A lead showed a contact, known from ``known_at`` (a tuple: bulk work makes millions of them)."""

    lead_id: str
    type: str
    hash: str
    known_at: Micros


@dataclass(frozen=True)
class Edge:
    """A reviewer's word, from ``arrived_at`` on: a later one (by ``arrived_at``, then ``seq``) overrules it.

    ``same``: both leads are one person, whatever their contacts say, and both their contacts count (again).
    ``apart`` without ``other_id``: the lead is a person of its own; every earlier *same* about it is void and its
    contacts glue nobody until a later *same* about it. ``apart`` with ``other_id``: an earlier *same* of the two is
    void, and no contact glues the two directly.
    """

    lead_id: str
    other_id: str | None
    verdict: Literal["same", "apart"]
    source: str
    evidence: str
    arrived_at: Micros
    seq: int


class Interval(NamedTuple):
    """From ``since`` to before ``until``, ``lead_id`` belongs to the person whose oldest lead is ``canonical_id``."""

    lead_id: str
    canonical_id: str
    since: Micros
    until: Micros


@dataclass(frozen=True, order=True)
class Held:
    """A merge that awaits a reviewer: by a contact of this type since then, making one person of so many leads."""

    lead_id: str
    other_id: str
    type: str
    since: Micros
    leads: int


@dataclass(frozen=True)
class People:
    """intervals: of the leads that were ever merged, by lead and time; each lead's cover [0, FOREVER) without overlap.

    held: the merges that await a reviewer, as of everything known.
    """

    intervals: tuple[Interval, ...]
    held: tuple[Held, ...]
