"""The verdict on a candidate: every rule with its numbers, and what follows from all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from leadlight.settings import Gate
from training.gate.comparisons import metric_rules, rival_rules
from training.gate.floors import calibration_rules, leak_rule, slice_rule
from training.gate.proportions import proportion_rules
from training.gate.rule import Rule, count_rule
from training.gate.spending import alpha_of
from training.gate.trial import Trial

Outcome = Literal["promote", "reject", "not_enough_evidence"]
PROMOTE: Final = "promote"
REJECT: Final = "reject"
NOT_ENOUGH_EVIDENCE: Final = "not_enough_evidence"


@dataclass(frozen=True)
class Verdict:
    """What the gate decided: ``looks`` is the candidate's place among those judged on this test window."""

    verdict: Outcome
    rules: tuple[Rule, ...]
    looks: int
    alpha: float
    notes: tuple[str, ...] = ()
    champion: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Every rule and number, as ``verdict.json`` holds them."""
        return asdict(self)


def judge(gate: Gate, trial: Trial, *, looks: int, notes: tuple[str, ...] = ()) -> Verdict:
    """The verdict on a candidate that is the ``looks``-th one judged on this test window.

    With fewer than 40 leads of an outcome nothing is concluded, for or against; else one failed rule rejects, and one
    unsure rule leaves not enough evidence.
    """
    alpha = alpha_of(looks)
    enough = list(_evidence_rules(trial.outcomes))
    rules = [
        *proportion_rules(gate, trial.scored, alpha=alpha),
        *metric_rules(gate, trial, alpha=alpha),
        *rival_rules(trial, alpha=alpha),
        *calibration_rules(gate, trial, alpha=alpha),
        slice_rule(trial),
        leak_rule(trial),
    ]
    states = {rule.state for rule in rules}
    if any(rule.state == "unsure" for rule in enough):
        verdict: Outcome = NOT_ENOUGH_EVIDENCE
    elif "fail" in states:
        verdict = REJECT
    else:
        verdict = NOT_ENOUGH_EVIDENCE if "unsure" in states else PROMOTE
    return Verdict(verdict, (*enough, *rules), looks, alpha, notes, trial.champion)


def _evidence_rules(outcomes: Mapping[str, tuple[int, int]]) -> Iterator[Rule]:
    for part, (converted, not_converted) in outcomes.items():
        for name, leads in (("converted", converted), ("not_converted", not_converted)):
            yield count_rule(f"{name}_in_{part}", leads)
