"""Who served from when: an append-only record of each decision about a target's champion and challenger."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from leadlight.schema import Micros
from leadlight.settings import SiteError
from leadlight.shelf import write_whole

Action = Literal["promote", "rollback", "challenge", "withdraw"]


@dataclass(frozen=True)
class Decision:
    """``by`` decided ``at`` a moment (µs UTC); the same in the record of every decision of one command."""

    at: Micros
    by: str


@dataclass(frozen=True)
class Term:
    """One line of the record: since this moment the version serves, or scores in the shadow, or does so no more."""

    at: Micros
    by: str
    action: Action
    version: int
    bundle_sha256: str


def terms_file(state: Path, target_name: str) -> Path:
    """Where the record is."""
    return state / "champion" / f"{target_name}.terms.jsonl"


def terms(state: Path, target_name: str) -> list[Term]:
    """All decisions in their order; a line that is none is a ``SiteError``."""
    path = terms_file(state, target_name)
    if not path.is_file():
        return []
    try:
        return [Term(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (ValueError, TypeError) as error:
        raise SiteError([f"{path} is not the record of promotions ({error}): restore it from a backup"]) from error


def note(state: Path, target_name: str, term: Term) -> None:
    """Add a decision, whole or not at all; whoever notes one holds the target's lock."""
    path = terms_file(state, target_name)
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    write_whole(path, before + json.dumps(asdict(term), ensure_ascii=False) + "\n")


def line_of_champions(record: list[Term]) -> list[Term]:
    """The champions that led to today's, oldest first; whoever was rolled back from is out of the line."""
    line: list[Term] = []
    for term in record:
        if term.action == "rollback":
            held = [each.version for each in line]
            line = line[: held.index(term.version)] if term.version in held else line
        if term.action in {"promote", "rollback"} and (not line or line[-1].version != term.version):
            line.append(term)
    return line
