"""The made data: what its files promise, and that their truth is the truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from leadlight.sample import draw
from leadlight.sample.funnel import END, HORIZON, OBSERVED
from leadlight.settings import load_site

DEMO = Path(__file__).parents[2] / "examples" / "demo"
FILES = (
    "leads.csv",
    "behaviour.parquet",
    "followups.csv",
    "orders.csv",
    "contracts.csv",
    "friends.csv",
    "truth.parquet",
    "truth_later.parquet",
)
HIGH_INTENT = ["add_cart", "view_price", "book_trial", "attend_trial"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `leadlight demo` works on."""
    folder = tmp_path_factory.mktemp("made")
    sample = load_site(DEMO).sample
    assert sample is not None
    draw(folder, leads=sample.leads, seed=sample.seed)
    return folder


@pytest.fixture(scope="module")
def leads(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "leads.csv", parse_dates=["created_at", "updated_at"], dtype={"phone": str})


@pytest.fixture(scope="module")
def behaviour(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "behaviour.parquet")


@pytest.fixture(scope="module")
def follow_ups(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "followups.csv", parse_dates=["changed_at"])


@pytest.fixture(scope="module")
def asked(folder: Path, leads: pd.DataFrame) -> pd.DataFrame:
    """Every lead of the truth whose outcome is ripe: its probability, as_of, first order and label."""
    orders = pd.read_csv(folder / "orders.csv", parse_dates=["paid_at"])
    rows = pd.read_parquet(folder / "truth.parquet").set_index("lead_id")
    rows["as_of"] = leads.groupby("lead_id")["created_at"].first() + pd.Timedelta(OBSERVED, "us")
    rows["first_order"] = orders.groupby("lead_id")["paid_at"].min()
    closes = rows["as_of"] + pd.Timedelta(HORIZON, "us")
    rows["label"] = rows["first_order"] < closes
    return rows[closes < pd.Timestamp(END, unit="us")]


def test_one_seed_draws_one_set_of_files(tmp_path: Path) -> None:
    """The same seed writes the same bytes, another seed other ones."""
    draw(tmp_path / "once", leads=200, seed=1)
    draw(tmp_path / "again", leads=200, seed=1)
    draw(tmp_path / "other", leads=200, seed=2)

    assert sorted(path.name for path in (tmp_path / "once").iterdir()) == sorted(FILES)
    for name in FILES:
        once, again, other = ((tmp_path / folder / name).read_bytes() for folder in ("once", "again", "other"))
        assert once == again
        assert once != other


def test_the_truth_asks_what_the_demo_asks() -> None:
    """The demo's target looks at leads when the truth does, and as far ahead."""
    name, target = load_site(DEMO).target()

    assert name == "first_order"
    assert target.observe.offsets == (OBSERVED,)
    assert target.horizon == HORIZON


def test_the_truth_is_calibrated(asked: pd.DataFrame) -> None:
    """In every tenth of the leads as many order as the truth says, within four standard errors."""
    tenth = pd.qcut(asked["probability"], 10, labels=False)

    observed = asked["label"].groupby(tenth).mean()
    promised = asked["probability"].groupby(tenth).mean()

    noise = np.sqrt((asked["probability"] * (1 - asked["probability"])).groupby(tenth).sum()) / tenth.value_counts()
    assert ((observed - promised).abs() < 4 * noise).all()


def test_the_truth_ranks_as_real_leads_can_be_ranked(asked: pd.DataFrame) -> None:
    """Whoever knew the truth would still reach no AUC above 0.88; about one lead in ten orders."""
    auc = roc_auc_score(asked["label"], asked["probability"])

    assert 0.80 <= auc <= 0.88
    assert 0.08 <= asked["label"].mean() <= 0.15


def test_the_truth_holds_nobody_who_had_ordered(asked: pd.DataFrame) -> None:
    """A lead whose first order came before it was observed has no probability."""
    ordered = asked["first_order"].dropna()

    assert (ordered >= asked.loc[ordered.index, "as_of"]).all()


