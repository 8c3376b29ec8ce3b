"""One look at what the champion does: read this first. Rows in, findings out; nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from features.catalogue import Attribute, Catalogue, Context, EventsEntry, LeadAge
from features.outcomes import outcome_delays
from leadlight.model.bundle import Bundle, load_bundle
from leadlight.model.certificate import PUBLIC_KEY, pinned_key, read_certificate
from leadlight.model.margins import sigmoid
from leadlight.schema import Micros
from leadlight.settings import Site, SiteError, Target
from leadlight.shelf import bundle_folder, keys_folder, named_champion
from training.as_judged import KEY, AsJudged
from training.dataset import local_days
from training.monitor import drift
from training.monitor.calibration import Calibration, Promise, calibration, promises
from training.monitor.drift import Compared, input_checks, score_check
from training.monitor.explored import Corrected, corrected
from training.monitor.findings import Check, Finding, advice, findings
from training.monitor.outcome import Challenge, Delays, challenge, label_delays
from training.monitor.performance import Performance, expected_performance, performance_checks
from training.monitor.rows import FEWEST, FEWEST_DAYS, FEWEST_OF_EITHER, Rows, Source, Watched

SEED = 7


@dataclass(frozen=True, eq=False)
class Watch:
    """What was seen of a target's champion at one moment; what too few leads cannot tell is ``None`` or left out."""

    target: str
    version: int
    bundle_sha256: str
    now: Micros
    end: Micros
    recent: tuple[Micros, Micros]
    matured: tuple[Micros, Micros]
    recent_source: Source
    mature_source: Source
    recent_leads: int
    mature_leads: int
    left_out: dict[str, int]
    false_alarms: float
    checks: tuple[Check, ...]
    found: tuple[Finding, ...]
    as_judged: AsJudged
    calibration: Calibration | None
    promises: tuple[Promise, ...]
    performance: Performance | None
    delays: Delays | None
    challenge: Challenge | None
    corrected: Corrected | None
    notes: tuple[str, ...]

    @property
    def advice(self) -> list[str]:
        """What to do, most urgent first."""
        return advice(self.found)

    def to_json(self) -> dict[str, Any]:
        """All of it as one object; the same rows give the same object."""
        shown = {name: value for name, value in vars(self).items() if name not in {"checks", "found", "performance"}}
        plain = {name: _plain(value) for name, value in shown.items()}
        expected = None
        if self.performance is not None:
            expected = {
                "leads": self.performance.leads,
                "flagged": self.performance.flagged,
                **{name: asdict(metric) for name, metric in self.performance.metrics.items()},
            }
        return {
            **plain,
            "performance": expected,
            "checks": [asdict(check) for check in self.checks],
            "findings": [{"id": each.id(self.bundle_sha256), **asdict(each)} for each in self.found],
            "advice": self.advice,
        }


def watch(site: Site, catalogue: Catalogue, target_name: str, *, state: Path, now: Micros, end: Micros) -> Watch:
    """Compare what the champion did since its training with what it promised; ``end`` is where the data end.

    The recent leads, of the window up to ``now``, say how inputs and scores are distributed and what performance to
    expect. The leads whose labels became mature within a window say what became of the promises. What the shadow said
    and whom chance drew only the journal knows, whatever the rest is taken from. A ``SiteError`` without a genuine
    champion.
    """
    _, target = site.target(target_name)
    version, bundle, judged = _champion(target_name, state)
    trained = bundle.manifest.origin.trained_until
    window, maturing = site.monitor.window, target.horizon + target.outcome_delay
    recent, matured = (max(now - window, trained), now), (max(end - maturing - window, trained), end - maturing)
    rows = Rows(site, catalogue, bundle, state, after=min(recent[0], matured[0]), now=now, end=end)
    fresh, ripe, answered = rows.recent(recent[0]), rows.mature(matured[0]), rows.mature_answers(matured[0])
    checks = _inputs(site, catalogue, bundle, fresh)
    calibrated, more = calibration(ripe.margin, ripe.label, judged=judged, seed=SEED)
    kept_promises, of_grades = promises(ripe.promised, ripe.grade, ripe.label, judged=judged)
    late, of_delays = _delays(site, target_name, target, state, since=matured[0], end=end)
    waiting = fresh.where(~fresh.mature).first_of_each_lead()
    expected = _expected(bundle, waiting)
    of_performance = [] if expected is None else list(performance_checks(expected, target.gate))
    whole = (*checks, *more, *of_grades, *of_delays, *of_performance)
    return Watch(
        target=target_name,
        version=version,
        bundle_sha256=bundle.sha256,
        now=now,
        end=end,
        recent=recent,
        matured=matured,
        recent_source=fresh.source,
        mature_source=ripe.source,
        recent_leads=fresh.leads,
        mature_leads=ripe.leads,
        left_out={name: number for name, number in {**fresh.left_out, **ripe.left_out}.items() if number},
        false_alarms=site.monitor.false_alarms,
        checks=whole,
        found=tuple(findings(whole, false_alarms=site.monitor.false_alarms)),
        as_judged=judged,
        calibration=calibrated,
        promises=tuple(kept_promises),
        performance=expected,
        delays=late,
        challenge=_challenge(answered, site.offset),
        corrected=corrected(
            answered.promised,
            answered.label,
            flagged=answered.flagged,
            explored=answered.explored,
            chance=answered.chance,
        ),
        notes=tuple(_notes(site, fresh, ripe)),
    )


