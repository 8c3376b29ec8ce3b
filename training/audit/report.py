"""What the audit says of every column: verdict and evidence, in words, as JSON and as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from training.audit.finding import LEAK, OK, Finding, Verdict, worst

CATALOGUE: Final = "catalogue"
HISTORY: Final = "history"
SOME: Final = 12
SHOWN: Final = ("too_good", "settled_levels", "statuses")


@dataclass(frozen=True)
class Judged:
    """One column with what the probes found; ``source`` is ``catalogue``, ``history`` or the name of a raw file.

    ``reason`` is what the site says under ``[leaks]``. Only a column of the catalogue reaches a model.
    """

    name: str
    source: str
    findings: tuple[Finding, ...]
    reason: str = ""

    @property
    def verdict(self) -> Verdict:
        """The gravest of the findings' verdicts."""
        return worst(self.findings)

    @property
    def used(self) -> bool:
        """Whether a model would learn from it."""
        return self.source == CATALOGUE

    @property
    def evidence(self) -> list[str]:
        """What was found, the gravest first."""
        found = sorted(self.findings, key=lambda finding: (finding.verdict != self.verdict, finding.verdict == OK))
        return [
            *(finding.words for finding in found),
            *([f"allowed by the site: {self.reason}"] if self.reason else []),
        ]

    @property
    def brief(self) -> list[str]:
        """What is worth a line at the terminal of a column that is not accused."""
        return [found.words for found in self.findings if found.probe in SHOWN]

    def to_json(self) -> dict[str, Any]:
        """``name``, ``verdict`` and ``evidence``, ``source``, ``used``, ``reason`` and the ``probes`` it failed."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "evidence": self.evidence,
            "source": self.source,
            "used": self.used,
            "reason": self.reason or None,
            "probes": sorted({found.probe for found in self.findings if found.verdict != OK}),
        }


@dataclass(frozen=True)
class Report:
    """The answer of ``leadlight audit``: the columns, and what rows they were judged on."""

    target: str
    rows: int
    leads: int
    converted: int
    columns: tuple[Judged, ...]
    notes: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """The leaks among the model's columns that the site does not vouch for."""
        leaks = (each for each in self.columns if each.used and each.verdict == LEAK and not each.reason)
        return tuple(fault(each) for each in leaks)

    def to_json(self) -> dict[str, Any]:
        """All of it as one object."""
        return {
            "target": self.target,
            "rows": self.rows,
            "leads": self.leads,
            "converted": self.converted,
            "verdicts": dict(self._counts()),
            "columns": [each.to_json() for each in self.columns],
            "notes": list(self.notes),
            "faults": list(self.faults),
        }

    def lines(self) -> list[str]:
        """The same in words: all that is accused with its evidence, and the rest by name."""
        return list(self._lines())

    def page(self) -> str:
        """The same as one HTML page that asks nothing of the network."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        loader = FileSystemLoader(Path(__file__).parent)
        environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        return environment.get_template("page.html").render(report=self, head=self._head(), sections=self._sections())

    def _counts(self) -> Counter[str]:
        return Counter({"ok": 0, "suspect": 0, "leak": 0}) + Counter(each.verdict for each in self.columns)

    def _head(self) -> str:
        words = f"{self.rows:,} training rows of {self.leads:,} leads, {self.converted:,} of which convert"
        return f"target {self.target}: {len(self.columns)} columns judged on {words}"

    def _sections(self) -> list[tuple[str, list[Judged]]]:
        sources = dict.fromkeys(each.source for each in self.columns)
        return [(source_words(source), [each for each in self.columns if each.source == source]) for source in sources]

    def _lines(self) -> Iterator[str]:
        yield self._head()
        for title, columns in self._sections():
            yield title
            for each in columns:
                if each.verdict != OK:
                    yield f"  {each.verdict:7} {each.name}"
                    yield from (f"            {words}" for words in each.evidence)
                elif not each.used:
                    yield f"  ok      {each.name}: {'; '.join(each.brief)}"
            fine = [each.name for each in columns if each.verdict == OK and each.used]
            if fine:
                yield f"  ok      {', '.join(fine)}"
        yield from (f"note: {note}" for note in self.notes)


def source_words(source: str) -> str:
    """Where columns come from, as a heading."""
    if source == CATALOGUE:
        return "features of the catalogue, as they were known when each question was asked"
    if source == HISTORY:
        return "attributes and labels of the history, as they were known when each question was asked"
    return f"raw columns of {source}, as the file has them"


def fault(column: Judged, kin: Sequence[str] = ()) -> str:
    """Why a column must not be trained on, and what to do; ``kin`` are columns made of the same facts."""
    evidence = column.evidence[0]
    advice = f'if it was known by then, say why under [leaks] in leadlight.toml: {column.name} = "reason"'
    named = ", ".join(kin[:SOME]) + (f" and {len(kin) - SOME} more" if len(kin) > SOME else "")
    others = f" (made of the same facts, and to go with it: {named})" if kin else ""
    return f"column {column.name!r} {evidence}: leave it out of the catalogue{others}, or {advice}"


def reason_for(name: str, entry: str, leaks: Mapping[str, str]) -> str:
    """What the site says of a feature's column, by its own name or its entry's."""
    return leaks.get(name) or leaks.get(entry) or ""