def test_nothing_before_the_question_shows_the_answer(asked: pd.DataFrame, follow_ups: pd.DataFrame) -> None:
    """A payment is scheduled only after the lead is observed, unless it orders before."""
    scheduled = follow_ups[follow_ups["status"] == "预约付款"].set_index("lead_id")["changed_at"]
    both = asked.join(scheduled, how="inner")

    assert len(both) > 500
    assert (both["changed_at"] >= both["as_of"]).all()


def test_the_whole_log_would_give_the_answer_away(asked: pd.DataFrame, behaviour: pd.DataFrame) -> None:
    """Buyers do far more afterwards, so a total that looks past the question is a leak to be caught.

    Two months after a lead came: later on, what is left of the others comes back to life too.
    """
    came = behaviour["lead_id"].map(asked["as_of"]) - pd.Timedelta(OBSERVED, "us")
    soon = behaviour[behaviour["happened_at"] < came + pd.Timedelta(60, "D")]
    total = soon.groupby("lead_id").size().reindex(asked.index, fill_value=0)

    assert roc_auc_score(asked["label"], total) > 0.9


def test_some_events_arrive_late_and_none_early(behaviour: pd.DataFrame) -> None:
    """One in twenty arrives more than an hour after it happened, up to four days."""
    delay = behaviour["received_at"] - behaviour["happened_at"]

    assert delay.min() > pd.Timedelta(0)
    assert 0.03 < (delay > pd.Timedelta("1h")).mean() < 0.06
    assert pd.Timedelta("3d") < delay.max() <= pd.Timedelta("4d")


def test_a_repeated_event_is_an_exact_copy(behaviour: pd.DataFrame) -> None:
    """One row in a hundred was delivered twice, with the same content under the same event_id."""
    again = behaviour["event_id"].duplicated()

    assert 0.005 < again.mean() < 0.015
    assert behaviour.duplicated().sum() == again.sum()


def test_people_appear_twice(leads: pd.DataFrame) -> None:
    """Some phones stand under two leads, created at different times."""
    persons = leads.groupby("phone")["lead_id"].nunique()

    assert 200 < (persons > 1).sum() < 600
    assert leads["phone"].str.fullmatch(r"1\d{10}").all()


def test_stage_and_city_are_missing_until_they_are_told(leads: pd.DataFrame) -> None:
    """A second version of a lead fills what the first left open; many stay open."""
    first = leads.drop_duplicates("lead_id")
    second = leads[leads["lead_id"].duplicated()]

    assert 0.3 < first["stage"].isna().mean() < 0.5
    assert second["stage"].notna().all()
    assert (second["updated_at"] > second["created_at"]).all()
    assert second["lead_id"].isin(first.loc[first["city"].isna(), "lead_id"]).all()


def test_statuses_are_entered_in_order(follow_ups: pd.DataFrame) -> None:
    """No lead steps back on its way from pending to won."""
    steps = ["待跟进", "联系中", "意向不明", "意向明确", "预约付款", "成交"]
    ordered = follow_ups.assign(step=follow_ups["status"].map(steps.index)).sort_values(["lead_id", "step"])

    backwards = ordered.groupby("lead_id")["changed_at"].diff() < pd.Timedelta(0)

    assert set(follow_ups["status"]) == set(steps)
    assert not backwards.any()


def test_campaigns_come_in_bursts(leads: pd.DataFrame) -> None:
    """The busiest day of a channel brings several times its usual number."""
    first = leads.drop_duplicates("lead_id")
    daily = pd.crosstab(first["created_at"].dt.date, first["channel"])

    burst = daily.max() / daily.median()

    assert burst["信息流"] > 2.5
    assert burst["直播"] > 3


