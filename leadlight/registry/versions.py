"""Every version of a target's model: when and on what it was trained, the gate's verdict, and when it served."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leadlight.model.manifest import MANIFEST
from leadlight.registry.terms import Term, terms
from leadlight.schema import from_micros
from leadlight.settings import SiteError
from leadlight.shelf import bundle_folder, current_challenger, current_champion, verdict_file

_SHOWN = ("auc", "log_loss", "precision", "recall")


@dataclass(frozen=True)
class Version:
    """One version; ``serves`` is what it does today, ``terms`` are all decisions about it."""

    version: int
    bundle_sha256: str
    verdict: str | None
    trained_until: str | None
    rows: int | None
    positives: int | None
    metrics: dict[str, float | None]
    serves: str | None
    terms: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as one object."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The same in words: a line about the version, and one for each decision."""
        numbers = ", ".join(
            f"{name.replace('_', ' ')} {value:.4f}" for name, value in self.metrics.items() if value is not None
        )
        serves = f" [{self.serves}]" if self.serves else ""
        head = f"version {self.version}{serves}: {self.verdict or 'no verdict'}; trained until {self.trained_until}"
        decided = [f"  {term['at']} {term['action']} by {term['by']}" for term in self.terms]
        return [f"{head}, {self.rows} rows, {self.positives} positive; {numbers}", *decided]


def versions(state: Path, target_name: str) -> list[Version]:
    """All versions on the shelf, the newest first."""
    record = terms(state, target_name)
    champion, challenger = current_champion(state, target_name), current_challenger(state, target_name)
    serving = {named.version: word for named, word in ((challenger, "challenger"), (champion, "champion")) if named}
    numbers = [int(path.name) for path in (state / "bundles" / target_name).glob("*") if path.name.isdigit()]
    return [
        _version(state, target_name, number, record, serving.get(number)) for number in sorted(numbers, reverse=True)
    ]


def _version(state: Path, target_name: str, number: int, record: list[Term], serves: str | None) -> Version:
    verdict = _document(verdict_file(state, target_name, number))
    origin = _document(bundle_folder(state, target_name, number) / MANIFEST).get("origin", {})
    until = origin.get("trained_until")
    return Version(
        version=number,
        bundle_sha256=str(verdict.get("bundle_sha256", "")),
        verdict=verdict.get("verdict"),
        trained_until=None if until is None else _moment(until),
        rows=origin.get("rows"),
        positives=origin.get("positives"),
        metrics={name: verdict.get("metrics", {}).get(name) for name in _SHOWN},
        serves=serves,
        terms=tuple(
            {"at": _moment(term.at), "by": term.by, "action": term.action} for term in record if term.version == number
        ),
    )


def _document(path: Path) -> dict[str, Any]:
    """What a file of a version says; one that is not there says nothing."""
    try:
        found = json.loads(path.read_bytes()) if path.is_file() else {}
    except ValueError as error:
        raise SiteError([f"{path} is damaged ({error}): restore it, or take the version away"]) from error
    return found if isinstance(found, dict) else {}


def _moment(micros: int) -> str:
    return from_micros(micros).isoformat(timespec="seconds")
