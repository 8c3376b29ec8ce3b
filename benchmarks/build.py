"""How long forty features over a large history take: the compiled catalogue against SQL for DuckDB written by hand.

python -m benchmarks.build [DATE] [--leads N] [--events N] [--rounds N]

Draws a made-up history (``made/``), then lets both compute the same table, in turns, each in a process of its own. Both
know time: what was not known at a row's moment does not count, and every row says until when it is valid. The third
runner is the SQL by hand without the latter. Ends with an error if the two tables differ in a single value.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks.made_history import QUIET, Made, draw_apart
from benchmarks.report import parser, table, tell
from features.duck import connect
from features.relational import evaluate
from leadlight.schema import VALID_UNTIL

OURS, BY_HAND, WITHOUT = "compiled catalogue", "by hand", "by hand, without valid_until"
RUNNERS = (BY_HAND, OURS, WITHOUT)
ONCE = "--once"

Measures = dict[str, float]


def main() -> None:
    """Measure, print and write the table; a child of it measures once."""
    asking = parser()
    asking.add_argument("--leads", type=int, default=500_000)
    asking.add_argument("--events", type=int, default=20_000_000)
    asking.add_argument("--rounds", type=int, default=3)
    asked = asking.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = draw_apart(Path(folder), leads=asked.leads, events=asked.events)
        title = f"Forty features over {asked.leads:,} leads and {asked.events:,} events"
        tell("build", title, asked.date, compared(made, rounds=asked.rounds))


def compared(made: Made, *, rounds: int) -> str:
    """The table of what each runner took; raises if they do not agree."""
    runs: dict[str, list[Measures]] = {runner: [] for runner in RUNNERS}
    for _ in range(rounds):
        for runner in RUNNERS:
            runs[runner].append(_in_a_child(runner, made))
    rows = count_equal_rows(written(made, OURS), written(made, BY_HAND))
    lines = []
    for runner in RUNNERS:
        measured = {name: statistics.median(run[name] for run in runs[runner]) for name in runs[runner][0]}
        ratios = {
            name: statistics.median(
                run[name] / hand[name] for run, hand in zip(runs[runner], runs[BY_HAND], strict=True)
            )
            for name in ("seconds", "cpu", "gib")
        }
        line = (f"{measured['seconds']:.1f}", f"{measured['cpu']:.1f}", f"{measured['gib']:.2f}")
        lines.append((runner, *line, *(f"{ratios[name]:.2f}" for name in ("seconds", "cpu", "gib"))))
    columns = ("", "seconds", "cpu seconds", "peak GiB", "time ÷ by hand", "cpu ÷ by hand", "memory ÷ by hand")
    features = len(made.catalogue.lead_columns)
    return f"""{table(columns, lines)}

Medians of {rounds} rounds, the runners taking turns; each runs in a process of its own and reads and writes Parquet.
Both tables are equal in all of their {rows:,} rows, {features} features and valid_until.
"""


def count_equal_rows(ours: Path, by_hand: Path) -> int:
    """How many rows both files hold; ``SystemExit`` if one of them has a row that the other has not."""
    tables = (f"FROM '{ours}'", f"FROM '{by_hand}'")
    with duckdb.connect() as connection:
        described = [connection.sql(f"DESCRIBE {rows}").fetchall() for rows in tables]
        if described[0] != described[1]:
            raise SystemExit("the two tables have different columns")
        for one, other in (tables, tables[::-1]):
            odd = connection.sql(f"{one} EXCEPT ALL {other} LIMIT 1").fetchall()
            if odd:
                raise SystemExit(f"the two tables differ: {odd[0]}")
        return len(connection.sql(tables[0]).fetchall())


def _in_a_child(runner: str, made: Made) -> Measures:
    words = [sys.executable, "-m", "benchmarks.build", ONCE, runner, str(made.folder)]
    told = subprocess.run(words, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])
    measures: Measures = json.loads(told.stdout)
    return measures


def _once(runner: str, made: Made) -> Measures:
    """Let one runner write its table; what that took of time, of both cores and of memory, imports not counted."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    if runner == OURS:
        _compiled(made, written(made, runner))
    else:
        with duckdb.connect() as connection:
            connection.execute(QUIET)
            rows = connection.sql(made.by_hand())
            columns = rows.columns if runner == BY_HAND else [c for c in rows.columns if c != VALID_UNTIL]
            rows.select(*columns).write_parquet(str(written(made, runner)))
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.perf_counter() - started,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "gib": after.ru_maxrss / 2**20,
    }


def _compiled(made: Made, file: Path) -> None:
    connection = connect()
    connection.con.execute(QUIET)
    tables, spine = made.history().tables(connection), connection.read_parquet(made.spine)
    evaluate(made.catalogue, made.site, tables, spine).to_parquet(file)


def written(made: Made, runner: str) -> Path:
    """Where that runner writes its table."""
    return made.folder / f"{runner.replace(', ', '_').replace(' ', '_')}.parquet"


if __name__ == "__main__":
    if sys.argv[1] == ONCE:
        print(json.dumps(_once(sys.argv[2], Made(Path(sys.argv[3])))))
    else:
        main()
