"""The gate: what a candidate must prove on later rows before it may go live, and the verdict with all its numbers.

``verdict``      the rules together and what follows: read this first
``trial``        what a verdict rests on
``rule``         one rule, and its three answers
``proportions``  precision, recall and accuracy, with exact bounds
``comparisons``  other thresholds, and rivals on the same rows
``floors``       calibration, the worst big slice, leaks
``spending``     what each further candidate on the same test window may spend of the 5 %
``needed``       how much more evidence would settle an open rule
``certify``      the signature under the verdict

A threshold rule passes if the lower confidence bound reaches the threshold, fails if even the upper bound does not,
and is unsure between: this test cannot tell. A comparison passes if the model is at most a small margin worse than its
rival, with confidence, fails if it is worse than that with confidence, and is unsure between. The bounds that let a
model pass tighten with each candidate judged on the same test window; those that fail it do not.
"""

from training.gate.certify import Provenance, Signer, certify
from training.gate.proportions import clopper_pearson, design_effect, proportion_rule
from training.gate.rule import ALPHA, FEWEST, Rule, State
from training.gate.spending import alpha_of
from training.gate.trial import Rival, Trial
from training.gate.verdict import NOT_ENOUGH_EVIDENCE, PROMOTE, REJECT, Outcome, Verdict, judge

__all__ = [
    "ALPHA",
    "FEWEST",
    "NOT_ENOUGH_EVIDENCE",
    "PROMOTE",
    "REJECT",
    "Outcome",
    "Provenance",
    "Rival",
    "Rule",
    "Signer",
    "State",
    "Trial",
    "Verdict",
    "alpha_of",
    "certify",
    "clopper_pearson",
    "design_effect",
    "judge",
    "proportion_rule",
]
