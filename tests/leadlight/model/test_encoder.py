from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.model.encoder import FIRST, MISSING, RARE, TREE_LEVELS, Encoder
from leadlight.settings import SiteError
from tests.leadlight.model.fit_builders import in_columns

ENCODER = Encoder(columns=("visits", "channel"), levels={"channel": ("ads", "search")})

numbers = st.none() | st.floats(allow_nan=True, allow_infinity=False) | st.integers(-(2**40), 2**40)
categories = st.none() | st.just(math.nan) | st.sampled_from(["ads", "search"]) | st.text(max_size=5)


@given(st.lists(st.tuples(numbers, categories), min_size=1, max_size=20))
def test_one_row_gets_the_vector_it_gets_among_many(rows: list[tuple[object, object]]) -> None:
    """A row is encoded to the same bits alone, among others, and in a frame."""
    mappings = [{"visits": visits, "channel": channel} for visits, channel in rows]

    together = ENCODER.encode(in_columns(mappings))

    assert together.tobytes() == b"".join(ENCODER.encode(in_columns([row])).tobytes() for row in mappings)
    frame = pd.DataFrame(
        {
            "channel": pd.Series([row["channel"] for row in mappings], dtype=object),
            "visits": pd.Series([row["visits"] for row in mappings], dtype=np.float64),
        }
    )
    assert np.array_equal(ENCODER.encode(frame), together, equal_nan=True)


@pytest.mark.parametrize(
    ("value", "code"),
    [("ads", FIRST), ("search", FIRST + 1), (None, MISSING), (math.nan, MISSING), ("radio", RARE), ("", RARE)],
)
def test_none_nan_and_an_unknown_category_have_one_meaning_each(value: object, code: int) -> None:
    """None and NaN are missing, every unknown value is rare, a level is its place."""
    matrix = ENCODER.encode({"visits": [None], "channel": [value]})

    assert matrix[0, 1] == code
    assert np.isnan(matrix[0, 0])


def test_every_absent_column_is_named() -> None:
    """Rows that lack columns are refused with all of them."""
    with pytest.raises(SiteError) as caught:
        ENCODER.encode({"other": [1]})

    assert len(caught.value.faults) == 2
    assert "'visits'" in caught.value.faults[0]


def test_trees_see_levels_beyond_their_limit_as_rare() -> None:
    """Only codes beyond the trees' levels change, and the given matrix does not."""
    levels = tuple(f"city {place}" for place in range(TREE_LEVELS + 2))
    encoder = Encoder(columns=("city",), levels={"city": levels})
    matrix = encoder.encode({"city": [None, "unknown", levels[TREE_LEVELS - 1], levels[TREE_LEVELS]]})

    capped = encoder.for_trees(matrix)

    assert capped[:, 0].tolist() == [MISSING, RARE, FIRST + TREE_LEVELS - 1, RARE]
    assert matrix[3, 0] == FIRST + TREE_LEVELS


def test_an_encoder_survives_its_document() -> None:
    """An encoder read back from its JSON is equal."""
    assert Encoder.from_json(ENCODER.to_json()) == ENCODER
