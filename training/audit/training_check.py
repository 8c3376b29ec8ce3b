"""The audit inside a training: the value probes of the model's columns, and what the last full audit said of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from leadlight.settings import SiteError
from leadlight.shelf import write_json
from training.audit.finding import LEAK, OK, SUSPECT, Doubt, Finding
from training.audit.later import family_auc
from training.audit.ranking import Rows
from training.audit.report import CATALOGUE, SOME, Judged, Report, fault, reason_for
from training.audit.values import value_findings
from training.dataset import Dataset

FEWEST = 10
"""Leads of either outcome that a judgement about a column needs."""


@dataclass(frozen=True)
class Audit:
    """``faults``: columns that must not be trained on, each with evidence; ``allowed``: those the site vouches for.

    ``suspects``: what a person should look at; it stops nothing.
    """

    faults: tuple[str, ...]
    allowed: tuple[str, ...]
    suspects: tuple[str, ...] = ()


def audit(rows: Dataset, leaks: Mapping[str, str], known: Mapping[str, tuple[Finding, ...]] | None = None) -> Audit:
    """Look for leaks among the columns of these training rows; ``leaks`` has the site's reasons, by column or entry.

    ``known`` has what a full audit of the same rows found of times, by column.
    """
    judged = [_with(each, (known or {}).get(each.name, ())) for each in judge_columns(rows, leaks)]
    accused = [each for each in judged if each.verdict == LEAK]
    families = families_of(rows)
    alone = {each.name for each in accused if not each.reason}
    kin = {name: [other for other in names if other not in alone] for names in families.values() for name in names}
    together = _together(rows, families, alone, leaks)
    return Audit(
        faults=(*(fault(each, kin.get(each.name, ())) for each in accused if not each.reason), *together),
        allowed=tuple(_words(each) for each in accused if each.reason),
        suspects=tuple(f"suspect: {_words(each)}" for each in judged if each.verdict == SUSPECT),
    )


def judge_columns(rows: Dataset, leaks: Mapping[str, str]) -> Iterator[Judged]:
    """The value probes of every column of the catalogue; with too few leads of an outcome nothing is said."""
    asked = Rows.of(rows.y == 1, rows.lead_id, rows.as_of)
    enough = min(asked.outcomes) >= FEWEST
    doubt = Doubt.among(len(rows.columns))
    for column in rows.columns:
        values: pd.Series[Any] = rows.X[column.name]
        found = value_findings(values, asked, doubt) if enough else []
        yield Judged(column.name, CATALOGUE, tuple(found), reason_for(column.name, column.entry.name, leaks))


def families_of(rows: Dataset) -> dict[tuple[str, ...], list[str]]:
    """The columns made of the same kinds of event."""
    families: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for column in rows.columns:
        events = getattr(column.entry, "events", ())
        if events and "lead_created" not in events:
            families[tuple(sorted(events))].append(column.name)
    return families


def _together(
    rows: Dataset, families: Mapping[tuple[str, ...], list[str]], alone: set[str], leaks: Mapping[str, str]
) -> Iterator[str]:
    """The families none of which is accused alone, but that decide the outcome together."""
    asked = Rows.of(rows.y == 1, rows.lead_id, rows.as_of)
    if min(asked.outcomes) < FEWEST:
        return
    doubt = Doubt.among(len(rows.columns))
    entries = {column.name: column.entry.name for column in rows.columns}
    for events, names in families.items():
        free = [name for name in names if not reason_for(name, entries[name], leaks)]
        if len(free) < len(("one", "other")) or alone & set(names):
            continue
        auc = family_auc({name: rows.X[name] for name in free}, asked, doubt)
        if auc:
            yield (
                f"columns {', '.join(free[:SOME])} nearly decide the outcome together (AUC {auc:.3f} of a small tree on"
                f" later leads): all that is made of {', '.join(events)} knows the outcome; date these events by when"
                f" they were known, leave the columns out of the catalogue, or say why under [leaks]:"
                f' {free[0]} = "reason"'
            )


def keep(report: Report, rows: Dataset, state: Path) -> None:
    """Leave what ``report`` found of times for the trainings on the same rows."""
    findings = {
        each.name: [vars(found) for found in each.findings if found.probe in TIMED and found.verdict != OK]
        for each in report.columns
        if each.used
    }
    path = _file(state, report.target)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"rows": rows.digest, "findings": {name: found for name, found in findings.items() if found}})


def kept(rows: Dataset, target_name: str, state: Path) -> dict[str, tuple[Finding, ...]]:
    """What the last full audit found of times, by column, if it was of the same rows; ``SiteError`` if it is damaged.

    A training that took a damaged one for none would forget a leak that was found.
    """
    path = _file(state, target_name)
    if not path.is_file():
        return {}
    try:
        last = json.loads(path.read_bytes())
        if last["rows"] != rows.digest:
            return {}
        return {name: tuple(Finding(**found) for found in each) for name, each in last["findings"].items()}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        words = f"{path} does not say what the last audit found ({type(error).__name__}: {error})"
        again = f"`leadlight audit SITE --target {target_name}`"
        raise SiteError([f"{words}: remove it, and run {again} before training"]) from error


TIMED = ("known_later",)
"""The probes of features that need the raw files, which a training does not read."""


def _with(judged: Judged, more: tuple[Finding, ...]) -> Judged:
    return Judged(judged.name, judged.source, (*more, *judged.findings), judged.reason)


def _words(judged: Judged) -> str:
    return f"{judged.name} {judged.evidence[0]}" + (f"; allowed by the site: {judged.reason}" if judged.reason else "")


def _file(state: Path, target_name: str) -> Path:
    return state / "audit" / f"{target_name}.json"
