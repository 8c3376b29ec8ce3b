"""A made funnel of online education: who comes, what they do, and how likely each truly is to order."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlight.schema import DAY, HOUR, MINUTE, SECOND

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

START = int(np.datetime64("2025-01-01", "us").astype(np.int64))  # local time of the school, as are all moments here
DAYS = 300
END = START + DAYS * DAY  # the moment of the export; as the moment of a fact it means "never in these files"
OBSERVED = 7 * DAY  # the truth is asked this long after creation ...
HORIZON = 30 * DAY  # ... about a first order within this time


@dataclass(frozen=True)
class Channel:
    """Where leads come from; `quality` shifts both what they do and how readily they order."""

    name: str
    share: float
    quality: float


@dataclass(frozen=True)
class Campaign:
    """Days on which one channel brings `factor` times its usual leads, less keen ones."""

    channel: str
    first_day: int
    days: int
    factor: float


@dataclass(frozen=True)
class Action:
    """A behaviour: usual number in the observed days, growth with intent, and worth in log-odds per log1p(number)."""

    name: str
    rate: float
    pull: float
    worth: float


CHANNELS = (
    Channel("信息流", 0.30, -0.45),
    Channel("搜索推广", 0.16, 0.10),
    Channel("自然搜索", 0.09, 0.20),
    Channel("APP", 0.08, 0.15),
    Channel("私域", 0.10, 0.45),
    Channel("新媒体", 0.09, -0.20),
    Channel("直播", 0.07, 0.05),
    Channel("线下活动", 0.04, -0.05),
    Channel("短信", 0.03, -0.60),
    Channel("转介绍", 0.04, 0.95),
)
CAMPAIGNS = (
    Campaign("信息流", 16, 9, 3.0),
    Campaign("直播", 76, 4, 6.0),
    Campaign("信息流", 158, 12, 3.5),
    Campaign("搜索推广", 235, 10, 2.5),
)
CAMPAIGN_QUALITY = -0.35
ACTIONS = (
    Action("view_course", 2.2, 0.45, 0.30),
    Action("search", 0.9, 0.25, 0.05),
    Action("watch_lesson", 1.1, 0.50, 0.25),
    Action("enter_live", 0.6, 0.50, 0.35),
    Action("add_cart", 0.16, 0.75, 0.65),
    Action("view_price", 0.45, 0.65, 0.55),
    Action("book_trial", 0.25, 0.65, 0.25),
    Action("attend_trial", 0.0, 0.0, 1.05),  # follows from a booking
    Action("invite_friend", 0.05, 0.50, 0.45),
    Action("follow_account", 0.22, 0.25, 0.20),
    Action("open_sms", 0.35, 0.15, 0.10),
    Action("open_push", 0.45, 0.20, 0.05),
    Action("miss_call", 0.7, -0.35, -0.45),
)
ACTION = {action.name: code for code, action in enumerate(ACTIONS)}
PENDING, IN_CONTACT, UNCLEAR, CLEAR = "待跟进", "联系中", "意向不明", "意向明确"
STAGES = {"小学": 0.15, "初中": 0.30, "高中": 0.10, "大学": -0.35, "在职": 0.0}
TAGS = {"预约试听": 0.45, "领取资料": -0.10, "能力测评": 0.15, "抽奖活动": -0.60}
SUBJECTS = ("英语", "数学", "编程", "考研")
CITIES = ("北京", "上海", "广州", "深圳", "成都", "杭州", "武汉", "西安")
PHONE_PREFIXES = ("135", "138", "139", "150", "151", "158", "176", "186", "189")
WEEK = (1.0, 1.0, 1.0, 1.3, 1.3, 1.0, 1.0)  # the first day is a Wednesday
HOURS = np.array([1, 1, 0, 0, 0, 1, 2, 3, 4, 5, 5, 5, 6, 5, 4, 4, 5, 6, 8, 11, 12, 10, 6, 3]) / 107
FADING = 0.72 ** np.arange(OBSERVED // DAY)  # interest from day to day
FADING /= FADING.sum()


@dataclass(frozen=True)
class Funnel:
    """Everything that happened, by row number of `people`; a first order at `END` is none.

    `probability` is that of a first order within `HORIZON` after creation + `OBSERVED`, given what had arrived by then.
    """

    people: pd.DataFrame
    behaviour: pd.DataFrame
    contact: pd.DataFrame
    probability: Floats
    first_order: Ints


def make_funnel(leads: int, rng: np.random.Generator) -> Funnel:
    """Draw the funnel: behaviour and sales contact first, the truth from them, and orders from the truth."""
    people = _people(leads, rng)
    observed = _behaviour(people, rng)
    contact = _contact(people, rng)
    probability = sigmoid(_log_odds(people, observed, contact))
    first_order = _first_orders(people, probability, rng)
    behaviour = pd.concat([observed, _later_behaviour(people, first_order, rng)], ignore_index=True)
    return Funnel(people, behaviour, contact, probability, first_order)


def chance(share: float | Floats, count: int, rng: np.random.Generator) -> Flags:
    """`count` independent flags, each true with its `share`."""
    return np.asarray(rng.random(count) < share)


def sigmoid(log_odds: Floats) -> Floats:
    """The probability of log-odds."""
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def with_arrival(lead: Ints, action: Ints, at: Ints, rng: np.random.Generator) -> pd.DataFrame:
    """Most facts arrive within seconds; one in twenty comes hours or days late."""
    delay = np.minimum(rng.exponential(20 * HOUR, len(at)), 4 * DAY).astype(np.int64) // SECOND * SECOND
    late = chance(0.05, len(at), rng)
    return pd.DataFrame({"lead": lead, "action": action, "at": at, "arrived": at + np.where(late, delay, 5 * SECOND)})


def repeat(number: Ints) -> tuple[Ints, Ints]:
    """Row and column of every unit counted in a matrix."""
    cell = np.repeat(np.arange(number.size), number.ravel())
    row, column = np.divmod(cell, number.shape[1])
    return row, column


def _people(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Leads in order of creation, with what is known of them (`stage`, `city`: from `profiled` on) and their intent."""
    day, channel, in_campaign = _arrivals(count, rng)
    quality = np.array([one.quality for one in CHANNELS])[channel] + CAMPAIGN_QUALITY * in_campaign
    created = START + day * DAY + _time_of_day(count, rng)
    told = rng.choice(["at once", "later", "never"], count, p=[0.6, 0.2, 0.2])
    later = created + rng.integers(HOUR // SECOND, 12 * DAY // SECOND, count) * SECOND
    people = pd.DataFrame(
        {
            "created": created,
            "channel": channel,
            "quality": quality,
            "intent": quality + rng.normal(0, 1, count),
            "tag": rng.choice(list(TAGS), count, p=[0.2, 0.45, 0.2, 0.15]),
            "subject": rng.choice(SUBJECTS, count, p=[0.35, 0.25, 0.25, 0.15]),
            "stage": rng.choice(list(STAGES), count),
            "city": rng.choice(CITIES, count),
            "profiled": np.select([told == "at once", told == "later"], [created, later], END),
            "phone": _phones(count, rng),
        }
    ).sort_values("created", kind="stable", ignore_index=True)
    people["lead_id"] = [f"L{number:06d}" for number in range(1, count + 1)]
    return _with_second_appearances(people, rng)


def _arrivals(count: int, rng: np.random.Generator) -> tuple[Ints, Ints, Flags]:
    """Day and channel of each lead, and whether a campaign brought it."""
    usual = np.outer(np.resize(WEEK, DAYS), [channel.share for channel in CHANNELS])
    factor = np.ones_like(usual)
    names = [channel.name for channel in CHANNELS]
    for campaign in CAMPAIGNS:
        days = slice(campaign.first_day, campaign.first_day + campaign.days)
        factor[days, names.index(campaign.channel)] = campaign.factor
    weights = usual * factor
    cell = rng.choice(weights.size, count, p=(weights / weights.sum()).ravel())
    day, channel = np.divmod(cell, len(CHANNELS))
    return day, channel, factor[day, channel] > 1


def _with_second_appearances(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One lead in thirty is a person who had come before: the phone, stage and city of an earlier lead."""
    source = np.arange(len(people))
    again = np.flatnonzero(chance(1 / 30, len(people), rng))[1:]  # [1:]: the first drawn may have nobody before it
    source[again] = rng.integers(0, again)
    return people.assign(**{name: people[name].to_numpy()[source] for name in ("phone", "stage", "city")})


def _behaviour(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """What leads do in the days before they are observed; a trial class is attended a day or two after its booking."""
    rate = np.array([action.rate for action in ACTIONS])
    pull = np.array([action.pull for action in ACTIONS])
    mood = rng.normal(0, 0.35, (len(people), 1))  # some do more of everything, whatever they intend
    lead, action = repeat(rng.poisson(rate * np.exp(np.outer(people["intent"], pull) + mood)))
    created = people["created"].to_numpy()[lead]
    day = created // DAY + rng.choice(len(FADING), len(lead), p=FADING)
    soon = created + rng.integers(1, HOUR // SECOND, len(lead)) * SECOND
    at = np.maximum(day * DAY + _time_of_day(len(lead), rng), soon)
    attends = (action == ACTION["book_trial"]) & chance(0.6, len(lead), rng)
    trial = at[attends] + rng.integers(DAY // 2 // SECOND, 2 * DAY // SECOND, attends.sum()) * SECOND
    return with_arrival(
        np.concatenate([lead, lead[attends]]),
        np.concatenate([action, np.full(len(trial), ACTION["attend_trial"])]),
        np.concatenate([at, trial]),
        rng,
    )


def _later_behaviour(people: pd.DataFrame, first_order: Ints, rng: np.random.Generator) -> pd.DataFrame:
    """What leads do afterwards: buyers far more, so a total over the whole log gives the outcome away."""
    busy = np.where(first_order < END, 1.2, 0.3)
    lead, action = repeat(rng.poisson(np.outer(busy, [action.rate for action in ACTIONS])))
    later = rng.exponential(15 * DAY, len(lead)).astype(np.int64) // SECOND * SECOND
    return with_arrival(lead, action, people["created"].to_numpy()[lead] + OBSERVED + later, rng)


def _contact(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """When sales entered each of the first four statuses."""
    count = len(people)
    pending = people["created"].to_numpy() + rng.integers(0, 10 * MINUTE, count)
    reached = pending + rng.exponential(20 * HOUR, count).astype(np.int64)
    asked = reached + rng.exponential(30 * HOUR, count).astype(np.int64)
    cleared = asked + rng.exponential(24 * HOUR, count).astype(np.int64)
    answered = chance(0.85, count, rng)
    unclear = answered & chance(0.55, count, rng)
    clear = answered & chance(sigmoid(0.8 * people["intent"].to_numpy() - 1.2), count, rng)
    moments = {
        PENDING: pending,
        IN_CONTACT: np.where(answered, reached, END),
        UNCLEAR: np.where(unclear, asked, END),
        CLEAR: np.where(clear, cleared, END),
    }
    return pd.DataFrame(moments) // SECOND * SECOND


def _log_odds(people: pd.DataFrame, behaviour: pd.DataFrame, contact: pd.DataFrame) -> Floats:
    """The truth: log-odds of a first order, from nothing but what had arrived when the lead was observed."""
    as_of = people["created"].to_numpy() + OBSERVED
    moment = as_of[behaviour["lead"]]
    known = behaviour[(behaviour["at"] < moment) & (behaviour["arrived"] <= moment)]
    number = np.zeros((len(people), len(ACTIONS)))
    np.add.at(number, (known["lead"], known["action"]), 1)
    last = np.full(len(people), START)
    np.maximum.at(last, known["lead"], known["at"])
    profiled = people["profiled"].to_numpy() < as_of
    convinced = (number[:, ACTION["view_price"]] > 0) & (number[:, ACTION["attend_trial"]] > 0)
    return np.asarray(
        -4.35
        + 0.8 * people["quality"].to_numpy()
        + people["tag"].map(TAGS).to_numpy()
        + profiled * people["stage"].map(STAGES).to_numpy()
        + np.log1p(number) @ np.array([action.worth for action in ACTIONS])
        + 1.3 * np.exp(-(as_of - last) / (2 * DAY))
        + 0.5 * convinced
        + 0.7 * (contact[CLEAR].to_numpy() < as_of)
        - 0.3 * (contact[IN_CONTACT].to_numpy() >= as_of)
    )


def _first_orders(people: pd.DataFrame, probability: Floats, rng: np.random.Generator) -> Ints:
    """When each lead first orders: a few before they are observed, the rest by their truth, some after the horizon."""
    count = len(people)
    created = people["created"].to_numpy()
    as_of = created + OBSERVED
    at_once = chance(0.12 * probability, count, rng)
    in_time = chance(probability, count, rng)
    too_late = chance(0.2 * probability, count, rng)
    moments = [
        created + rng.integers(HOUR, OBSERVED, count),
        as_of + (rng.beta(1, 2.5, count) * HORIZON).astype(np.int64),
        as_of + HORIZON + rng.integers(0, 90 * DAY, count),
    ]
    first = np.select([at_once, in_time, too_late], moments, END)
    return np.asarray(np.minimum(first // SECOND * SECOND, END))


def _time_of_day(count: int, rng: np.random.Generator) -> Ints:
    return np.asarray(rng.choice(24, count, p=HOURS) * HOUR + rng.integers(0, HOUR // SECOND, count) * SECOND)


def _phones(count: int, rng: np.random.Generator) -> list[str]:
    """Numbers that look real and were not asked of anybody; no two are equal."""
    prefix = rng.choice(PHONE_PREFIXES, count)
    return [f"{start}{rest:08d}" for start, rest in zip(prefix, rng.choice(10**8, count, replace=False), strict=True)]
