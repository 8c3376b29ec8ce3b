"""A comparison as JSON, in words, and as a page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from training.charts import Line, chart
from training.compare.changes import GRADES, Changes
from training.compare.numbers import LOWER_IS_BETTER, NEITHER_IS_BETTER, Curves, Pair, Slice
from training.pages import render

SHOWN = 10
LOWER_IS_OFTEN_RIGHT = (
    "where few convert, the lower grade is right of most leads, so judge by what each version expected"
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two versions on the same later rows; every difference is the second version less the first.

    ``notes`` say which test rows do not count, and whether those that do are too few.
    """

    target: str
    versions: tuple[int, int]
    rows: int
    leads: int
    positives: int
    metrics: dict[str, Pair]
    slices: dict[str, tuple[Slice, ...]]
    curves: tuple[Curves, Curves]
    changes: Changes
    notes: tuple[str, ...]
    made: bool

    def to_json(self) -> dict[str, Any]:
        """All of it as one object, and ``better`` for each metric that tells the two apart."""
        return {**asdict(self), "better": {name: self.better(name) for name in self.metrics}}

    def better(self, name: str) -> int | None:
        """The version that is better by this metric, if its interval tells them apart."""
        pair = self.metrics[name]
        if not pair.told_apart or name in NEITHER_IS_BETTER or pair.difference is None:
            return None
        return self.versions[int((pair.difference > 0) != (name in LOWER_IS_BETTER))]

    def lines(self) -> list[str]:
        """The same in words."""
        first, second = self.versions
        name = f"{self.target}{' (made data)' if self.made else ''}: version {first} against version {second}"
        rows = f"{self.rows} later rows of {self.leads} leads, {self.positives} converted"
        return [
            f"{name} on {rows}; every difference is version {second} less version {first}",
            *(f"  note: {note}" for note in self.notes),
            *self._metric_lines(),
            *self._slice_lines(),
            *self._change_lines(),
        ]

    def page(self) -> str:
        """A self-contained page in English; every plot has its numbers in a table."""
        names = [f"version {version}" for version in self.versions]
        said = [
            Line(name, tuple((said, came) for said, came, _ in side.calibration))
            for name, side in zip(names, self.curves, strict=True)
        ]
        gains = [Line(name, side.gain) for name, side in zip(names, self.curves, strict=True)]
        highest = max(max(point) for line in said for point in line.points)
        plots = {
            "calibration": chart(
                "Calibration", said, x="probability said", y="share that converted", most=(highest, highest), even=True
            ),
            "gain": chart(
                "Gain", gains, x="share of rows, best first", y="share of conversions", most=(1, 1), even=True
            ),
        }
        return render("compare.html", found=self, plots=plots, grades=GRADES, often=LOWER_IS_OFTEN_RIGHT)

    def _metric_lines(self) -> Iterator[str]:
        for name, pair in self.metrics.items():
            words = name.replace("_", " ")
            if pair.difference is None or pair.lower is None or pair.upper is None:
                yield f"  {words:<26} these rows cannot have it"
                continue
            better = self.better(name)
            told = f"; version {better} is better" if better is not None else ""
            interval = f"{pair.difference:+.4f} ({pair.lower:+.4f} to {pair.upper:+.4f})"
            yield f"  {words:<26} {pair.first:.4f} and {pair.second:.4f}: {interval}{told}"

    def _slice_lines(self) -> Iterator[str]:
        for kind, slices in self.slices.items():
            for each in slices:
                words = f"{kind} {each.name}: log loss {each.first:.4f} and {each.second:.4f}"
                yield f"  {words}, {each.difference:+.4f} (standard error {each.error:.4f}), {each.rows} rows"

    def _change_lines(self) -> Iterator[str]:
        changes, second = self.changes, self.versions[1]
        yield (
            f"{changes.changed} rows change grade: version {second} grades {changes.raised} higher,"
            f" {changes.raised_converted} of them converted, and {changes.lowered} lower, of which"
            f" {changes.lowered_converted} did"
        )
        parts = (
            ("higher", changes.raised, changes.raised_expected, changes.raised_converted),
            ("lower", changes.lowered, changes.lowered_expected, changes.lowered_converted),
        )
        for word, rows, expected, came in parts:
            if rows:
                told = " and ".join(
                    f"version {version} {number:.1f}" for version, number in zip(self.versions, expected, strict=True)
                )
                yield f"  conversions expected of those graded {word}: {told}; {came} came"
        if changes.rows:
            yield f"  the greatest changes; {LOWER_IS_OFTEN_RIGHT}"
        for row in changes.rows[:SHOWN]:
            moved = ", ".join(f"{mover.group} {mover.points:+.2f}" for mover in row.movers)
            outcome = f"{'converted' if row.converted else 'did not convert'}, version {row.right} was right"
            yield f"  {row.lead_id} at {row.as_of}: {row.first} to {row.second} ({moved}); {outcome}"
        if len(changes.rows) > SHOWN:
            yield f"  ({len(changes.rows) - SHOWN} more: see --json or --html)"
