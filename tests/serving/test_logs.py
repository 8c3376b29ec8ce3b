"""What the server says of itself can be read by a machine, with the fields that say what happened."""

from __future__ import annotations

import json
import subprocess
import sys

CODE = """
import logging, warnings
from serving.logs import log_to_stderr
log_to_stderr()
logging.captureWarnings(True)
log = logging.getLogger("leadlight.serving")
log.info("champion_serves", extra={"target": "first_order", "version": "2"})
log.warning("no_champion", extra={"faults": ("train", "promote")})
logging.getLogger("library").info("chatter")
warnings.warn("old", DeprecationWarning)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("watch_failed")
"""


def test_a_line_is_one_object_with_its_fields() -> None:
    """Event and fields; of an exception its cause; libraries are heard only when they warn."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=60)

    serves, missing, failed = map(json.loads, done.stderr.splitlines())
    assert (serves["level"], serves["event"]) == ("info", "champion_serves")
    assert (serves["target"], serves["version"]) == ("first_order", "2")
    assert missing["faults"] == ["train", "promote"]
    assert "ZeroDivisionError" in failed["cause"]
    assert serves.keys() == {"at", "level", "event", "target", "version"}
