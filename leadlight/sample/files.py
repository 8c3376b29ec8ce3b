"""The made funnel as raw files that a CRM, an app and a payment system would export."""

from pathlib import Path

import numpy as np
import pandas as pd

from leadlight.sample.asked import Story
from leadlight.sample.courses import FULL_COURSE, RENEWAL, full_courses, renewals
from leadlight.sample.friends import FRIEND, friends
from leadlight.sample.funnel import (
    ACTIONS,
    CHANNELS,
    END,
    OBSERVED,
    START,
    SUBJECTS,
    Funnel,
    Texts,
    chance,
    make_funnel,
)
from leadlight.sample.silence import silence
from leadlight.schema import DAY, HOUR, SECOND

COURSES = {
    "英语": ("英语口语", "英语语法", "英语阅读"),
    "数学": ("数学思维", "数学同步", "数学竞赛"),
    "编程": ("Python 入门", "Scratch 创作", "信息学竞赛"),
    "考研": ("考研英语", "考研数学", "考研政治"),
}
ABOUT_A_COURSE = ("view_course", "watch_lesson", "enter_live", "add_cart")
SCHEDULED, WON = "预约付款", "成交"


def draw(folder: Path, *, leads: int, seed: int) -> None:
    """Write the files of the CRM, the app and the payment system, and the truths that no school has.

    leads.csv, behaviour.parquet, followups.csv, orders.csv, contracts.csv, friends.csv; moments are local (+08:00).
    truth.parquet (lead_id, probability) is that of a first order, for the leads that had not ordered when they were
    observed; truth_later.parquet (question, lead_id, asked_at, probability) that of what comes after. Each later story
    has a generator of its own, so that one more changes nothing of the others.
    """
    rng = np.random.default_rng(seed)
    funnel = make_funnel(leads, rng)
    later = _later_stories(funnel, seed)
    folder.mkdir(parents=True, exist_ok=True)
    _lead_rows(funnel).to_csv(folder / "leads.csv", index=False)
    rows = _behaviour_rows(funnel, funnel.behaviour, "B", rng)
    more = pd.concat([story.behaviour for story in later], ignore_index=True)
    rows = pd.concat([rows, _behaviour_rows(funnel, more, "R", np.random.default_rng([seed, len(later)]))])
    rows.sort_values("received_at", kind="stable").to_parquet(folder / "behaviour.parquet", index=False)
    _follow_up_rows(funnel, rng).to_csv(folder / "followups.csv", index=False)
    _order_rows(funnel, rng).to_csv(folder / "orders.csv", index=False)
    _contract_rows(funnel, later).to_csv(folder / "contracts.csv", index=False)
    _friend_rows(funnel, later).to_csv(folder / "friends.csv", index=False)
    _truth_rows(funnel).to_parquet(folder / "truth.parquet", index=False)
    _later_truth_rows(funnel, later).to_parquet(folder / "truth_later.parquet", index=False)


def _later_stories(funnel: Funnel, seed: int) -> tuple[Story, ...]:
    own = [np.random.default_rng([seed, number]) for number in range(4)]
    courses, signed = full_courses(funnel, own[0])
    return courses, renewals(funnel, signed, own[1]), friends(funnel, own[2]), silence(funnel, own[3])


def _lead_rows(funnel: Funnel) -> pd.DataFrame:
    """One row per version of a lead: the second one when stage and city became known."""
    people = funnel.people
    at_once = people["profiled"] == people["created"]
    first = pd.DataFrame(
        {
            "lead_id": people["lead_id"],
            "created_at": _moment(people["created"]),
            "updated_at": _moment(people["created"]),
            "channel": np.array([channel.name for channel in CHANNELS])[people["channel"]],
            "phone": people["phone"],
            "tag": people["tag"],
            "subject": people["subject"],
            "stage": people["stage"].where(at_once),
            "city": people["city"].where(at_once),
        }
    )
    second = first.assign(updated_at=_moment(people["profiled"]), stage=people["stage"], city=people["city"])
    rows = pd.concat([first, second[~at_once & (people["profiled"] < END)]])
    return rows.sort_values(["updated_at", "lead_id"])


def _behaviour_rows(funnel: Funnel, behaviour: pd.DataFrame, letter: str, rng: np.random.Generator) -> pd.DataFrame:
    """What of ``behaviour`` the app logged, in order of arrival; one row in a hundred was delivered twice."""
    facts = behaviour[behaviour["arrived"] < END].sort_values("arrived", kind="stable")
    count = len(facts)
    action = np.array([action.name for action in ACTIONS])[facts["action"]]
    course = pd.Series(_courses(funnel.people["subject"].to_numpy()[facts["lead"]], rng))
    minutes = pd.Series(rng.gamma(2.0, 9.0, count).round(1))
    rows = pd.DataFrame(
        {
            "event_id": [f"{letter}{number:07d}" for number in range(1, count + 1)],
            "lead_id": funnel.people["lead_id"].to_numpy()[facts["lead"]],
            "action": action,
            "happened_at": _moment(facts["at"]).to_numpy(),
            "received_at": _moment(facts["arrived"]).to_numpy(),
            "course": course.where(np.isin(action, ABOUT_A_COURSE)),
            "minutes": minutes.where(action == "watch_lesson"),
        }
    )
    twice = np.flatnonzero(chance(0.01, count, rng))
    return rows.iloc[np.sort(np.concatenate([np.arange(count), twice]))]


