"""The benchmark of Feast's point-in-time join, at a small size: every row comes back, with what an ASOF join finds."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import retrieval
from benchmarks.made_history import Made
from benchmarks.report import tell

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Offline tables of a few hundred leads."""
    return retrieval.prepared(tmp_path_factory.mktemp("made"), rows=300)


def test_feast_returns_every_row_as_an_asof_join_does(made: Made) -> None:
    """Through our door and alone; the table says so of both."""
    told = retrieval.compared(made, rounds=1, run=retrieval.once)
    tell("retrieval", "A small one", "today", told, keep=False)

    assert "All rows came back, with equal values" in told
    assert [line.split(" | ")[0] for line in told.splitlines()[2:4]] == [f"| {runner}" for runner in retrieval.RUNNERS]


def test_a_lost_row_and_another_value_are_found(made: Made) -> None:
    """Either ends the benchmark."""
    spine = pq.read_table(made.spine)
    other = spine.set_column(1, "as_of", pa.array([*spine["as_of"].to_pylist()[:-1], 0]))

    with pytest.raises(SystemExit, match="299 rows came back for a spine of 300"):
        retrieval.check_equal(spine, spine.slice(1), made=made)
    with pytest.raises(SystemExit, match="differ in as_of"):
        retrieval.check_equal(spine, other, made=made)
