"""What commands that run by themselves leave: one at a time, a record of each run, and which alerts were sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leadlight.locking import alone
from leadlight.model.manifest import canonical, sha256
from leadlight.schema import Micros, from_micros
from leadlight.settings import SiteError
from leadlight.shelf import write_json

DIGEST_SHOWN = 12


@contextmanager
def one_run(state: Path, command: str) -> Iterator[None]:
    """One run of a command on a state at a time: a second one is a ``SiteError``, not a queue of cron jobs."""

    def taken() -> None:
        raise SiteError([f"another `leadlight {command}` is at work on {state}: let it end, or look why it does not"])

    with alone(runs_folder(state, command) / "lock", taken):
        yield


def runs_folder(state: Path, command: str) -> Path:
    """Where the records of a command's runs are."""
    return state / "runs" / command


@dataclass(frozen=True)
class Run:
    """The record of a run: its file is named by its moment and content, so the same run has one; ``new`` if it is."""

    path: Path
    new: bool


def record_of(state: Path, command: str, target: str, document: Mapping[str, Any], *, at: Micros) -> Run:
    """Where this run's record belongs, and whether no run has left the same."""
    digest = sha256(canonical(document))[:DIGEST_SHOWN]
    name = f"{from_micros(at).strftime('%Y-%m-%dT%H%M%SZ')}-{digest}.json"
    path = runs_folder(state, command) / target / name
    return Run(path, new=not path.exists())


def latest_file(state: Path, command: str, target: str) -> Path:
    """The record of the last run for a target, whatever its moment."""
    return runs_folder(state, command) / f"{target}.latest.json"


@dataclass(frozen=True)
class Alert:
    """One finding told, or to be told, to the webhook: since when it is on, and what hindered the last try."""

    message_id: str
    since: Micros
    sent: bool = False
    fault: str = ""


class Ledger:
    """The alerts of a target's findings that are on. One that ends is forgotten; if it comes back, it is told anew.

    A file that cannot be read is a ``SiteError``: forgetting it would tell every alert once more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._alerts = _known_alerts(path)

    def begin(self, findings: list[str], *, now: Micros) -> dict[str, Alert]:
        """The alerts still to be sent, now that these findings are on."""
        self._alerts = {
            finding: self._alerts.get(finding) or Alert(_message_id(finding, now), now) for finding in findings
        }
        self._write()
        return {finding: alert for finding, alert in self._alerts.items() if not alert.sent}

    def note(self, finding: str, *, fault: str) -> None:
        """The alert was sent, or could not be."""
        alert = self._alerts[finding]
        self._alerts[finding] = Alert(alert.message_id, alert.since, sent=not fault, fault=fault)
        self._write()

    def _write(self) -> None:
        write_json(self._path, {finding: asdict(alert) for finding, alert in self._alerts.items()})


def _known_alerts(path: Path) -> dict[str, Alert]:
    if not path.is_file():
        return {}
    try:
        return {finding: Alert(**alert) for finding, alert in json.loads(path.read_bytes()).items()}
    except (ValueError, TypeError, AttributeError) as error:
        words = f"{path} does not say which alerts were sent ({error})"
        raise SiteError([f"{words}: remove it, and alerts on what is still found are sent once more"]) from error


def _message_id(finding: str, since: Micros) -> str:
    return "msg_" + hashlib.sha256(f"{finding} {since}".encode()).hexdigest()[:32]
