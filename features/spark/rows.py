"""Lead rows on Spark. DuckDB hands facts and questions over as Parquet files, and reads the answers the same way.

On a cluster these files lie in a folder that all its machines see.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import ibis

from features import relational
from features.catalogue import Catalogue
from features.facts import Tables
from features.relational import Evaluate
from features.relational.rows import KEYS
from features.spark.session import Spark
from leadlight.settings import Site

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def evaluator(spark: Spark, folder: Path) -> Evaluate:
    """What stands in for ``relational.evaluate`` on tables of DuckDB; rows come in no order.

    The same tables are handed over once, however often they are asked about. All files lie in ``folder``.
    """
    handed: list[tuple[Tables, Tables]] = []

    def evaluate(catalogue: Catalogue, site: Site, tables: Tables, spine: ibis.Table) -> ibis.Table:
        own = Path(tempfile.mkdtemp(prefix="spark-", dir=folder))
        known = next((theirs for ours, theirs in handed if ours is tables), None)
        if known is None:
            known = hand_over(spark, tables, own / "facts")
            handed.append((tables, known))
        spine.select(*KEYS).to_parquet(own / "spine.parquet")
        rows = lead_rows(spark, catalogue, site, known, spark.read_parquet(own / "spine.parquet"))
        rows.write.parquet(str(own / "rows"))
        return spine.get_backend().read_parquet(str(own / "rows" / "*.parquet"))

    return evaluate


def hand_over(spark: Spark, tables: Tables, folder: Path) -> Tables:
    """``tables`` of DuckDB with all that features read as tables of Spark; contacts and identity stay behind."""
    folder.mkdir()
    files = {name: folder / f"{name}.parquet" for name in ("leads", "attributes", "events")}
    for name, file in files.items():
        getattr(tables, name).to_parquet(file)
    return replace(tables, **{name: spark.read_parquet(file) for name, file in files.items()})


def lead_rows(spark: Spark, catalogue: Catalogue, site: Site, tables: Tables, spine: ibis.Table) -> DataFrame:
    """What ``relational.evaluate`` says of ``spine``, as a lazy frame; all tables are Spark's."""
    return spark.frame(relational.evaluate(catalogue, site, tables, spine))
