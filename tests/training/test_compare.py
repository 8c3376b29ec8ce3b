"""Two versions on the same later rows."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from leadlight.grading import Cuts
from leadlight.model.bundle import load_bundle, write_bundle
from leadlight.model.manifest import Origin
from leadlight.model.margins import sigmoid
from leadlight.settings import SiteError
from leadlight.shelf import bundle_folder, verdict_file, write_json
from tests.training.training_builders import Place, as_dataset, made_place, made_rows
from training.compare import Comparison, compare
from training.compare.numbers import Pair, paired_metrics
from training.dataset import Dataset, load
from training.evaluate import Scored
from training.fit import fit

LEARNED = 150
BLIND = 2
"""The version that never saw the column that counts."""


def shelve(place: Place, rows: Dataset, version: int, columns: list[str], *, moved_until: int | None = None) -> None:
    """A version that learned from the first rows and these columns; ``moved_until`` makes it a recalibrated one."""
    learned = rows.where(np.arange(len(rows.y)) < LEARNED)
    fitted = fit(
        learned.X[columns],
        learned.y,
        learned.as_of,
        horizon=1,
        groups={column.name: column.group for column in rows.columns},
        seed=1,
        workers=1,
    )
    target = place.site.targets["sale"]
    origin = Origin("sale", target.question, "c" * 64, "d" * 64, 1, LEARNED, 5, int(learned.as_of[-1]))
    if moved_until is not None:
        origin = origin.moved("p" * 64, until=moved_until)
    quantiles = np.quantile(sigmoid(fitted.model.margin(learned.X[columns])), [0.7, 0.8, 0.95])
    c, b, a = quantiles.tolist()
    cuts = Cuts(threshold=b, a=a, b=b, c=c, quantiles=(0.1,) * 101)
    folder = bundle_folder(place.state, "sale", version)
    sha256 = write_bundle(folder, fitted.model, origin=origin, cuts=cuts, rows=learned.X[columns], reference={})
    write_json(verdict_file(place.state, "sale", version), {"bundle_sha256": sha256})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Version 1 has every column, version 2 all but the one that counts."""
    rows = made_rows(2000)
    made = made_place(tmp_path_factory.mktemp("compare"), rows)
    dataset = as_dataset(made, rows)
    shelve(made, dataset, 1, list(dataset.X.columns))
    shelve(made, dataset, BLIND, [name for name in dataset.X.columns if name != "visits"])
    return made


@pytest.fixture(scope="module")
def found(place: Place) -> Comparison:
    return compare(place.site, place.catalogue, "sale", (1, BLIND), state=place.state)


def test_every_number_is_that_of_the_bundles(place: Place, found: Comparison) -> None:
    """Metrics by scikit-learn from the two bundles and the test rows are those of the comparison."""
    test = load(place.site, place.catalogue, "sale", state=place.state).part("test")
    said = []
    for version in (1, BLIND):
        model = load_bundle(bundle_folder(place.state, "sale", version), expected=sha256_of(place, version)).model
        said.append(sigmoid(model.margin(test.X)))

    assert found.rows == len(test.y) == 400
    for name, measure in (("auc", roc_auc_score), ("log_loss", log_loss)):
        pair = found.metrics[name]
        assert pair.first == pytest.approx(measure(test.y, said[0]))
        assert pair.second == pytest.approx(measure(test.y, said[1]))
        assert pair.difference == pytest.approx(measure(test.y, said[1]) - measure(test.y, said[0]))


def test_the_version_that_knows_more_is_told_apart(found: Comparison) -> None:
    """By ranking and by log loss; calibration is better in no direction."""
    assert found.better("auc") == 1
    assert found.better("log_loss") == 1
    assert found.better("calibration_in_the_large") is None


def test_a_version_against_its_twin_is_not_told_apart() -> None:
    """The same probabilities differ by nothing, with an interval of nothing."""
    random = np.random.default_rng(1)
    p = random.random(300)
    rows = Scored.of(
        np.arange(300).astype(object),
        (random.random(300) < p).astype(np.int8),
        p,
        threshold=0.5,
        day=np.arange(300) // 30,
    )

    pairs = paired_metrics(rows, rows, seed=1)

    assert {pair.difference for pair in pairs.values()} == {0.0}
    assert not any(pair.told_apart for pair in pairs.values())


def test_an_interval_holds_the_true_difference() -> None:
    """Over 60 draws of two models whose true log losses are known, the 95 % interval misses it about three times."""
    random = np.random.default_rng(5)
    missed = 0
    for draw in range(60):
        truth = random.uniform(0.05, 0.6, 400)
        other = np.full(400, 0.325)
        y = (random.random(400) < truth).astype(np.int8)
        lead = np.arange(400).astype(object)
        sides = [Scored.of(lead, y, p, threshold=0.5) for p in (truth, other)]
        pair = paired_metrics(*sides, seed=draw)["log_loss"]
        expected = np.mean(truth * np.log(truth / other) + (1 - truth) * np.log((1 - truth) / (1 - other)))
        assert isinstance(pair, Pair)
        assert pair.lower is not None
        assert pair.upper is not None
        missed += not pair.lower <= expected <= pair.upper

    assert missed <= 9  # 3 expected; 10 or more would come once in 1,500 tries


