"""What every test shares: how examples are drawn, and the real data where they lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# The same examples on every run and no deadline: a busy machine is no counterexample.
settings.register_profile("leadlight", derandomize=True, deadline=None, database=None)
settings.load_profile("leadlight")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the two real data sets, which are not part of the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data sets do not lie beside the checkout (../shared/data)")
    return folder