@pytest.fixture(scope="module")
def outcomes(folder: Path, behaviour: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What each later question waits for: lead and moment."""
    contracts = pd.read_csv(folder / "contracts.csv", parse_dates=["signed_at", "booked_at"])
    friends = pd.read_csv(folder / "friends.csv", parse_dates=["joined_at"])
    kinds = {"full_course": "正课", "renewal": "续费"}
    found = {name: contracts[contracts["product"] == product] for name, product in kinds.items()}
    found |= {"referral": friends, "recall": behaviour[behaviour["action"].isin(HIGH_INTENT)]}
    moments = {"full_course": "signed_at", "renewal": "signed_at", "referral": "joined_at", "recall": "happened_at"}
    return {name: rows.rename(columns={moments[name]: "at"})[["lead_id", "at"]] for name, rows in found.items()}


@pytest.fixture(scope="module")
def later(folder: Path, outcomes: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Every row of the later truths that is ripe, with its label."""
    rows = pd.read_parquet(folder / "truth_later.parquet").reset_index(names="row")
    site = load_site(DEMO)
    rows["closes"] = rows["asked_at"] + pd.to_timedelta(rows["question"].map(lambda q: site.targets[q].horizon), "us")
    dated = pd.concat([found.assign(question=name) for name, found in outcomes.items()])
    pairs = rows.merge(dated, on=["question", "lead_id"])
    won = pairs.loc[(pairs["at"] >= pairs["asked_at"]) & (pairs["at"] < pairs["closes"]), "row"]
    rows["label"] = rows["row"].isin(won)
    return rows[rows["closes"] < pd.Timestamp(END, unit="us") - pd.Timedelta(4, "D")]


@pytest.mark.parametrize("question", ["full_course", "renewal", "referral", "recall"])
def test_the_later_truths_are_calibrated_and_rank(later: pd.DataFrame, question: str) -> None:
    """In each third as many outcomes come as the truth says, within four standard errors; no truth knows all."""
    rows = later[later["question"] == question]
    third = pd.qcut(rows["probability"], 3, labels=False)

    came = rows["label"].groupby(third).sum()
    promised = rows["probability"].groupby(third).sum()

    noise = np.sqrt((rows["probability"] * (1 - rows["probability"])).groupby(third).sum())
    assert ((came - promised).abs() < 4 * noise).all()
    assert 0.65 <= roc_auc_score(rows["label"], rows["probability"]) <= 0.85


def test_what_comes_later_comes_in_order(folder: Path, outcomes: dict[str, pd.DataFrame]) -> None:
    """Nobody takes a course before an order, renews before a course, or books before signing; some booking is late."""
    orders = pd.read_csv(folder / "orders.csv", parse_dates=["paid_at"]).groupby("lead_id")["paid_at"].min()
    course = outcomes["full_course"].set_index("lead_id")["at"]
    renewal = outcomes["renewal"].groupby("lead_id")["at"].min()
    contracts = pd.read_csv(folder / "contracts.csv", parse_dates=["signed_at", "booked_at"])
    delay = contracts["booked_at"] - contracts["signed_at"]

    assert course.index.is_unique
    assert (course > orders.reindex(course.index)).all()
    assert (renewal > course.reindex(renewal.index)).all()
    assert delay.min() > pd.Timedelta(0)
    assert pd.Timedelta("1h") < delay.max() <= pd.Timedelta("2d")


def test_who_is_asked_to_come_back_was_quiet_by_what_was_known(later: pd.DataFrame, behaviour: pd.DataFrame) -> None:
    """No row of that truth has a sign of high intent that was known then and lies in the three months before."""
    rows = later[later["question"] == "recall"]
    signs = behaviour[behaviour["action"].isin(HIGH_INTENT)].merge(rows, on="lead_id")
    before = signs["asked_at"] - signs["happened_at"]
    is_known = (before > pd.Timedelta(0)) & (signs["received_at"] <= signs["asked_at"])

    assert len(signs) > 1_000
    assert not (is_known & (before <= pd.Timedelta(90, "D"))).any()
