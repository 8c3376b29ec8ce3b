"""A look in words, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from leadlight.schema import DAY, HOUR, MINUTE, Micros, from_micros
from training.monitor.explored import Corrected, Interval
from training.monitor.watch import Watch


def lines(look: Watch) -> list[str]:
    """What was looked at, what was found, and what to do; then promise against outcome, and what else there is."""
    return [
        f"{look.target} version {look.version} as of {_moment(look.now)}",
        f"inputs and scores: {look.recent_leads:,} leads since {_moment(look.recent[0])} ({look.recent_source})",
        _outcomes(look),
        *([f"left out: {', '.join(f'{n:,} {why}' for why, n in look.left_out.items())}"] if look.left_out else []),
        *_findings(look),
        *_calibration(look),
        *_performance(look),
        *_others(look),
        *(f"note: {note}" for note in look.notes),
    ]


def _outcomes(look: Watch) -> str:
    since, until = look.matured
    return f"outcomes: {look.mature_leads:,} leads of {_moment(since)} to {_moment(until)} ({look.mature_source})"


def _findings(look: Watch) -> Iterator[str]:
    rate = f"{len(look.checks)} checks; quiet data raise a finding in at most {look.false_alarms:.0%} of runs"
    if not look.found:
        yield f"no findings ({rate})"
        return
    yield f"findings ({rate}):"
    for found in look.found:
        yield f"  {found.kind}: {found.words} (p {found.p:.2g}); {found.advice}"
    yield f"advice: {'; '.join(look.advice)}"


def _calibration(look: Watch) -> Iterator[str]:
    found = look.calibration
    if found is None:
        yield "calibration: too few outcomes to tell"
        return
    slope = "" if found.slope is None else f", slope {found.slope:.2f}"
    yield (
        f"calibration: {found.converted} converted, {found.promised:.1f} promised; off by {found.shift:+.3f} log-odds"
        f" (standard error {found.shift_error:.3f}){slope};"
        f" error {found.error:.4f}, a perfect model shows {found.noise_floor:.4f}"
    )
    then = look.as_judged
    slope = "" if then.slope is None else f", slope {then.slope.value:.2f} ({then.slope.error:.2f})"
    yield (
        f"  as judged, on {then.leads:,} leads: off by {then.shift.value:+.3f} log-odds"
        f" (standard error {then.shift.error:.3f}){slope}"
    )
    for promise in look.promises:
        yield (
            f"  grade {promise.grade}: promised {promise.promised:.1%}, observed {promise.observed:.1%}"
            f" ({promise.lower:.1%} to {promise.upper:.1%}) of {promise.leads:,} leads"
        )


def _performance(look: Watch) -> Iterator[str]:
    if look.performance is None:
        yield "performance without outcomes: too few leads wait for theirs"
        return
    yield (
        f"expected of {look.performance.leads:,} leads without outcome yet, if probabilities are right but for one"
        " common shift:"
    )
    if any(found.kind in {"calibration", "promise"} for found in look.found):
        yield "  (they are not: see the findings)"
    for name, metric in look.performance.metrics.items():
        yield f"  {name} {metric.value:.3f} ({metric.lower:.3f} to {metric.upper:.3f})"


def _others(look: Watch) -> Iterator[str]:
    if look.delays is not None:
        late = f"{look.delays.late:.2%} later than declared"
        yield f"label delay: half within {_span(look.delays.median)}, 95 % within {_span(look.delays.most)}, {late}"
    if look.challenge is not None:
        of = look.challenge
        yield (
            f"challenger {of.version} on {of.leads:,} leads both scored: log loss {of.difference:+.5f}"
            f" ({of.lower:+.5f} to {of.upper:+.5f}; below 0 it is better)"
        )
    if look.corrected is not None:
        yield _corrected(look.corrected)


def _corrected(seen: Corrected) -> str:
    """Rate and recall with their intervals, and how few conversions stand for the leads nobody called."""
    called = f"{seen.flagged:,} flagged, {seen.flagged_converted:,} of them converted"
    drawn = f"{seen.explored:,} explored, {seen.explored_converted:,} of them converted"
    found = f"observed {_interval(seen.observed, '.2%')}, recall {_interval(seen.recall, '.3f')}"
    return f"corrected for who was called ({called}; {drawn}): promised {seen.promised:.2%}, {found}"


def _interval(found: Interval | None, form: str) -> str:
    if found is None:
        return "unknown"
    within = f"{found.lower:{form}} to {found.upper:{form}}"
    return within if found.value is None else f"{found.value:{form}} ({within})"


def _moment(micros: Micros) -> str:
    return from_micros(micros).isoformat(timespec="minutes")


def _span(micros: Micros) -> str:
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if micros >= unit:
            return f"{micros / unit:.1f} {name}"
    return f"{micros / 1_000_000:.0f} s"
