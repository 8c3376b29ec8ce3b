"""What the server says of itself: one JSON object a line on stderr, the event's name and its fields."""

from __future__ import annotations

import datetime as dt
import json
import logging

_OWN = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
_LEADLIGHT = "leadlight"


class Lines(logging.Formatter):
    """A record as one line: ``at``, ``level``, ``event``, then its fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, tz=dt.UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"at": at, "level": record.levelname.lower(), "event": record.getMessage().strip()}
        line |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            line["cause"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_to_stderr() -> None:
    """From now on all that Leadlight says is told, and what its libraries warn of."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger(_LEADLIGHT).setLevel(logging.INFO)
    logging.getLogger("py.warnings").propagate = False  # deprecations inside libraries are for our tests
