"""A Spark session and what it reads. With ``serving.spark`` the only door to pyspark; imported late."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ibis

from leadlight.settings import SiteError

if TYPE_CHECKING:
    from ibis.backends.pyspark import Backend
    from pyspark.sql import DataFrame, SparkSession

JAVA_AT_LEAST = 17

SEMANTICS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, not a wrong number
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
"""What a session's answers depend on, set whatever its configuration says."""

PLANNING = {
    "spark.sql.constraintPropagation.enabled": "false",  # takes time and memory exponential in a catalogue's columns
}
"""What planning so many columns needs, set likewise."""

_CONFIGURED_BY = (
    "MASTER",
    "PYSPARK_GATEWAY_PORT",  # set by spark-submit
    "PYSPARK_SUBMIT_ARGS",
    "SPARK_CONF_DIR",
    "SPARK_HOME",
    "SPARK_MASTER",
    "SPARK_REMOTE",
)
"""Spark's own variables; with any of them set, Spark is configured by its user and nothing is added."""


@dataclass(frozen=True)
class Spark:
    """An open session, and ibis on it."""

    session: SparkSession
    backend: Backend

    def read_parquet(self, file: Path) -> ibis.Table:
        """The table in a file, whose name must not begin with a dot: Spark overlooks those."""
        return self.backend.read_parquet(str(file.absolute()))

    def frame(self, expression: ibis.Table) -> DataFrame:
        """An expression over tables of this session as a lazy frame."""
        return self.session.sql(self.backend.compile(expression))


@contextmanager
def open_spark(environment: Mapping[str, str] = os.environ) -> Iterator[Spark]:
    """A session: one that is open already, else the user's by Spark's own configuration, else a local one.

    It ends with the block if the block opened it. ``SiteError`` without pyspark or Java.
    """
    if fault := missing(environment):
        raise SiteError([fault])
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    session = running or _start(environment)
    try:
        for name, value in (SEMANTICS | PLANNING).items():
            session.conf.set(name, value)
        yield Spark(session, ibis.pyspark.connect(session))
    finally:
        if running is None:
            session.stop()


def missing(environment: Mapping[str, str] = os.environ) -> str | None:
    """What has to be installed before Spark can run here; ``None`` if nothing."""
    if importlib.util.find_spec("pyspark") is None:
        return "Spark needs pyspark, which is not installed: pip install 'leadlight[spark]' (here: make spark)"
    if environment.keys() & {"PYSPARK_GATEWAY_PORT", "SPARK_REMOTE"}:
        return None  # Java runs elsewhere
    home = environment.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else environment.get("PATH"))
    needed = f"Spark needs Java {JAVA_AT_LEAST} or newer"
    if java is None:
        return f"{needed}, and there is no java in {'JAVA_HOME' if home else 'PATH'}: install it, or set JAVA_HOME"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603 - the java that Spark would start
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA_AT_LEAST:
        return f"{needed}, but {java} is {said.splitlines()[0] if said else 'silent'}: set JAVA_HOME to a newer one"
    return None


def _start(environment: Mapping[str, str]) -> SparkSession:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("leadlight")
    if master := environment.get("SPARK_MASTER"):
        builder = builder.master(master)
    if not environment.keys() & set(_CONFIGURED_BY):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else its workers are whatever python3 is in PATH
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        for name, value in local_settings().items():
            builder = builder.config(name, value)
    return builder.getOrCreate()


def local_settings() -> dict[str, str]:
    """A session on this machine alone: all its cores, half its memory, no port open to others, and quiet."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return {
        "spark.master": "local[*]",
        "spark.driver.memory": f"{max(memory >> 20, 1024)}m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.log.level": "ERROR",
        "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
