"""Full-price courses after the first order, what is learned in them, and who renews."""

import numpy as np
import pandas as pd

from leadlight.sample.asked import ORDER_KNOWN, Story, known, much, outcomes, truth
from leadlight.sample.funnel import ACTION, CLEAR, END, Floats, Funnel, Ints, chance, repeat, sigmoid, with_arrival
from leadlight.schema import DAY

COURSE_ASKED = 14 * DAY  # after creation, of those who have ordered: a full course within ...
COURSE_HORIZON = 60 * DAY
TERM = 60 * DAY
RENEWAL_ASKED = 45 * DAY  # after a term began: will it be renewed within ...
RENEWAL_HORIZON = 60 * DAY
MONTH = 30 * DAY
FULL_COURSE, RENEWAL = "正课", "续费"
WORTH_OF_SUBJECT = {"英语": 0.0, "数学": 0.2, "编程": -0.2, "考研": 0.5}


def full_courses(funnel: Funnel, rng: np.random.Generator) -> tuple[Story, Ints]:
    """Who takes a full course, and when (``END``: never). Nobody does before a first order.

    The truth is that of the leads whose order is known when they are asked about; later buyers take one by chance.
    """
    count, first = len(funnel.people), funnel.first_order
    asked_at = funnel.people["created"].to_numpy() + COURSE_ASKED
    customer = first + ORDER_KNOWN <= asked_at
    probability = sigmoid(_course_log_odds(funnel, asked_at))
    later = (first < END) & ~customer & chance(0.3, count, rng)
    moments = [
        asked_at + (rng.beta(1, 2, count) * COURSE_HORIZON).astype(np.int64),
        first + rng.integers(10 * DAY, 70 * DAY, count),
    ]
    signed = np.minimum(np.select([customer & chance(probability, count, rng), later], moments, END), END)
    who = np.flatnonzero(signed < END)
    asked = np.flatnonzero(customer)
    story = Story(
        funnel.behaviour.iloc[:0],
        outcomes(FULL_COURSE, who, signed[who], rng),
        truth("full_course", asked, asked_at[asked], probability[asked]),
    )
    return story, signed


def renewals(funnel: Funnel, signed: Ints, rng: np.random.Generator) -> Story:
    """Term after term: the lessons of those who took a course, and the contracts of those who go on."""
    diligence = 0.4 * funnel.people["intent"].to_numpy() + rng.normal(0, 1, len(signed))
    nobody, never = np.array([], np.int64), np.array([], np.int64)
    behaviour, begins = [funnel.behaviour, funnel.behaviour.iloc[:0]], signed
    renewed, asked = [outcomes(RENEWAL, nobody, never, rng)], [truth("renewal", nobody, never, np.array([]))]
    while (begins < END).any():
        lessons = _lessons(begins, diligence, rng)
        behaviour.append(lessons)
        asked_at = np.minimum(begins + RENEWAL_ASKED, END)
        probability = sigmoid(_renewal_log_odds(pd.concat(behaviour, ignore_index=True), asked_at))
        goes_on = (asked_at < END) & chance(probability, len(begins), rng)
        learning = np.flatnonzero(asked_at < END)
        asked.append(truth("renewal", learning, asked_at[learning], probability[learning]))
        moment = asked_at + (rng.beta(2, 2, len(begins)) * 2 * (TERM - RENEWAL_ASKED)).astype(np.int64)
        begins = np.minimum(np.where(goes_on, moment, END), END)
        who = np.flatnonzero(begins < END)
        renewed.append(outcomes(RENEWAL, who, begins[who], rng))
    return Story(*(pd.concat(parts, ignore_index=True) for parts in (behaviour[1:], renewed, asked)))


def _course_log_odds(funnel: Funnel, asked_at: Ints) -> Floats:
    number = known(funnel.behaviour, asked_at, within=MONTH)
    return np.asarray(
        -3.4
        + 0.7 * much(number, "watch_lesson")
        + 0.6 * much(number, "enter_live")
        + 0.6 * much(number, "view_price", "add_cart")
        + 0.4 * much(number, "attend_trial")
        - 0.4 * much(number, "miss_call")
        + 0.4 * (funnel.contact[CLEAR].to_numpy() < asked_at)
        + funnel.people["subject"].map(WORTH_OF_SUBJECT).to_numpy()
    )


def _lessons(begins: Ints, diligence: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """The lessons of a term, by how diligent a learner is; nobody learns before the course begins."""
    rates = np.column_stack([12 * np.exp(0.5 * diligence), 6 * np.exp(0.6 * diligence)])
    lead, column = repeat(rng.poisson(rates * (begins < END)[:, None]))
    action = np.array([ACTION["watch_lesson"], ACTION["enter_live"]])[column]
    return with_arrival(lead, action, begins[lead] + rng.integers(0, TERM // 10**6, len(lead)) * 10**6, rng)


def _renewal_log_odds(behaviour: pd.DataFrame, asked_at: Ints) -> Floats:
    number = known(behaviour, asked_at, within=MONTH)
    return np.asarray(-3.4 + 1.0 * much(number, "watch_lesson") + 0.9 * much(number, "enter_live"))
