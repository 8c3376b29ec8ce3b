"""What the later stories of the made funnel share: what was known when a question was asked, and its truth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadlight.sample.funnel import ACTION, ACTIONS, END, Floats, Ints, chance
from leadlight.schema import DAY, HOUR, SECOND

ORDER_KNOWN = 2 * DAY
"""After this long every payment is booked."""


@dataclass(frozen=True)
class Story:
    """What one question adds: behaviour (as the funnel's), dated outcomes of leads, and the truth that drew them.

    ``outcomes`` has ``lead``, ``what``, ``at``, ``arrived``; ``truth`` has ``question``, ``lead``, ``asked_at``,
    ``probability``: of that outcome within the question's horizon, from nothing but what had arrived when it was asked.
    """

    behaviour: pd.DataFrame
    outcomes: pd.DataFrame
    truth: pd.DataFrame


def known(behaviour: pd.DataFrame, asked_at: Ints, *, within: int) -> Floats:
    """How often each lead is known to have done each action in the time ``within`` before it was asked about."""
    moment = asked_at[behaviour["lead"]]
    counts = (behaviour["at"] < moment) & (behaviour["at"] >= moment - within) & (behaviour["arrived"] <= moment)
    number = np.zeros((len(asked_at), len(ACTIONS)))
    np.add.at(number, (behaviour["lead"][counts], behaviour["action"][counts]), 1)
    return number


def much(number: Floats, *actions: str) -> Floats:
    """The logarithm of how often these actions were done together."""
    return np.asarray(np.log1p(number[:, [ACTION[name] for name in actions]].sum(axis=1)))


def outcomes(what: str, lead: Ints, at: Ints, rng: np.random.Generator) -> pd.DataFrame:
    """Outcomes that happen at ``at``, to the second; a few are booked up to two days late."""
    at = at // SECOND * SECOND
    late = rng.integers(HOUR, 2 * DAY, len(lead)) // SECOND * SECOND
    arrived = at + np.where(chance(0.03, len(lead), rng), late, 30 * SECOND)
    return pd.DataFrame({"lead": lead, "what": what, "at": at, "arrived": arrived})


def truth(question: str, lead: Ints, asked_at: Ints, probability: Floats) -> pd.DataFrame:
    """The truth of one question about some leads, of which those that are asked about after the export are left out."""
    rows = pd.DataFrame({"question": question, "lead": lead, "asked_at": asked_at, "probability": probability})
    return rows[rows["asked_at"] < END]
