"""Two versions of a target's model on the same later rows: which is better, by how much, and for whom.

``sides``    both models and the rows that neither learned from or was moved by
``numbers``  metrics with paired intervals, by slice too, and the curves
``changes``  the leads that would get another grade, what moved them, and who was right
``report``   all of it as JSON, text and a page

Read-only: it judges nothing, and no gate listens to it.
"""

from __future__ import annotations

from pathlib import Path

from features.catalogue import Catalogue
from leadlight.settings import Site
from training.compare.changes import changed_grades
from training.compare.numbers import curves, paired_metrics, paired_slices
from training.compare.report import Comparison
from training.compare.sides import open_sides
from training.dataset import local_months

__all__ = ["Comparison", "compare"]

SEED = 7


def compare(
    site: Site, catalogue: Catalogue, target_name: str, versions: tuple[int, int], *, state: Path, seed: int = SEED
) -> Comparison:
    """Both versions on the test rows that lie after what either learned from or was moved by.

    A version that is not on the shelf, does not load, or asks for columns that the catalogue has no more is a
    ``SiteError``, as is a test without such rows.
    """
    left, first, second = open_sides(site, catalogue, target_name, versions, state=state)
    rows = left.rows
    slices = {"channel": rows.channel, "month": local_months(rows.as_of, site.offset)}
    return Comparison(
        target=target_name,
        versions=versions,
        rows=len(rows.y),
        leads=int(first.scored.lead.max()) + 1,
        positives=int(rows.y.sum()),
        metrics=paired_metrics(first.scored, second.scored, seed=seed),
        slices={name: paired_slices(first.scored, second.scored, values) for name, values in slices.items()},
        curves=(curves(first.scored), curves(second.scored)),
        changes=changed_grades(rows, first, second),
        notes=left.notes,
        made=site.site.made,
    )
