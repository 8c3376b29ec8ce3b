"""Whether a site's data can carry a model, and what is lacking.

``report`` counts leads, outcomes, maturity and channels; ``promotion`` says how sure the gate can be with such a test
and how much more it needs; ``missing`` says which features are missing most.
"""

from training.readiness.missing import Missing
from training.readiness.promotion import Promotion, Proof
from training.readiness.report import Channel, Evidence, Month, Readiness, readiness

__all__ = ["Channel", "Evidence", "Missing", "Month", "Promotion", "Proof", "Readiness", "readiness"]
