"""A bundle's first load, in a child process: a damaged LightGBM text kills the process that reads it.

Whoever promotes, rolls back or starts a server waits for the child, so it imports no more than a bundle needs.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from leadlight.settings import SiteError

PATIENCE_SECONDS = 120.0
NOT_NEEDED = ("dask", "graphviz", "matplotlib", "pandas", "pyarrow", "sklearn")
"""What LightGBM imports where it finds it, for wrappers and plots: most of the seconds that importing it takes."""


class NotInTimeError(SiteError):
    """The child did not come to an end: that says more of the machine than of the bundle. Ask again."""


def verify_in_child(folder: Path, *, expected: str) -> None:
    """Load the bundle and score its golden rows in a child; whatever happens to the child is one ``SiteError``."""
    command = [sys.executable, "-m", "leadlight.model.verify", str(folder), expected]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)  # noqa: S603  # our own module, no shell
    except subprocess.TimeoutExpired:
        words = f"{folder} did not load in {PATIENCE_SECONDS:.0f} s: the machine is too busy, or the bundle is damaged"
        raise NotInTimeError([words]) from None
    if child.returncode == 0:
        return
    said = child.stderr.strip().splitlines()
    if child.returncode < 0:
        ending = f"was killed by {signal.Signals(-child.returncode).name}"
    else:
        ending = f"ended with code {child.returncode}"
    last = said[-1] if said else "no message"
    raise SiteError(
        [f"{folder} is not to be loaded: the process that tried {ending} ({last}): restore it or train again"]
    )


def main(arguments: list[str]) -> int:
    """Exit code 0 if the bundle in the first argument, named by the second, loads and answers as it was written."""
    from leadlight.model.bundle import check_golden, load_bundle

    folder, expected = arguments
    try:
        check_golden(load_bundle(Path(folder), expected=expected))
    except SiteError as error:
        sys.stderr.write("; ".join(error.faults) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    for _name in NOT_NEEDED:
        sys.modules[_name] = None  # type: ignore[assignment]  # so Python imports it no more than what is not installed
    sys.exit(main(sys.argv[1:]))
