"""Leads that bought nothing and went quiet: the messages they still open, and who comes back."""

import numpy as np
import pandas as pd

from leadlight.sample.asked import Story, known, much, truth
from leadlight.sample.funnel import (
    ACTION,
    CLEAR,
    END,
    Flags,
    Floats,
    Funnel,
    Ints,
    chance,
    repeat,
    sigmoid,
    with_arrival,
)
from leadlight.schema import DAY, HOUR, SECOND

QUIET = 90 * DAY
HIGH_INTENT = ("add_cart", "view_price", "book_trial", "attend_trial")
ASKED = (105 * DAY, 135 * DAY)  # after creation, of those that were quiet: high intent again within ...
HORIZON = 30 * DAY
SILENT_FROM = 60 * DAY
STILL = ("open_sms", "open_push", "view_course", "search")  # what quiet leads still do ...
STILL_A_MONTH = np.array([0.25, 0.25, 0.12, 0.04])  # ... in thirty days


def silence(funnel: Funnel, rng: np.random.Generator) -> Story:
    """Signs of life of the leads without an order, and the high intent of those that come back."""
    created = funnel.people["created"].to_numpy()
    signs = _signs_of_life(funnel, created, rng)
    added, asked = [signs], []
    for after in ASKED:
        behaviour = pd.concat([funnel.behaviour, *added], ignore_index=True)
        asked_at = np.minimum(created + after, END)
        lead = np.flatnonzero(_is_quiet(funnel, behaviour, asked_at))
        probability = sigmoid(_log_odds(funnel, behaviour, asked_at))[lead]
        asked.append(truth("recall", lead, asked_at[lead], probability))
        back = lead[chance(probability, len(lead), rng)]
        added.append(_return(back, asked_at[back] + (rng.beta(1, 2, len(back)) * HORIZON).astype(np.int64), rng))
    nothing = pd.DataFrame({"lead": [], "what": [], "at": [], "arrived": []})
    return Story(pd.concat(added, ignore_index=True), nothing, pd.concat(asked))


def _signs_of_life(funnel: Funnel, created: Ints, rng: np.random.Generator) -> pd.DataFrame:
    """From two months on, some open messages and look at courses now and then."""
    interest = np.exp(0.5 * funnel.people["intent"].to_numpy() + rng.normal(0, 0.8, len(created)))
    months = 5
    number = rng.poisson(np.outer(interest * months * (funnel.first_order >= END), STILL_A_MONTH))
    lead, column = repeat(number)
    at = created[lead] + SILENT_FROM + rng.integers(0, months * 30 * DAY // SECOND, len(lead)) * SECOND
    return with_arrival(lead, np.array([ACTION[name] for name in STILL])[column], at, rng)


def _is_quiet(funnel: Funnel, behaviour: pd.DataFrame, asked_at: Ints) -> Flags:
    number = known(behaviour, asked_at, within=QUIET)
    return np.asarray((asked_at < END) & (funnel.first_order >= asked_at) & (much(number, *HIGH_INTENT) == 0))


def _log_odds(funnel: Funnel, behaviour: pd.DataFrame, asked_at: Ints) -> Floats:
    lately, ever = known(behaviour, asked_at, within=30 * DAY), known(behaviour, asked_at, within=END)
    return np.asarray(
        -3.9
        + 1.3 * much(lately, "open_sms", "open_push")
        + 1.5 * much(lately, "view_course", "search")
        + 0.7 * much(ever, *HIGH_INTENT)
        + 0.5 * (funnel.contact[CLEAR].to_numpy() < asked_at)
        + 0.4 * funnel.people["quality"].to_numpy()
    )


def _return(lead: Ints, at: Ints, rng: np.random.Generator) -> pd.DataFrame:
    """A price page, in the days after it perhaps a cart, and a trial class that is booked and attended."""
    at = at // SECOND * SECOND
    parts = [(lead, "view_price", at)]
    for share, action, until in ((0.3, "add_cart", 2 * DAY), (0.5, "book_trial", 4 * DAY), (0.8, "view_course", DAY)):
        does = chance(share, len(lead), rng)
        parts.append((lead[does], action, at[does] + rng.integers(1, until // SECOND, does.sum()) * SECOND))
    booked, _, when = parts[2]
    attends = chance(0.6, len(booked), rng)
    trial = when[attends] + rng.integers(12 * HOUR // SECOND, 48 * HOUR // SECOND, attends.sum()) * SECOND
    parts.append((booked[attends], "attend_trial", trial))
    leads, moments = (np.concatenate([part[column] for part in parts]) for column in (0, 2))
    actions = np.concatenate([np.full(len(who), ACTION[action]) for who, action, _ in parts])
    return with_arrival(leads, actions, moments, rng)
