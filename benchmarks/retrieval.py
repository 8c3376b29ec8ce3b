"""How long training rows take: Feast's point-in-time join, as we use it and by itself, against DuckDB's ASOF join.

python -m benchmarks.retrieval [DATE] [--rows N] [--rounds N]

Over the offline tables of a made-up site (``made/``) our door joins each spine row with three views: its lead's,
and the context of everybody and of its channel. Beside it Feast alone joins four views of twelve features, whose rows
are older than the moments they are asked for. Each runs against the same join as SQL, in turns and in a process of its
own, and must return all rows, with equal values. Imports, and opening the store, are not counted.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.made_history import QUIET, Made, draw
from benchmarks.report import parser, table, tell
from features.catalogue import Context
from features.duck import connect
from features.engines import evaluating
from features.people import as_people
from features.rows import write_context_rows, write_lead_rows
from features.store import context_table, lead_table
from leadlight.schema import AS_OF, LEAD_ID

_STEPS = {
    "the spine becomes a pandas frame": ("table_to_dataframe",),
    "Feast and ibis write the query": ("get_historical_features", "_to_duckdb_relation"),
    "DuckDB answers it": ("<built-in method _duckdb.to_arrow_table>",),
}
"""Steps as the functions that take them."""

if TYPE_CHECKING:
    from feast import FeatureStore

    from features.store.door import Store

Answer = Callable[[], pa.Table]
Run = Callable[[str, str, Made], float]

TARGET = "first_order"
VIEWS = tuple(f"view_{number}" for number in range(1, 5))
FEATURES = 12
VERSIONS = 4
"""Rows of one lead in each view."""
EVENTS_OF_A_LEAD = 10
_TIME = "event_timestamp"
RUNNERS = DOOR, FEAST = ("our door, 3 views", "Feast alone, 4 views of 12 features")
BY_HAND, BY_FEAST = "by hand", "by feast"
ONCE = "--once"


def main() -> None:
    """Measure, print and write the table; a child of it measures once."""
    asking = parser()
    asking.add_argument("--rows", type=int, default=100_000)
    asking.add_argument("--rounds", type=int, default=3)
    asked = asking.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = prepared(Path(folder), rows=asked.rows)
        tell("retrieval", f"{asked.rows:,} training rows", asked.date, compared(made, rounds=asked.rounds))


def prepared(folder: Path, *, rows: int) -> Made:
    """A made-up site with its offline tables, and four views of their own."""
    made = draw(folder, leads=rows, events=rows * EVENTS_OF_A_LEAD)
    connection = connect()
    connection.con.execute(QUIET)
    tables, spine = made.history().tables(connection), connection.read_parquet(made.spine)
    moments = (spine.as_of.min().to_pyarrow().as_py(), spine.as_of.max().to_pyarrow().as_py())
    with evaluating("duckdb", folder) as evaluate:
        write_lead_rows(made.site, made.catalogue, as_people(tables), spine, folder, evaluate=evaluate)
    write_context_rows(made.site, made.catalogue, tables, moments, folder)
    for view in VIEWS:
        connection.con.sql(_view_query(made, view)).write_parquet(str(_file(made, view)))
    connection.disconnect()
    _door(made).apply()
    _feast(made)
    return made


def compared(made: Made, *, rounds: int, run: Run | None = None) -> str:
    """The table of what each took; raises if a row is missing or a value differs. ``run``: ``once``, in a child."""
    run = run or _in_a_child
    lines = []
    for runner in RUNNERS:
        runs = [{how: run(runner, how, made) for how in (BY_HAND, BY_FEAST)} for _ in range(rounds)]
        check_equal(*(pq.read_table(_answer(made, runner, how)) for how in (BY_HAND, BY_FEAST)), made=made)
        seconds = [f"{statistics.median(each[how] for each in runs):.2f}" for how in (BY_HAND, BY_FEAST)]
        lines.append((runner, *seconds, f"{statistics.median(each[BY_FEAST] / each[BY_HAND] for each in runs):.1f}"))
    columns = ("", "ASOF join, s", "Feast, s", "Feast ÷ ASOF")
    taken = [steps(runner, made) for runner in RUNNERS]
    spent = [(name, *(f"{of[name]:.2f}" for of in taken)) for name in taken[0]]
    return f"""{table(columns, lines)}