def _champion(target_name: str, state: Path) -> tuple[int, Bundle, AsJudged]:
    named = named_champion(state, target_name)
    folder = bundle_folder(state, target_name, named.version)
    certificate = read_certificate(folder, pinned_key(keys_folder(state) / PUBLIC_KEY))
    bundle = load_bundle(folder, expected=named.bundle_sha256)
    judged = certificate.findings.get(KEY)
    if judged is None or not {"leads", "score", "calibration"} <= bundle.reference.keys():
        raise SiteError([f"version {named.version} was trained before models were watched: train and promote again"])
    return named.version, bundle, AsJudged.read(judged)


def _inputs(site: Site, catalogue: Catalogue, bundle: Bundle, fresh: Watched) -> list[Check]:
    """Checks of inputs and scores; columns of context move with the season, and many rows share one value of them."""
    if fresh.leads < drift.FEWEST:
        return []
    compared = Compared(
        fresh.X,
        leads=fresh.leads,
        rate=site.monitor.false_alarms,
        material=site.monitor.material,
        seed=SEED,
    )
    context = frozenset(column.name for column in catalogue.context_columns)
    checks = input_checks(bundle.reference, compared, source=sources(catalogue), skip=context)
    return [*checks, score_check(bundle.reference, sigmoid(fresh.margin), compared)]


def sources(catalogue: Catalogue) -> Callable[[str], str]:
    """Where the values of a column come from, as the site's SQL names it."""
    entries = {column.name: column.entry for column in (*catalogue.lead_columns, *catalogue.context_columns)}

    def source(name: str) -> str:
        entry = entries.get(name)
        if isinstance(entry, Attribute):
            return f"leads.{entry.column}"
        if isinstance(entry, LeadAge):
            return "leads.created_at"
        if isinstance(entry, (EventsEntry, Context)):
            return f"events of kind {', '.join(entry.events)}"
        return name

    return source


def _delays(
    site: Site, target_name: str, target: Target, state: Path, *, since: Micros, end: Micros
) -> tuple[Delays | None, list[Check]]:
    """Of outcomes old enough to have come even if late: what has not arrived yet is in no count."""
    found = outcome_delays(site, target_name, state, since=since, end=end - 2 * target.outcome_delay)
    return label_delays(found["delay"].to_numpy().astype(np.int64), declared=target.outcome_delay)


def _expected(bundle: Bundle, waiting: Watched) -> Performance | None:
    first = bundle.reference["calibration"]
    error = first.get("interval_error", first["error"])
    return expected_performance(waiting.margin, waiting.flagged, error=error, seed=SEED)


def _challenge(answered: Watched, offset: Micros) -> Challenge | None:
    """The challenger that scored most of these leads in the shadow, against what was answered."""
    versions = [each for each in answered.shadow_version.tolist() if each is not None]
    if not versions:
        return None
    version = max(sorted(set(versions)), key=versions.count)
    shared = answered.where((answered.shadow_version == version) & ~np.isnan(answered.shadow))
    day = local_days(shared.as_of, offset)
    return challenge(version, shared.promised, shared.shadow, shared.label, day=day)


def _notes(site: Site, fresh: Watched, ripe: Watched) -> Iterator[str]:
    """Why the schedule's own moments stand in for answers, where the site leaves it open, and what is not compared."""
    stead = (
        f"the schedule's own moments are watched: fewer than {FEWEST} leads or {FEWEST_DAYS} days were answered about"
    )
    auto = site.monitor.rows == "auto"
    if auto and fresh.source == "schedule":
        yield f"for inputs and scores {stead}"
    if auto and ripe.source == "schedule":
        either = f"or fewer than {FEWEST_OF_EITHER} of either outcome were promised or came"
        yield f"for outcomes {stead} whose outcome is known, {either}"
    if fresh.leads < drift.FEWEST:
        yield f"{fresh.leads} leads in the window: fewer than {drift.FEWEST} are not compared"


def _plain(value: Any) -> Any:  # noqa: ANN401  # a field of any kind
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value
