"""The model card of a version: what it answers, how good it was found to be, and what not to use it for.

Every figure comes from the version's own artefacts: its bundle and the gate's verdict on it (Mitchell et al., Model
cards for model reporting, 2019).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt

from leadlight.model.blended import RUNGS
from leadlight.model.bundle import Bundle
from leadlight.schema import DAY, HOUR, Micros, from_micros
from leadlight.settings import Site
from training.pages import render
from training.report import HEADLINES

PARTS: Final = {"channels": "channel", "months": "month", "seen": "lead"}
SHOWN: Final = ("auc", "log_loss", "calibration_error", "precision", "recall")

_TEXTS: Final = Environment(
    loader=PackageLoader("training", "pages"),
    autoescape=False,  # noqa: S701  # it makes Markdown; markdown-it escapes what becomes HTML
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Card:
    """The card of one version as Markdown, and as a page."""

    title: str
    markdown: str

    def page(self) -> str:
        """The same as HTML that needs nothing but itself."""
        body = MarkdownIt("commonmark", {"html": False}).enable("table").render(self.markdown)
        return render("card.html", title=self.title, body=body)

    def write(self, folder: Path, stem: str) -> tuple[Path, Path]:
        """Write ``STEM.md`` and ``STEM.html`` into ``folder``."""
        paths = folder / f"{stem}.md", folder / f"{stem}.html"
        for path, text in zip(paths, (self.markdown, self.page()), strict=True):
            path.write_text(text, encoding="utf-8")
        return paths


def make_card(site: Site, bundle: Bundle, verdict: dict[str, Any], *, version: int) -> Card:
    """The card of ``bundle``, on which the gate said ``verdict`` (what ``verdict.json`` holds)."""
    name = bundle.manifest.origin.target
    _, target = site.target(name)
    title = f"{site.site.title.en}: {target.en or name}, version {version}"
    markdown = _TEXTS.get_template("card.md").render(
        title=title,
        site=site,
        name=name,
        target=target,
        bundle=bundle,
        origin=bundle.manifest.origin,
        verdict=verdict,
        moved=verdict.get("recalibration"),
        headline=HEADLINES[verdict["verdict"]],
        rung=RUNGS[bundle.model.rung],
        groups=Counter(bundle.model.groups),
        trained_until=from_micros(bundle.manifest.origin.trained_until).isoformat(timespec="minutes"),
        moved_until=from_micros(bundle.manifest.origin.moved_until or 0).isoformat(timespec="minutes"),
        horizon=_span(target.horizon),
        metrics=[key for key in verdict.get("metrics", {}) if f"{key}_lower" in verdict["metrics"]],
        parts=PARTS,
        shown=SHOWN,
    )
    return Card(title, markdown)


def _span(time: Micros) -> str:
    return f"{time // DAY} days" if time % DAY == 0 else f"{time / HOUR:g} hours"
