"""What the current version of a history holds, and where the files of a version lie."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from features.identity.contacts import HASH, TYPE
from leadlight.schema import ARRIVED_AT, AT, EVENT_ID, LEAD_ID, SINCE, Micros
from leadlight.settings import SiteError

FILES: Final = {
    "leads": ("leads", (LEAD_ID,)),
    "attributes": ("attributes", (LEAD_ID, AT, ARRIVED_AT)),
    "events": ("events", (LEAD_ID, AT, EVENT_ID, ARRIVED_AT)),
    "contacts": ("contacts", (LEAD_ID, TYPE, HASH)),
    "hashes": ("contacts", (HASH, TYPE, LEAD_ID)),
    "identity": ("identity", (LEAD_ID, SINCE)),
}
"""Each folder of files: the table it holds, and the columns that come first, which order its rows.

The first column is the one whose value a row's bucket comes from.
"""
BUCKETS: Final = "0123456789abcdef"


_LOG_SEQS: Final = 2**40
"""More than a log ever gives."""


@dataclass(frozen=True)
class Summary:
    """What a history holds: its digest is the same for the same facts, in whatever files and order they came.

    ``folder`` is the version's name; ``generation`` counts the builds; ``log_seq`` is the place in the live log up to
    which its facts are in it; ``merged`` counts the leads that were ever one person with another.
    """

    folder: str
    digest: str
    newest_fact: Micros
    leads: int
    attributes: int
    events: int
    contacts: int
    merged: int
    generation: int = 1
    log_seq: int = 0

    def row_seq(self, log_seq: int) -> int:
        """What an online row says that was evaluated from this build and the log up to ``log_seq``: later is more."""
        return self.generation * _LOG_SEQS + log_seq

    def reads(self, row_seq: int, log_seq: int) -> bool:
        """Whether a row was evaluated from this build and from the log up to ``log_seq`` at least."""
        return self.row_seq(log_seq) <= row_seq < self.row_seq(_LOG_SEQS)


def history_folder(state: Path) -> Path:
    """Where the versions of the history lie in a state folder, beside ``summary.json``."""
    return state / "history"


def read_summary(state: Path) -> Summary:
    """The summary of the current version; ``SiteError`` if there is none."""
    path = _summary_file(state)
    if not path.is_file():
        raise SiteError([f"{state}: holds no history yet; `leadlight build SITE` makes it"])
    return Summary(**json.loads(path.read_text(encoding="utf-8")))


def last_summary(state: Path) -> Summary | None:
    """The same, if there is one and this Leadlight wrote it."""
    try:
        return read_summary(state)
    except (SiteError, TypeError):
        return None


def write_summary(summary: Summary, state: Path) -> None:
    """Make the version that ``summary`` names the current one, at once."""
    path = _summary_file(state)
    unfinished = path.with_suffix(".json.new")
    unfinished.write_text(json.dumps(asdict(summary), indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)


def bucket_file(root: Path, name: str, bucket: str) -> Path:
    """The file of one bucket; ``*`` for all of them."""
    return root / name / f"bucket={bucket}" / "part.parquet"


def bucket_of(value: str) -> str:
    """The bucket of all rows whose first column has this value."""
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()[0]


def _summary_file(state: Path) -> Path:
    return history_folder(state) / "summary.json"
