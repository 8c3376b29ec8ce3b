"""Friends that leads bring along."""

import numpy as np

from leadlight.sample.asked import ORDER_KNOWN, Story, known, much, outcomes, truth
from leadlight.sample.funnel import CHANNELS, END, Funnel, chance, sigmoid
from leadlight.schema import DAY

ASKED = 14 * DAY  # after creation: will a friend sign up within ...
HORIZON = 30 * DAY
REFERRED = [channel.name for channel in CHANNELS].index("转介绍")
FRIEND = "好友注册"


def friends(funnel: Funnel, rng: np.random.Generator) -> Story:
    """Who brings a friend: those who invite some, customers, and leads that came through a friend themselves."""
    people, count = funnel.people, len(funnel.people)
    created = people["created"].to_numpy()
    asked_at = created + ASKED
    number = known(funnel.behaviour, asked_at, within=ASKED)
    probability = sigmoid(
        -3.9
        + 2.4 * much(number, "invite_friend")
        + 1.2 * (funnel.first_order + ORDER_KNOWN <= asked_at)
        + 0.9 * (people["channel"].to_numpy() == REFERRED)
        + 0.35 * much(number, "watch_lesson", "enter_live")
    )
    moments = np.stack(
        [
            created + rng.integers(DAY, ASKED, count),
            asked_at + (rng.beta(1, 1.5, count) * HORIZON).astype(np.int64),
            asked_at + HORIZON + rng.integers(0, 90 * DAY, count),
        ]
    )
    brings = np.stack([chance(share * probability, count, rng) for share in (0.1, 1.0, 0.3)])
    when, lead = np.nonzero(brings & (moments < END))
    everybody = np.arange(count)
    return Story(
        funnel.behaviour.iloc[:0],
        outcomes(FRIEND, lead, moments[when, lead], rng),
        truth("referral", everybody, asked_at, probability),
    )
