"""A judgement in words, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from training.evaluate import Evaluation
from training.gate import Rule
from training.judgement import Judgement
from training.slices import WorstSlice

HEADLINES = {"promote": "promote", "reject": "reject", "not_enough_evidence": "not enough evidence"}


def lines(judgement: Judgement, *, version: int, made: bool) -> list[str]:
    """The verdict, what it rests on, and every rule with its numbers."""
    verdict, whole = judgement.verdict, judgement.evaluation
    return [
        f"{judgement.target} version {version}: {HEADLINES[verdict.verdict]}{' (made data)' if made else ''}",
        f"bundle {judgement.bundle_sha256}",
        f"test: {whole.rows} rows of {whole.leads} leads, {whole.positives} converted",
        f"flagged: {whole.flagged}, with a probability of {judgement.threshold:.4f} or more",
        *_metric_lines(whole),
        *([judgement.capacity.line()] if judgement.capacity else []),
        *([_worst_line(judgement.worst_slice)] if judgement.worst_slice else []),
        f"rules (candidate {verdict.looks} on this test window, so it passes by bounds at {1 - verdict.alpha:.4g}):",
        *(_rule_line(rule) for rule in verdict.rules),
        *_needed_lines(verdict.rules),
        *(f"note: {note}" for note in verdict.notes),
    ]


def _metric_lines(whole: Evaluation) -> Iterator[str]:
    for name, metric in whole.metrics.items():
        words = name.replace("_", " ")
        if metric is None:
            yield f"  {words:<18} these rows cannot have it"
        else:
            floor = f", a perfect model shows {whole.noise_floor:.4f}" if name == "calibration_error" else ""
            yield f"  {words:<18} {metric.value:.4f} ({metric.lower:.4f} to {metric.upper:.4f}{floor})"


def _worst_line(worst: WorstSlice) -> str:
    if not worst.real:
        return f"no slice is further off than noise ({worst.searched} searched; the furthest: {worst.name})"
    return (
        f"worst slice of {worst.searched}: {worst.name} ({worst.rows} rows), {worst.said:.2%} said and {worst.came:.2%}"
        f" came, a difference of {worst.lower:+.2%} to {worst.upper:+.2%}"
    )


def _needed_lines(rules: Sequence[Rule]) -> Iterator[str]:
    """For each unsure rule, about how much more evidence would settle it if what was found is the truth."""
    for rule in rules:
        name = rule.name.replace("_", " ")
        if rule.needed is not None:
            yield f"still needed: about {rule.needed:,} more {rule.unit} would settle {name}"
        elif rule.state == "unsure":
            yield f"still needed: no number of leads settles {name} as it is now"


def _rule_line(rule: Rule) -> str:
    found = "none" if rule.value is None else _number(rule.value)
    bounds = "" if rule.lower is None or rule.upper is None else f" ({_number(rule.lower)} to {_number(rule.upper)})"
    name = rule.name.replace("_", " ")
    return f"  {rule.state:<6} {name}: {found}{bounds} against {_number(rule.threshold)}; {rule.evidence}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.4g}"
