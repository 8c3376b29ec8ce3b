"""What evaluates the catalogue over many leads: DuckDB in this process, or Spark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from features import relational
from features.relational import Evaluate

Engine = Literal["duckdb", "spark"]


@contextmanager
def evaluating(engine: Engine, folder: Path) -> Iterator[Evaluate]:
    """``relational.evaluate`` by that engine, to the same bits; Spark exchanges files in ``folder``, its session ends.

    ``SiteError`` if Spark is asked for where it cannot run.
    """
    if engine == "duckdb":
        yield relational.evaluate
        return
    from features.spark.rows import evaluator
    from features.spark.session import open_spark

    with open_spark() as spark:
        yield evaluator(spark, folder)
