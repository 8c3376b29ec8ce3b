"""The leakage auditor: which columns know the outcome, and by what evidence. Judges training rows, never the test.

Begin with ``auditor.py``: ``values.py`` has the probes of values, ``dated.py`` and ``lineage.py`` those of times. No
column is known by name.
"""

from training.audit.auditor import full_audit
from training.audit.ranking import column_auc, rank_auc
from training.audit.report import Judged, Report
from training.audit.training_check import Audit, audit, kept

__all__ = ["Audit", "Judged", "Report", "audit", "column_auc", "full_audit", "kept", "rank_auc"]
