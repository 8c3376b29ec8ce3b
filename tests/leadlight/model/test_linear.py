from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadlight.model.linear import compress

values = st.floats(min_value=0, max_value=1e15)


@given(values)
def test_compress_is_close_to_the_logarithm(value: float) -> None:
    """It stays within 0.09 of log2(1 + value)."""
    assert abs(float(compress(np.array([value]))[0]) - np.log2(1 + value)) < 0.09


@given(values, values)
def test_compress_keeps_order(one: float, other: float) -> None:
    """A larger number never becomes a smaller one."""
    low, high = compress(np.array(sorted([one, other])))

    assert low <= high