def _courses(subject: Texts, rng: np.random.Generator) -> Texts:
    """A course of the lead's own subject three times in four, else of any."""
    shelf = np.array([COURSES[name] for name in SUBJECTS], dtype=object)
    own = np.array([SUBJECTS.index(name) for name in subject])
    row = np.where(chance(0.75, len(own), rng), own, rng.integers(0, shelf.shape[0], len(own)))
    return shelf[row, rng.integers(0, shelf.shape[1], len(own))]


def _follow_up_rows(funnel: Funnel, rng: np.random.Generator) -> pd.DataFrame:
    """The statuses sales entered, in order; a payment is scheduled and won only on the way to an order."""
    created, order = funnel.people["created"].to_numpy(), funnel.first_order
    moments = funnel.contact.where(funnel.contact.lt(order, axis=0), END)
    # No sign of the order to come may show when the lead is observed, or the truth would not be the truth.
    as_of = created + OBSERVED
    begun = np.maximum(np.where(order >= as_of, as_of, created), moments.where(moments < END, START).max(axis=1))
    moments[SCHEDULED] = begun + (rng.random(len(order)) * (order - begun)).astype(np.int64)
    moments[WON] = order + rng.integers(0, DAY, len(order))
    moments = moments.where((order < END)[:, None] | ~moments.columns.isin([SCHEDULED, WON]), END) // SECOND * SECOND
    rows = moments.assign(lead_id=funnel.people["lead_id"]).melt("lead_id", var_name="status", value_name="changed_at")
    rows = rows[rows["changed_at"] < END].sort_values(["changed_at", "lead_id"], kind="stable")
    return rows.assign(changed_at=_moment(rows["changed_at"]))


def _order_rows(funnel: Funnel, rng: np.random.Generator) -> pd.DataFrame:
    """Trial packages, a second one weeks later for one buyer in six; a few payments are booked a day late."""
    buyer = np.flatnonzero(funnel.first_order < END)
    again = buyer[chance(1 / 6, len(buyer), rng)]
    lead = np.concatenate([buyer, again])
    paid = funnel.first_order[lead]
    paid[len(buyer) :] += rng.integers(20 * DAY, 90 * DAY, len(again)) // SECOND * SECOND
    late = rng.integers(HOUR, 2 * DAY, len(lead)) // SECOND * SECOND
    booked = paid + np.where(chance(0.03, len(lead), rng), late, 30 * SECOND)
    first = np.arange(len(lead)) < len(buyer)
    rows = pd.DataFrame(
        {
            "lead_id": funnel.people["lead_id"].to_numpy()[lead],
            "product": np.where(first, "体验课", "进阶体验课"),
            "paid_yuan": np.where(first, rng.choice([9.9, 49.0, 199.0], len(lead)), 299.0),
            "paid_at": paid,
            "booked_at": booked,
        }
    )
    rows = rows[rows["booked_at"] < END].sort_values(["booked_at", "lead_id"], kind="stable")
    rows.insert(0, "order_id", [f"O{number:06d}" for number in range(1, len(rows) + 1)])
    return rows.assign(paid_at=_moment(rows["paid_at"]), booked_at=_moment(rows["booked_at"]))


def _contract_rows(funnel: Funnel, later: tuple[Story, ...]) -> pd.DataFrame:
    """Full courses and their renewals; a lead pays one price throughout."""
    facts = _outcomes(later, (FULL_COURSE, RENEWAL))
    return pd.DataFrame(
        {
            "contract_id": [f"C{number:06d}" for number in range(1, len(facts) + 1)],
            "lead_id": funnel.people["lead_id"].to_numpy()[facts["lead"]],
            "product": facts["what"].to_numpy(),
            "paid_yuan": np.array([1999.0, 3999.0, 5999.0])[facts["lead"] % 3],
            "signed_at": _moment(facts["at"]).to_numpy(),
            "booked_at": _moment(facts["arrived"]).to_numpy(),
        }
    )


def _friend_rows(funnel: Funnel, later: tuple[Story, ...]) -> pd.DataFrame:
    """Friends who signed up and named the lead that sent them."""
    facts = _outcomes(later, (FRIEND,))
    return pd.DataFrame(
        {
            "referral_id": [f"F{number:06d}" for number in range(1, len(facts) + 1)],
            "lead_id": funnel.people["lead_id"].to_numpy()[facts["lead"]],
            "joined_at": _moment(facts["at"]).to_numpy(),
            "recorded_at": _moment(facts["arrived"]).to_numpy(),
        }
    )


def _outcomes(later: tuple[Story, ...], what: tuple[str, ...]) -> pd.DataFrame:
    """Those of the stories' outcomes that were known at the export, in the order in which they were."""
    rows = pd.concat([story.outcomes for story in later], ignore_index=True)
    rows = rows[rows["what"].isin(what) & (rows["arrived"] < END)]
    return rows.astype({"lead": "int64"}).sort_values(["arrived", "lead"], kind="stable")


def _truth_rows(funnel: Funnel) -> pd.DataFrame:
    as_of = funnel.people["created"].to_numpy() + OBSERVED
    truth = pd.DataFrame({"lead_id": funnel.people["lead_id"], "probability": funnel.probability})
    return truth[(funnel.first_order >= as_of) & (as_of < END)]


def _later_truth_rows(funnel: Funnel, later: tuple[Story, ...]) -> pd.DataFrame:
    rows = pd.concat([story.truth for story in later], ignore_index=True)
    rows.insert(1, "lead_id", funnel.people["lead_id"].to_numpy()[rows.pop("lead")])
    return rows.assign(asked_at=_moment(rows["asked_at"]))


def _moment(micros: "pd.Series[int]") -> "pd.Series[pd.Timestamp]":
    return micros.astype("datetime64[us]")