def test_who_changes_grade_and_who_was_right(found: Comparison) -> None:
    """The matrix holds every row, the changes add up, and what moved the rows is the group that one of them lacks."""
    changes = found.changes
    cells = {(one, other): cell for one, row in changes.matrix.items() for other, cell in row.items()}

    assert sum(rows for rows, _ in cells.values()) == found.rows
    assert sum(won for _, won in cells.values()) == found.positives
    assert changes.raised == sum(rows for (one, other), (rows, _) in cells.items() if other < one)
    assert changes.changed == changes.raised + changes.lowered
    assert len(changes.rows) == min(changes.changed, 50)
    for row in changes.rows:
        assert row.right == (BLIND if (row.second < row.first) == row.converted else 1)
    strongest = [name for row in changes.rows for name in row.movers[0].values]
    assert strongest.count("visits") > len(strongest) / 2


def test_what_each_version_expected_stands_beside_what_came(place: Place, found: Comparison) -> None:
    """Of the rows graded higher, and lower, the sums of either version's probabilities: in JSON, words and page."""
    test = load(place.site, place.catalogue, "sale", state=place.state).part("test")
    said, grades = [], []
    for version in (1, BLIND):
        bundle = load_bundle(bundle_folder(place.state, "sale", version), expected=sha256_of(place, version))
        said.append(sigmoid(bundle.model.margin(test.X)))
        grades.append(np.array([bundle.cuts.grade(p) for p in said[-1].tolist()]))
    changes = found.changes

    assert changes.raised_expected == pytest.approx([p[grades[1] < grades[0]].sum() for p in said])
    assert changes.lowered_expected == pytest.approx([p[grades[1] > grades[0]].sum() for p in said])
    first, second = (f"{number:.1f}" for number in changes.lowered_expected)
    words = f"expected of those graded lower: version 1 {first} and version {BLIND} {second}; "
    assert any(words + f"{changes.lowered_converted} came" in line for line in found.lines())
    assert f'<td class="number">{first}</td><td class="number">{second}</td>' in found.page()
    assert json.loads(json.dumps(found.to_json()))["changes"]["raised_expected"] == [*changes.raised_expected]


def sha256_of(place: Place, version: int) -> str:
    return str(json.loads(verdict_file(place.state, "sale", version).read_bytes())["bundle_sha256"])


def test_slices_add_up(found: Comparison) -> None:
    """Channels and months each hold all rows, and their differences average to the whole's."""
    for slices in found.slices.values():
        assert sum(each.rows for each in slices) <= found.rows
    channels = found.slices["channel"]
    assert {each.name for each in channels} == {"ads", "search", "referral"}
    whole = sum(each.rows * each.difference for each in channels) / found.rows
    assert whole == pytest.approx(found.metrics["log_loss"].difference)


def test_the_page_and_the_json_are_whole(found: Comparison) -> None:
    """The JSON can be written, the page is well formed, asks nobody for anything, and has its two plots."""
    answer = json.loads(json.dumps(found.to_json()))
    page = found.page()

    assert answer["better"]["auc"] == 1
    assert page.count('<svg viewBox="0 0 480 320" role="img"') == 2
    assert "http" not in page
    assert "<script" not in page
    HTMLParser().feed(page)
    assert any("is better" in line for line in found.lines())


def test_rows_that_moved_either_version_do_not_count(tmp_path: Path) -> None:
    """One recalibrated by outcomes of the first test rows is judged on later ones, and says so; if none, refused."""
    rows = made_rows(2000)
    place = made_place(tmp_path, rows)
    dataset = as_dataset(place, rows)
    test = dataset.part("test").as_of
    known = place.site.targets["sale"].horizon + place.site.targets["sale"].outcome_delay
    shelve(place, dataset, 1, ["visits"])
    shelve(place, dataset, 2, ["visits"], moved_until=int(test[100]))
    shelve(place, dataset, 3, ["visits"], moved_until=int(test[-1]))

    found = compare(place.site, place.catalogue, "sale", (1, 2), state=place.state)

    left = int((test >= test[100] + known).sum())
    assert found.rows == left < 300
    assert found.notes[0].startswith(f"{400 - left} of 400 test rows do not count: one of the versions learned from")
    assert f"  note: {found.notes[0]}" in found.lines()
    assert f"<p>Note: {found.notes[0]}.</p>" in found.page()
    assert json.loads(json.dumps(found.to_json()))["notes"] == [*found.notes]
    with pytest.raises(SiteError, match="no test row lies after what both versions learned from or were moved by"):
        compare(place.site, place.catalogue, "sale", (1, 3), state=place.state)


def test_what_cannot_be_compared_is_said(place: Place) -> None:
    """Unknown versions are all named, and a version is not held against itself."""
    with pytest.raises(SiteError) as refused:
        compare(place.site, place.catalogue, "sale", (7, 8), state=place.state)
    assert [fault.split(":")[0] for fault in refused.value.faults] == [
        "target 'sale' has no version 7",
        "target 'sale' has no version 8",
    ]
    with pytest.raises(SiteError, match="given twice"):
        compare(place.site, place.catalogue, "sale", (1, 1), state=place.state)
