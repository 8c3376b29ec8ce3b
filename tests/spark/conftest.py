"""One local Spark session for all tests here, which skip without pyspark or Java."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from features.spark.session import Spark, missing, open_spark


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs Spark."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.spark)


@pytest.fixture(scope="session")
def spark() -> Iterator[Spark]:
    """The session: local, with as few partitions as small tables need."""
    if fault := missing():
        pytest.skip(fault)
    with open_spark() as opened:
        opened.session.conf.set("spark.sql.shuffle.partitions", "2")
        yield opened
