"""How long a build takes on DuckDB and on local Spark, step by step; writes results/spark.md.

Needs pyspark and Java (make spark); without them it says so and ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import parser, table, tell
from features.spark.session import missing
from leadlight.sample import draw

ROOT = Path(__file__).parents[1]
ENGINES = ("duckdb", "spark")
STEPS = ("lead rows", "online rows")
"""What an engine computes; all else is done by DuckDB either way."""


def main(date: str, leads: int) -> None:
    """Build the demo's made data with each engine in a process of its own, and tell the seconds."""
    if fault := missing():
        print(fault)
        return
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder) / "data", leads=leads, seed=1)
        built = {engine: _build(Path(folder), engine) for engine in ENGINES}
    duckdb, spark = built["duckdb"], built["spark"]
    rows = [(step, *(f"{built[engine]['seconds'][step]:.1f}" for engine in ENGINES)) for step in STEPS]
    rows.append(("load of the machine as it began", *(f"{built[engine]['load']:.1f}" for engine in ENGINES)))
    rows.append(("whole command", *(f"{built[engine]['whole']:.1f}" for engine in ENGINES)))
    if any(spark[name] != duckdb[name] for name in ("digest", "lead_rows", "online_rows")):
        raise SystemExit("the engines do not agree")
    found = [f"{duckdb[name]:,}" for name in ("events", "lead_rows", "online_rows")]
    text = f"""
Seconds of `leadlight build` of the demo with {leads:,} made leads and {found[0]} events, for {found[1]} lead rows and
{found[2]} online rows, which are also written to SQLite. Spark is local, in one JVM on the same cores, and starts cold.
A load beyond the number of cores means that others were at work: then these seconds do not compare the engines.

{table(("step", "DuckDB", "Spark, local"), rows)}
"""
    tell("spark", "A build by DuckDB and by Spark", date, text)


def _build(folder: Path, engine: str) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "leadlight",
        "build",
        str(ROOT / "examples" / "demo"),
        "--engine",
        engine,
        "--json",
    ]
    load, started = os.getloadavg()[0], time.perf_counter()
    done = subprocess.run(
        [*command, "--data", str(folder / "data"), "--state", str(folder / engine)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return {**answer, "load": load, "whole": time.perf_counter() - started}


if __name__ == "__main__":
    asking = parser()
    asking.add_argument("--leads", type=int, default=100_000)
    asked = asking.parse_args()
    main(asked.date, asked.leads)
