"""The command line: runs one command and says plainly what a user got wrong. The only composition root."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from leadlight.commands import (
    answers,
    audit,
    exporting,
    identity,
    journal,
    keys,
    live,
    models,
    monitor,
    replay,
    scorecard,
    sites,
    versions,
)
from leadlight.commands.console import app, err
from leadlight.database import DatabaseUnavailable
from leadlight.settings import SiteError, UsageError

__all__ = [
    "answers",
    "app",
    "audit",
    "exporting",
    "identity",
    "journal",
    "keys",
    "live",
    "main",
    "models",
    "monitor",
    "replay",
    "scorecard",
    "sites",
    "versions",
]  # a module of commands registers them on the app


def main() -> None:
    """Run one command; what a user can mend ends it with 1 or 2 and no traceback."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    _keep_library_warnings_from_users()
    try:
        app()
    except SiteError as error:
        _refuse(error.faults, code=2 if isinstance(error, UsageError) else 1)
    except DatabaseUnavailable as error:
        _refuse([f"{_NO_DATABASE}: {error}"], code=1)
    except (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        _refuse([f"{error.filename}: {error.strerror}"], code=2)


_NO_DATABASE = (
    "the site's database did not answer in time: another program holds it, or its server is down. It is no fault of "
    "what you gave; run the same command again when it answers, what it did already is not done twice"
)


def _refuse(faults: Sequence[str], *, code: int) -> NoReturn:
    if "--json" in sys.argv:
        print(json.dumps({"faults": faults}, ensure_ascii=False))
    for fault in faults:
        err.print(f"error: {fault}", markup=False, soft_wrap=True)
    sys.exit(code)


def _keep_library_warnings_from_users() -> None:
    """Deprecations inside Feast, Ibis and MLflow are for our tests, where they are errors."""
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())


if __name__ == "__main__":
    main()
