"""What is watched: rows that the champion scored, or would have, since it was trained, with outcomes where known."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.catalogue import Catalogue, Column, target_columns
from features.labels import CONVERTED, MATURE
from features.outcomes import outcomes, scheduled_rows
from leadlight import journal
from leadlight.database import open_database
from leadlight.grading import Cuts
from leadlight.model.bundle import Bundle
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.schema import AS_OF, CREATED_AT, LABEL, LEAD_ID, Micros, local_day
from leadlight.settings import Site, SiteError
from training.dataset import local_days

Source = Literal["journal", "schedule"]
Flags = npt.NDArray[np.bool_]
Names = npt.NDArray[np.object_]

FEWEST = 50
FEWEST_DAYS = 7
"""Leads and local days that must have been answered about, for the journal to be watched unless the site says so."""
FEWEST_OF_EITHER = 5
"""Leads of either outcome, and promised ones, that the journal's mature leads must have, for outcomes to be theirs."""


@dataclass(frozen=True, eq=False)
class Watched:
    """Rows by (as_of, lead_id), at most one a lead and local day, of leads that had not converted.

    ``margin`` is the champion's; ``promised``, ``grade`` and ``flagged`` are what was answered, by whichever version
    (of the schedule: what the champion says). ``shadow`` and ``chance`` are NaN where there are none.
    """

    source: Source
    lead_id: Names
    as_of: npt.NDArray[np.int64]
    X: pd.DataFrame
    margin: FloatArray
    promised: FloatArray
    grade: Names
    flagged: Flags
    label: npt.NDArray[np.int8]
    mature: Flags
    shadow: FloatArray
    shadow_version: Names
    chance: FloatArray
    explored: Flags
    left_out: dict[str, int]

    def where(self, rows: Flags) -> Watched:
        """Some of the rows."""
        picked = {name: value[rows] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        frame = self.X[rows].reset_index(drop=True)
        return Watched(source=self.source, X=frame, left_out=self.left_out, **picked)

    @property
    def leads(self) -> int:
        """How many leads the rows are of."""
        return len(set(self.lead_id.tolist()))

    def first_of_each_lead(self) -> Watched:
        """The first row of each lead: its outcome must not decide which of its rows counts."""
        seen = pd.Series(self.lead_id, dtype=object).duplicated().to_numpy()
        return self.where(~seen)

    def last(self, most: int) -> Watched:
        """The newest rows, so many at most."""
        return self.where(np.arange(len(self.label)) >= len(self.label) - most)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows in ``(after, now]``, from either source; ``end`` is where the data end, which says whose outcome is known.

    What is recent and what is mature each has one source of its own, and no figure has rows of both: one week of
    answers says what is asked now, but nothing yet of outcomes. Unless the site's ``rows`` names the source, it is the
    journal where it holds enough, else the schedule. Each source is read once, when it is asked for.
    """

    site: Site
    catalogue: Catalogue
    bundle: Bundle
    state: Path
    after: Micros
    now: Micros
    end: Micros

    def recent(self, since: Micros) -> Watched:
        """Rows after ``since``: answers, if they are of 50 leads and 7 days or more.

        One list of everybody at one moment is no sample of what the model learned from.
        """
        if self._looks_at_answers:
            found = self.answered.where(self.answered.as_of > since)
            if self.site.monitor.rows == "journal" or self._enough(found):
                return found
        return self.scheduled.where(self.scheduled.as_of > since)

    def mature(self, since: Micros, *, most: int | None = None) -> Watched:
        """The first mature row after ``since`` of each lead, of the newest ``most`` leads.

        Answers, if they are of 50 leads and 7 days or more, and 5 leads or more of either outcome came and were
        promised: promises do not know what came, so that a lucky run of conversions does not choose the rows.
        """
        if self._looks_at_answers:
            found = _mature_leads(self.answered, since, most)
            if self.site.monitor.rows == "journal" or (self._enough(found) and _both_outcomes(found)):
                return found
        return _mature_leads(self.scheduled, since, most)

    def mature_answers(self, since: Micros) -> Watched:
        """The first mature answer after ``since`` about each lead, however few there are."""
        return _mature_leads(self.answered, since, None)

    @cached_property
    def answered(self) -> Watched:
        """The journal's answers about leads of an age that the model learned from, give or take a day."""
        return _answered(self)

    @cached_property
    def scheduled(self) -> Watched:
        """The moments that the schedule looks at, whether or not anybody asked."""
        return _scheduled(self)

    @property
    def _looks_at_answers(self) -> bool:
        return self.site.monitor.rows != "schedule"

    def _enough(self, rows: Watched) -> bool:
        days = len(np.unique(local_days(rows.as_of, self.site.offset)))
        return rows.leads >= FEWEST and days >= FEWEST_DAYS


def _mature_leads(rows: Watched, since: Micros, most: int | None) -> Watched:
    first = rows.where(rows.mature & (rows.as_of > since)).first_of_each_lead()
    return first if most is None else first.last(most)


def _both_outcomes(rows: Watched) -> bool:
    promised = sigmoid(rows.margin)
    return all(
        min(float(of.sum(dtype=np.float64)), float((1 - of).sum(dtype=np.float64))) >= FEWEST_OF_EITHER
        for of in (promised, rows.label)
    )


def frame(columns: Iterable[Column], values: dict[str, list[Any]]) -> pd.DataFrame:
    """Values by column as a model takes them: float64 with NaN, or object with None."""
    made = {}
    for column in columns:
        given = values[column.name]
        made[column.name] = _objects(given) if column.type == "str" else np.array(given, dtype=np.float64)
    return pd.DataFrame(made)


def _answered(rows: Rows) -> Watched:
    site, bundle = rows.site, rows.bundle
    name = bundle.manifest.origin.target
    columns = _columns(site, rows.catalogue, bundle)
    engine = open_database(site, rows.state)
    try:
        # nobody asks of a moment that is still to come, so what was asked of later was also asked later
        answers = journal.answers(engine, target=name, since=rows.after).to_pylist()
    finally:
        engine.dispose()
    asked = [answer for answer in answers if rows.after < answer["as_of"] <= rows.now]
    numbered = [answer for answer in asked if answer["vector"] is not None and not answer["inline"]]
    vectors = {id(answer): json.loads(answer["vector"]) for answer in numbered}
    whole = [answer for answer in numbered if all(column.name in vectors[id(answer)] for column in columns)]
    once = _first_of_each_day(whole, site.offset)
    judged = _judged(site, name, rows.state, once, end=rows.end)
    observe = site.targets[name].observe
    like = [answer for answer in once if observe.looks_at(_age(answer, judged[answer[LEAD_ID], answer[AS_OF]]))]
    kept = [answer for answer in like if not judged[answer[LEAD_ID], answer[AS_OF]][CONVERTED]]
    outcome = [judged[answer[LEAD_ID], answer[AS_OF]] for answer in kept]
    X = frame(columns, {c.name: [vectors[id(answer)][c.name] for answer in kept] for c in columns})
    margin = bundle.model.margin(X) if len(X) else np.empty(0)
    return Watched(
        source="journal",
        lead_id=_objects([answer[LEAD_ID] for answer in kept]),
        as_of=np.array([answer[AS_OF] for answer in kept], dtype=np.int64),
        X=X,
        margin=margin,
        promised=_floats(kept, "probability"),
        grade=_objects([answer["grade"] for answer in kept]),
        flagged=np.array([answer["flagged"] for answer in kept], dtype=np.bool_),
        label=np.array([each[LABEL] for each in outcome], dtype=np.int8),
        mature=np.array([each[MATURE] for each in outcome], dtype=np.bool_),
        shadow=_floats(kept, "shadow_probability"),
        shadow_version=_objects([answer["shadow_version"] for answer in kept]),
        chance=_floats(kept, "explore_probability"),
        explored=np.array([answer["explored"] for answer in kept], dtype=np.bool_),
        left_out={
            "locked, or with facts of their own": len(asked) - len(numbered),
            "of another catalogue": len(numbered) - len(whole),
            "asked again on the same day": len(whole) - len(once),
            "at an age that the schedule does not look at": len(once) - len(like),
            "converted": len(like) - len(kept),
        },
    )


def _scheduled(rows: Rows) -> Watched:
    site, catalogue, bundle = rows.site, rows.catalogue, rows.bundle
    name = bundle.manifest.origin.target
    looked_at = scheduled_rows(site, catalogue, name, rows.state, after=rows.after, end=rows.now)
    open_rows = looked_at.filter(pa.array([not each for each in looked_at[CONVERTED].to_pylist()], pa.bool_()))
    mature = _mature(open_rows[AS_OF].to_numpy(), site, name, end=rows.end)
    X = frame(_columns(site, catalogue, bundle), {name: open_rows[name].to_pylist() for name in open_rows.column_names})
    margin = bundle.model.margin(X) if len(X) else np.empty(0)
    promised = sigmoid(margin)
    return Watched(
        source="schedule",
        lead_id=_objects(open_rows[LEAD_ID].to_pylist()),
        as_of=open_rows[AS_OF].to_numpy(),
        X=X,
        margin=margin,
        promised=promised,
        **_acted(bundle.cuts, promised),
        label=open_rows[LABEL].to_numpy().astype(np.int8),
        mature=mature,
        shadow=np.full(len(X), np.nan),
        shadow_version=_objects([None] * len(X)),
        chance=np.full(len(X), np.nan),
        explored=np.zeros(len(X), dtype=np.bool_),
        left_out={"converted before the schedule's moment": len(looked_at) - len(open_rows)},
    )


def _age(answer: dict[str, Any], judged: dict[str, Any]) -> Micros:
    created_at: Micros | None = judged[CREATED_AT]
    return 0 if created_at is None else int(answer[AS_OF]) - created_at


def _judged(
    site: Site, target_name: str, state: Path, answers: list[dict[str, Any]], *, end: Micros
) -> dict[tuple[str, Micros], dict[str, Any]]:
    keys = {
        LEAD_ID: pa.array([answer[LEAD_ID] for answer in answers], pa.string()),
        AS_OF: pa.array([answer[AS_OF] for answer in answers], pa.int64()),
    }
    found = outcomes(site, target_name, state, rows=pa.table(keys), end=end)
    return {(row[LEAD_ID], row[AS_OF]): row for row in found.to_pylist()}


def _first_of_each_day(answers: list[dict[str, Any]], offset: Micros) -> list[dict[str, Any]]:
    ordered = sorted(answers, key=lambda answer: (answer[AS_OF], answer[LEAD_ID], answer["asked_at"], answer["id"]))
    first: dict[tuple[str, int], dict[str, Any]] = {}
    for answer in ordered:
        first.setdefault((answer[LEAD_ID], local_day(answer[AS_OF], offset)), answer)
    return list(first.values())


def _mature(as_of: npt.NDArray[np.int64], site: Site, target_name: str, *, end: Micros) -> Flags:
    target = site.targets[target_name]
    return np.asarray(as_of + target.horizon + target.outcome_delay <= end, dtype=np.bool_)


def _acted(cuts: Cuts, promised: FloatArray) -> dict[str, Any]:
    return {"grade": _objects([cuts.grade(p) for p in promised.tolist()]), "flagged": promised >= cuts.threshold}


def _columns(site: Site, catalogue: Catalogue, bundle: Bundle) -> list[Column]:
    """The champion's columns; one that the site has no more is a ``SiteError``."""
    name = bundle.manifest.origin.target
    known = {column.name: column for column in target_columns(catalogue, site.targets[name].exclude)}
    wanted = bundle.model.encoder.columns
    missing = [column for column in wanted if column not in known]
    if missing:
        words = f"the champion asks for columns that {name!r} has no more ({', '.join(missing)})"
        raise SiteError([f"{words}: keep them in the catalogue until a new champion is promoted"])
    return [known[column] for column in wanted]


def _objects(values: list[Any]) -> Names:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def _floats(answers: list[dict[str, Any]], name: str) -> FloatArray:
    return np.array([answer[name] for answer in answers], dtype=np.float64)