Medians of {rounds} rounds. All rows came back, with equal values. Where the time goes in a
second answer of one process, under the profiler, which slows the Python parts:

{table(("seconds", *RUNNERS), spent)}
"""


def steps(runner: str, made: Made) -> dict[str, float]:
    """The seconds of each step of one answer by Feast, after one that imports what Feast imports late."""
    answer = {DOOR: _by_the_door, FEAST: _by_feast}[runner](made)
    answer()
    profile = cProfile.Profile()
    profile.runcall(answer)
    took: dict[str, float] = {}
    timings = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # documented, but not in the stub
    for (_, _, function), (_, _, _, seconds, _) in timings.items():
        took[function] = max(seconds, took.get(function, 0.0))
    spent = {name: sum(took[function] for function in functions) for name, functions in _STEPS.items()}
    return {**spent, "all": max(took.values())}


def check_equal(by_hand: pa.Table, feast: pa.Table, *, made: Made) -> None:
    """``SystemExit`` unless both are the same table, with a row for every row of the spine."""
    rows = pq.read_metadata(made.spine).num_rows
    if not len(by_hand) == len(feast) == rows:
        raise SystemExit(f"{len(by_hand)} and {len(feast)} rows came back for a spine of {rows}")
    if not by_hand.equals(feast):
        odd = [name for name in by_hand.column_names if not by_hand[name].equals(feast[name])]
        raise SystemExit(f"the two tables differ in {', '.join(odd)}")


def _in_a_child(runner: str, how: str, made: Made) -> float:
    words = [sys.executable, "-m", "benchmarks.retrieval", ONCE, runner, how, str(made.folder)]
    told = subprocess.run(words, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])
    return float(told.stdout)


def once(runner: str, how: str, made: Made) -> float:
    """Let one of them answer and leave the answer as a file; how many seconds it took."""
    answer = {
        (DOOR, BY_HAND): lambda: _asof(_asof_of_the_door(made)),
        (DOOR, BY_FEAST): lambda: _by_the_door(made),
        (FEAST, BY_HAND): lambda: _asof(_asof_of_views(made)),
        (FEAST, BY_FEAST): lambda: _by_feast(made),
    }[runner, how]()
    started = time.perf_counter()
    rows = answer()
    seconds = time.perf_counter() - started
    pq.write_table(rows, _answer(made, runner, how))
    return seconds


def _asof(query: str) -> Answer:
    connection = duckdb.connect()
    connection.execute(QUIET)
    return lambda: connection.sql(query).to_arrow_table()


def _by_the_door(made: Made) -> Answer:
    door, spine = _door(made), pq.read_table(made.spine)
    return lambda: door.training_rows(target=TARGET, spine=spine)


def _by_feast(made: Made) -> Answer:
    store, spine = _feast(made), pq.read_table(made.spine)
    features = [f"{view}:{name}" for view in VIEWS for name in _names(view)]
    asked = pa.table({LEAD_ID: spine[LEAD_ID], _TIME: spine[AS_OF].cast(pa.timestamp("us", tz="UTC"))})

    def answer() -> pa.Table:
        rows = store.get_historical_features(entity_df=asked.to_pandas(), features=features).to_arrow()
        rows = rows.append_column(AS_OF, rows[_TIME].cast(pa.int64()))
        rows = rows.sort_by([(AS_OF, "ascending"), (LEAD_ID, "ascending")])
        return rows.select([LEAD_ID, AS_OF, *(name.partition(":")[2] for name in features)])

    return answer


def _door(made: Made) -> Store:
    from features.store.door import Store

    return Store(site=made.site, catalogue=made.catalogue, state=made.folder)


def _feast(made: Made) -> FeatureStore:
    """A store of four views of one entity in a registry of its own."""
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
    from feast.types import Float64, String

    registry = made.folder / "views.db"
    store = FeatureStore(
        config=RepoConfig(
            project="views",
            provider="local",
            registry=str(registry),
            offline_store={"type": "duckdb"},
            online_store=None,
            entity_key_serialization_version=3,
        )
    )
    if not registry.exists():
        lead = Entity(name="lead", join_keys=["lead_id"], value_type=ValueType.STRING)
        views = [
            FeatureView(
                name=view,
                entities=[lead],
                schema=[Field(name="lead_id", dtype=String), *(Field(name=n, dtype=Float64) for n in _names(view))],
                source=FileSource(name=view, path=str(_file(made, view)), timestamp_field="at"),
            )
            for view in VIEWS
        ]
        store.apply([lead, *views])
    return store


def _names(view: str) -> list[str]:
    return [f"{view}_{number}" for number in range(1, FEATURES + 1)]


def _file(made: Made, view: str) -> Path:
    return made.folder / f"{view}.parquet"


def _answer(made: Made, runner: str, how: str) -> Path:
    return made.folder / f"{RUNNERS.index(runner)} {how}.parquet"


def _view_query(made: Made, view: str) -> str:
    """Four rows of each lead at moments up to forty days before it is asked about."""
    number = VIEWS.index(view)
    features = ", ".join(f"hash(lead_id, version, '{name}') % 1000 / 8 AS {name}" for name in _names(view))
    ago = f"(hash(lead_id, version, {number}) % 3456000000000)::BIGINT"
    return f"""
        SELECT lead_id, make_timestamptz(as_of - {ago}) AS "at", {features}
        FROM '{made.spine}', range({VERSIONS}) AS versions(version)
        ORDER BY "at", lead_id
    """


def _asof_of_views(made: Made) -> str:
    features = ", ".join(name for view in VIEWS for name in _names(view))
    joins = "".join(
        f"""
        ASOF LEFT JOIN '{_file(made, view)}' AS {view}
            ON spine.lead_id = {view}.lead_id AND spine.moment >= {view}."at"
        """
        for view in VIEWS
    )
    return f"""
        WITH spine AS (SELECT lead_id, as_of, make_timestamptz(as_of) AS moment FROM '{made.spine}')
        SELECT spine.lead_id, spine.as_of, {features}
        FROM spine {joins}
        ORDER BY spine.as_of, spine.lead_id
    """


def _asof_of_the_door(made: Made) -> str:
    context = [(column.entry, column.name) for column in made.catalogue.context_columns]
    features = [
        *(f"lead.{column.name}" for column in made.catalogue.lead_columns),
        *(f"{entry.scope}_context.{name}" for entry, name in context if isinstance(entry, Context)),
    ]
    return f"""
        WITH spine AS (SELECT *, 'all' AS everybody, make_timestamptz(as_of) AS moment FROM '{made.spine}')
        SELECT spine.lead_id, spine.as_of, spine.channel, {", ".join(features)}
        FROM spine
        ASOF LEFT JOIN '{lead_table(made.folder)}' AS lead
            ON spine.lead_id = lead.lead_id AND spine.moment >= lead.as_of
        ASOF LEFT JOIN '{context_table(made.folder)}' AS all_context
            ON spine.everybody = all_context.context_key AND spine.moment >= all_context.closed_at
        ASOF LEFT JOIN '{context_table(made.folder)}' AS channel_context
            ON spine.channel = channel_context.context_key AND spine.moment >= channel_context.closed_at
        ORDER BY spine.as_of, spine.lead_id
    """


if __name__ == "__main__":
    if sys.argv[1] == ONCE:
        print(once(sys.argv[2], sys.argv[3], Made(Path(sys.argv[4]))))
    else:
        main()
