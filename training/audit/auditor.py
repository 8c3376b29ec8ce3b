"""The whole audit of a target: the model's features, the history's attributes and labels, and the raw files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from features.catalogue import Catalogue
from features.facts import Tables
from features.history import open_history
from features.people import as_people
from features.relational import evaluate
from features.sources import query_files
from leadlight.schema import AS_OF, LEAD_ID
from leadlight.settings import Site
from training.audit.asked import Asked, ask
from training.audit.dated import dated_findings, future_words, moment_findings
from training.audit.files import Files, told_by_files
from training.audit.finding import OK, Doubt, Finding
from training.audit.lineage import known_later
from training.audit.report import HISTORY, Judged, Report
from training.audit.told import Told, told_by_history
from training.audit.training_check import FEWEST, judge_columns, keep
from training.audit.values import value_findings
from training.dataset import CALIBRATION, TRAIN, Dataset, load

SEED = 7
_CALLED = re.compile(r"""(?:"([^"]+)"|(\w+))(?:::\w+)?\s+AS\s+"?lead_id\b""", re.IGNORECASE)
SHIFTED_LEADS = 4_000
"""Leads whose features are evaluated once more, one horizon later."""
UNDATED = Finding("availability", OK, "has no time: nothing says that it was known before the outcome")
KEPT_OUT = "; its dates keep this out of features"
IF_DATED = "; read it by its dates or not at all"


def full_audit(site: Site, catalogue: Catalogue, target_name: str, *, state: Path, data: Path) -> Report:
    """Judge every feature, attribute, label and raw column on the target's training rows; what was found is kept.

    ``state`` is built; ``data`` is the folder of its raw files. With fewer than 10 leads of an outcome nothing is said.
    """
    _, target = site.target(target_name)
    rows = load(site, catalogue, target_name, state=state).part(TRAIN, CALIBRATION)
    with open_history(state).reading() as tables:
        people = as_people(tables)
        asked = ask(rows, target, people, seed=SEED)
        if min(asked.rows.outcomes) < FEWEST:
            return _silent(target_name, rows, asked)
        files = told_by_files(data, _leads(tables), asked, offset=site.offset, called=_called(site))
        history = list(told_by_history(site, people, asked))
        doubt = Doubt.among(len(rows.columns) + len(files.columns) + len(history))
        shifted = _one_horizon_later(site, catalogue, people, asked.first(SHIFTED_LEADS))
    features = [
        replace(each, findings=(*_times(each.name, rows, files, asked, doubt, shifted), *each.findings))
        for each in judge_columns(rows, site.leaks)
    ]
    columns = [*features, *(_of_history(told, asked, doubt) for told in history)]
    columns += _qualified([_of_file(told, asked, doubt) for told in files.columns], columns)
    report = _report(target_name, rows, asked, columns, files.notes)
    keep(report, rows, state)
    return report


def _called(site: Site) -> set[str]:
    """What the raw files call the lead, as far as the site's SQL tells: the columns that it returns as its id."""
    texts = [path.read_text(encoding="utf-8") for path in query_files(site)]
    return {LEAD_ID, *(name for text in texts for names in _CALLED.findall(text) for name in names)}


def _leads(tables: Tables) -> list[str]:
    return list(tables.leads.select(LEAD_ID).to_pandas()[LEAD_ID])


def _one_horizon_later(site: Site, catalogue: Catalogue, people: Tables, asked: Asked) -> tuple[Asked, pd.DataFrame]:
    """The lead columns of these leads as they will be when their horizon is over."""
    moments = pa.table({LEAD_ID: pa.array(asked.lead_id, pa.string()), AS_OF: asked.closes})
    backend = people.leads.get_backend()
    spine = backend.create_table("audited_moments", moments)
    rows = evaluate(catalogue, site, people, spine).to_pandas().set_index(LEAD_ID).reindex(asked.lead_id)
    backend.drop_table("audited_moments")
    return asked, rows.reset_index(drop=True)


def _times(  # noqa: PLR0917 - what a feature's times are judged by
    name: str, rows: Dataset, files: Files, asked: Asked, doubt: Doubt, shifted: tuple[Asked, pd.DataFrame]
) -> Iterator[Finding]:
    values = _at(rows, name, asked)
    if not any(column.name == name and column.type == "int" for column in rows.columns):
        yield from known_later(values, files.columns, asked, doubt)
    fewer, later = shifted
    if name in later:
        then = later[name].astype(rows.X[name].dtype)
        found = future_words(_at(rows, name, fewer), _like(then), fewer, doubt)
        yield from [] if found is None else [found]


def _at(rows: Dataset, name: str, asked: Asked) -> pd.Series[Any]:
    return rows.X[name].iloc[asked.row].reset_index(drop=True)


def _like(values: pd.Series[Any]) -> pd.Series[Any]:
    return values.where(values.notna(), None) if values.dtype == object else values


def _of_history(told: Told, asked: Asked, doubt: Doubt) -> Judged:
    """Judged as it was known at the question; what it became later is worth knowing, and no fault."""
    values = value_findings(_like(told.at(asked.as_of)), asked.rows, doubt)
    times = [
        found if found.verdict == OK else replace(found, verdict=OK, words=found.words + KEPT_OUT)
        for found in dated_findings(told, asked, doubt)
    ]
    return Judged(told.name, HISTORY, (*values, *times))


def _of_file(told: Told, asked: Asked, doubt: Doubt) -> Judged:
    """Judged as the file has it in the end, which is what a query without dates takes."""
    values = value_findings(told.end, asked.rows, doubt)
    times = [
        found if found.verdict == OK else replace(found, words=found.words + IF_DATED)
        for found in (dated_findings(told, asked, doubt) if told.dated else [UNDATED])
    ]
    moments = moment_findings(told, asked, doubt) if told.moment else ()
    return Judged(told.name, told.source, (*values, *moments, *times))


def _qualified(raw: Sequence[Judged], others: Sequence[Judged]) -> list[Judged]:
    """A raw column whose name something else bears too is called by its file as well."""
    times = Counter(each.name for each in (*raw, *others))
    return [replace(each, name=f"{each.source}:{each.name}") if times[each.name] > 1 else each for each in raw]


def _silent(target_name: str, rows: Dataset, asked: Asked) -> Report:
    converted, rest = asked.rows.outcomes
    note = f"{converted} leads convert and {rest} do not: under {FEWEST} of either nothing can be said of a column"
    return _report(target_name, rows, asked, [], (note,))


def _report(target_name: str, rows: Dataset, asked: Asked, columns: Sequence[Judged], notes: tuple[str, ...]) -> Report:
    converted = len(set(rows.lead_id[rows.y == 1]))
    sampled = len(asked.lead_id) < len(set(rows.lead_id))
    words = (f"times and raw columns are judged on a sample of {len(asked.lead_id):,} leads",) if sampled else ()
    return Report(target_name, len(rows.y), len(set(rows.lead_id)), converted, tuple(columns), (*words, *notes))
