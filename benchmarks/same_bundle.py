"""Whether a training makes the same bytes wherever it runs: other folders, time zones, hash seeds and threads.

python -m benchmarks.same_bundle [DATE] [--runs N] [--leads N]

One set of made data; each run trains the demo's first target in a folder of its own, in a process with its own time
zone, hash seed and number of threads, and names its bundle by the hash of all that it holds.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.report import parser, table, tell
from leadlight.sample import draw

ROOT = Path(__file__).parents[1]
ZONES = ("UTC", "Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kathmandu")
THREADS = ("1", "2")


def main() -> None:
    """Train, print and write the table."""
    asking = parser()
    asking.add_argument("--runs", type=int, default=20)
    asking.add_argument("--leads", type=int, default=4_000)
    asked = asking.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder) / "data", leads=asked.leads, seed=7)
        for run in range(asked.runs):
            place = Path(folder) / f"{'deeper/' * (run % 3)}run {run}"
            shutil.copytree(
                ROOT / "examples" / "demo", place, ignore=lambda _, names: [n for n in names if n.startswith("state")]
            )
            rows.append(_trained(place, Path(folder) / "data", run))
    counts = Counter(str(row[-1]) for row in rows)
    told = f"{len(rows)} runs made {len(counts)} different bundle(s): {', '.join(counts)}."
    tell("same_bundle", "The same bundle", asked.date, f"{told}\n\n{table(('run', *COLUMNS), rows)}")
    if len(counts) != 1:
        raise SystemExit("the runs differ")


COLUMNS = ("time zone", "hash seed", "threads", "cores", "bundle")


def _trained(site: Path, data: Path, run: int) -> tuple[object, ...]:
    zone, threads = ZONES[run % len(ZONES)], THREADS[run % len(THREADS)]
    seed = str(random.Random(run).randrange(1, 4_000_000_000))  # noqa: S311  a proof that can be repeated
    cores = sorted(os.sched_getaffinity(0))[: 1 + run // 2 % 2]
    environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads}
    environment |= {"OPENBLAS_NUM_THREADS": threads}
    done = subprocess.run(
        [sys.executable, "-m", "leadlight", "train", str(site), "--data", str(data), "--json"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    answer = json.loads(done.stdout)
    return run, zone, seed, threads, len(cores), answer["bundle_sha256"][:16]


if __name__ == "__main__":
    main()
