"""Rollups of random histories with holes agree with pandas over the core tables."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd
import pytest
from given_expected import GivenMarts

from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.warehouse.published_marts import WHOLE

pytestmark = pytest.mark.slow
ACCOUNT = ["client_key", "open_id"]
ACCOUNTS = [("app", "a"), ("app", "b"), ("other", "a")]
SEEDS = (1, 2)


def written(home, rows: dict[str, list[dict]], wanted: list[str]) -> Iterator[GivenMarts]:
    """Write core tables, each row into the partition of its ``dt``, and build the wanted marts of these days."""
    runtime = Runtime(Settings(_env_file=None, home=home))
    marts = GivenMarts(runtime)
    marts.given = {}
    for name, of_table in rows.items():
        by_day: dict[date, list[dict]] = {}
        for row in of_table:
            by_day.setdefault(row["dt"], []).append(row)
        for day, of_day in by_day.items():
            marts.lake.write(name, day, marts.table(f"main.{name}", of_day, day))
        for month in {f"{day:%Y-%m}" for day in by_day}:
            marts.lake.compact(name, month)
    written_days = {row["dt"] for of_table in rows.values() for row in of_table}
    for name in (name for name in marts.bound if name in wanted):
        list(marts.build(name, [d for d in marts.stale(name) if d == WHOLE or d in written_days]))
    yield marts
    runtime.close()


def table(marts: GivenMarts, name: str) -> pd.DataFrame:
    """Read all days of a core table or a mart."""
    folder = marts.lake.root / name.replace("marts.", "marts/")
    days = [pd.read_parquet(p) for p in sorted(folder.rglob("*.parquet"))]
    return pd.concat([d for d in days if len(d)], ignore_index=True)


def same_rows(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Compare the wanted columns of all rows; the index of ``wanted`` is the key."""
    assert len(wanted) > 0
    keys = list(wanted.index.names)
    found = found.set_index(keys)[list(wanted.columns)].astype(wanted.dtypes.to_dict())
    pd.testing.assert_frame_equal(
        found.sort_index(), wanted.sort_index(), check_dtype=False, check_index_type=False, rtol=0, atol=2e-6
    )


# ------------------------------------------------------------------ accounts by week and month

DAYS = [
    first + timedelta(n)
    for first, last in ((date(2025, 11, 1), date(2025, 11, 30)), (date(2026, 10, 1), date(2026, 12, 2)))
    for n in range((last - first).days + 1)
]
SERIES = {
    "user_fans": ("total_fans", "new_fans"),
    "user_item": ("new_play", "new_issue"),
    "user_like": ("new_like",),
    "user_comment": ("new_comment",),
    "user_share": ("new_share",),
    "user_profile": ("profile_uv",),
}


def random_series(seed: int) -> dict[str, list[dict]]:
    """Give the series of three accounts with missing rows and null values; one of them ends."""
    chance = random.Random(seed)
    rows: dict[str, list[dict]] = {name: [] for name in SERIES}
    for client_key, open_id in ACCOUNTS:
        holes = set(chance.sample(DAYS, {("app", "a"): 0, ("app", "b"): 6}.get((client_key, open_id), 2)))
        for day in DAYS:
            if open_id == "b" and day >= date(2026, 11, 16):
                continue
            for name, columns in SERIES.items():
                if day in holes and chance.random() < 0.5:
                    continue
                values = {c: chance.choice([0, chance.randrange(1, 5000), chance.randrange(1, 5000)]) for c in columns}
                if day in holes and chance.random() < 0.3:
                    values[columns[0]] = None
                rows[name].append({"dt": day, "client_key": client_key, "open_id": open_id, **values})
    return rows


@pytest.fixture(scope="module", params=SEEDS)
def accounts(request, tmp_path_factory) -> Iterator[GivenMarts]:
    wanted = ["account_daily", "dim_accounts", "account_weekly", "account_monthly"]
    yield from written(tmp_path_factory.mktemp("accounts") / "home", random_series(request.param), wanted)


def days_of_accounts(marts: GivenMarts) -> pd.DataFrame:
    """Join the series on every day of an account that has data on it or in the 30 days before."""
    wide = None
    for name, columns in SERIES.items():
        one = table(marts, name)[[*ACCOUNT, "dt", *columns]]
        wide = one if wide is None else wide.merge(one, on=[*ACCOUNT, "dt"], how="outer")
    grids = []
    for key, of_account in wide.groupby(ACCOUNT):
        seen = set(of_account["dt"])
        for day in DAYS:
            if any(day - timedelta(back) in seen for back in range(31)):
                grids.append((*key, day))
    grid = pd.DataFrame(grids, columns=[*ACCOUNT, "dt"])
    days = grid.merge(wide, on=[*ACCOUNT, "dt"], how="left")
    days["interactions"] = days.new_like + days.new_comment + days.new_share
    return days


def ratio(over: float, under: float) -> float:
    return over / under if under else float("nan")


@pytest.mark.parametrize("mart", ["account_weekly", "account_monthly"])
def test_accounts_by_week_and_month_are_those_of_the_series(accounts, mart):
    weekly = mart == "account_weekly"
    days = days_of_accounts(accounts)
    start, change = ("week_start", "wow") if weekly else ("month_start", "mom")
    days[start] = [d - timedelta(d.weekday()) if weekly else d.replace(day=1) for d in days.dt]
    lines: dict[tuple, dict] = {}
    for key, of_period in days.groupby([*ACCOUNT, start]):
        first = key[2]
        after = first + timedelta(7) if weekly else (first + timedelta(32)).replace(day=1)
        fans = of_period.dropna(subset="total_fans").sort_values("dt").total_fans
        before = days[(days.client_key == key[0]) & (days.open_id == key[1]) & (days.dt == first - timedelta(1))]
        both = of_period.dropna(subset=["interactions", "new_play"])
        whole = both.dropna(subset="total_fans")
        line = {
            "fans_start": before.total_fans.iloc[0] if len(before) else float("nan"),
            "fans_end": fans.iloc[-1] if len(fans) else float("nan"),
            **{
                to: of_period[of].sum(min_count=1)
                for to, of in (
                    ("new_fans", "new_fans"),
                    ("posts", "new_issue"),
                    ("plays", "new_play"),
                    ("likes", "new_like"),
                    ("comments", "new_comment"),
                    ("shares", "new_share"),
                    ("interactions", "interactions"),
                )
            },
            "engagement_ratio": ratio(both.interactions.sum(), both.new_play.sum()),
            "days_with_data": float(len(whole)),
            "is_complete": len(whole) == (after - first).days,
        }
        line["net_fans"] = line["fans_end"] - line["fans_start"]
        line["fans_growth_ratio"] = ratio(line["net_fans"], line["fans_start"])
        lines[key] = line
    for (client_key, open_id, first), line in lines.items():
        earlier = (
            (first - timedelta(7), first - timedelta(364))
            if weekly
            else ((first - timedelta(1)).replace(day=1), first.replace(year=first.year - 1))
        )
        for suffix, of in zip((change, "yoy"), earlier, strict=True):
            other = lines.get((client_key, open_id, of))
            comparable = other is not None and other["is_complete"] and line["is_complete"]
            for name, column in (
                ("fans", "fans_end"),
                ("plays", "plays"),
                ("interactions", "interactions"),
                ("engagement", "engagement_ratio"),
            ):
                if (name, suffix) != ("fans", change):
                    value = ratio(line[column], other[column]) - 1 if comparable else float("nan")
                    line[f"{name}_{suffix}"] = value
    wanted = pd.DataFrame(lines.values(), index=pd.MultiIndex.from_tuples(lines, names=[*ACCOUNT, start]))
    assert set(wanted.is_complete) == {True, False}
    assert wanted[[f"plays_{change}", "plays_yoy", "fans_yoy"]].notna().any().all()
    same_rows(table(accounts, f"marts.{mart}"), wanted)


# ------------------------------------------------------------------ people by week

PEOPLE = [f"person {n}" for n in range(9)]
TEXTS = ["多少钱", "链接在哪里？多少钱", "第一", "好喜欢", "地址在哪", None]
NOVEMBER = [date(2026, 11, 1) + timedelta(n) for n in range(24)]


def midnight(day: date) -> pd.Timestamp:
    return pd.Timestamp(day, tz="Asia/Shanghai")


def random_people(seed: int) -> dict[str, list[dict]]:
    """Give comments, actions, leads and messages; most are listed on several days, some late, some before the first."""
    chance = random.Random(seed)
    rows: dict[str, list[dict]] = {n: [] for n in ("comments", "lead_actions", "leads", "lead_events", "im_messages")}
    for n in range(300):
        client_key, open_id = chance.choice(ACCOUNTS)
        at = midnight(chance.choice(NOVEMBER)) - timedelta(days=chance.choice([0, 0, 25]))
        at += timedelta(seconds=chance.choice([0, 86399, chance.randrange(86400)]))
        account = {"client_key": client_key, "open_id": open_id}
        first = max(at.date(), NOVEMBER[0]) + timedelta(chance.choice([0, 1, 2, 3, 6]))
        person = chance.choice([*PEOPLE, None])
        text, video, kind = chance.choice(TEXTS), chance.choice("vw"), chance.randrange(3)
        for day in (first, first + timedelta(1)):
            if day > NOVEMBER[-1]:
                continue
            seen = {"dt": day, "observed_at": str(day) + " 10:00", **account}
            comment = {"item_id": video, "comment_id": str(n), "content": text, "created_at": str(at)}
            rows["comments"].append(seen | comment | {"commenter_open_id": person, "digg_count": n % 7})
            if person is None:
                continue
            action = {"lead_open_id": person, "action_at": str(at), "action_type": kind}
            source = chance.choice(["主页", "", None])
            rows["lead_actions"].append(seen | action | {"action_flag": None, "action_source": source})
    for day in NOVEMBER:
        for client_key, open_id in ACCOUNTS[:2]:
            for person in chance.sample(PEOPLE, 4):
                contact = chance.choice(["", None, "", "1"]) if person < "person 5" else None
                lead = {"lead_open_id": person, "telephone": contact, "is_follow": chance.choice([True, False, None])}
                seen = {"dt": day, "client_key": client_key, "open_id": open_id}
                rows["leads"].append(seen | lead)
    for n in range(60):
        client_key, open_id = chance.choice(ACCOUNTS)
        person, day = chance.choice(PEOPLE), chance.choice(NOVEMBER)
        at = str(midnight(day) + timedelta(minutes=chance.randrange(1440)))
        event = chance.choice(["im_receive_msg", "im_send_msg"])
        seen = {"dt": day, "client_key": client_key, "open_id": open_id, "event": event, "event_at": at}
        message = {"message_id": str(n), "conversation_id": f"with {person}"}
        if n % 3:
            log = {"actor_open_id": person, "to_user_id": person if event == "im_send_msg" else open_id}
            rows["lead_events"].append(seen | message | log)
        if n % 2:
            rows["im_messages"].append(seen | message | {"event_id": str(n), "person_open_id": person})
    once = {
        (r["dt"], r["client_key"], r["open_id"], r["lead_open_id"], r["action_at"], r["action_type"]): r
        for r in rows["lead_actions"]
    }
    rows["lead_actions"] = list(once.values())
    return rows


@pytest.fixture(scope="module", params=SEEDS)
def people(request, tmp_path_factory) -> Iterator[GivenMarts]:
    wanted = ["comment_labels", "conversations", "dim_accounts", "lead_funnel_weekly", "comment_needs_weekly"]
    wanted += ["conversion_funnel", "conversion_funnel_weekly"]
    yield from written(tmp_path_factory.mktemp("people") / "home", random_people(request.param), wanted)


def beijing_days(instants: pd.Series) -> pd.Series:
    return instants.dt.tz_convert("Asia/Shanghai").dt.date


def mondays(days: pd.Series) -> list[date]:
    return [d - timedelta(d.weekday()) for d in days]


def is_newest_week(wanted: pd.DataFrame) -> list[bool]:
    keys = wanted.index.to_frame(index=False)
    return (keys.week_start == keys.groupby("client_key").week_start.transform("max")).tolist()


def actions_of(marts: GivenMarts) -> pd.DataFrame:
    """Give each known action once, with its source as last seen."""
    acted = table(marts, "lead_actions").sort_values("observed_at")
    acted = acted.drop_duplicates([*ACCOUNT, "lead_open_id", "action_at", "action_type"], keep="last")
    days = beijing_days(acted.action_at)
    return acted.assign(day=days, week_start=mondays(days), action_flag=0)


def comments_of(marts: GivenMarts) -> pd.DataFrame:
    comments = table(marts, "comments").sort_values("observed_at")
    comments = comments[comments.content.notna()].drop_duplicates([*ACCOUNT, "comment_id"], keep="last")
    days = beijing_days(comments.created_at)
    return comments.assign(day=days, week_start=mondays(days))


def leads_of(marts: GivenMarts) -> pd.DataFrame:
    leads = table(marts, "leads")
    return leads.assign(has_contact=leads.telephone.fillna("").ne(""), follows=leads.is_follow.eq(True))


def test_people_who_acted_in_a_week_are_distinct(people):
    acted, leads = actions_of(people), leads_of(people)
    acted["action_source"] = acted.action_source.replace("", None).fillna("未知")
    known = leads.groupby([*ACCOUNT, "lead_open_id"])[["has_contact", "follows"]].any()
    first = acted.groupby([*ACCOUNT, "lead_open_id"]).week_start.min()
    lines = {}
    keys = [*ACCOUNT, "week_start", "action_source", "action_type", "action_flag"]
    for key, rows in acted.groupby(keys):
        who = {(*key[:2], person) for person in rows.lead_open_id}
        of_week = acted[(acted.client_key == key[0]) & (acted.open_id == key[1]) & (acted.week_start == key[2])]
        lines[key] = {
            "actions": len(rows),
            "people": len(who),
            "new_people": sum(first[w] == key[2] for w in who),
            "leads": sum(w in known.index for w in who),
            "contacts": sum(w in known.index and bool(known.has_contact[w]) for w in who),
            "followers": sum(w in known.index and bool(known.follows[w]) for w in who),
            "account_people": of_week.lead_open_id.nunique(),
        }
    wanted = pd.DataFrame(lines.values(), index=pd.MultiIndex.from_tuples(lines, names=keys))
    wanted["contact_ratio"] = wanted.contacts / wanted.people
    wanted["is_running"] = is_newest_week(wanted)
    daily = acted.groupby([*keys, "day"]).lead_open_id.nunique().groupby(keys).sum()
    assert (daily > wanted.people).any(), "sums of days count people twice"
    same_rows(table(people, "marts.lead_funnel_weekly"), wanted)


def test_people_who_want_something_in_a_week_are_distinct(people):
    comments, labels = comments_of(people), table(people, "marts.comment_labels")
    keys = [*ACCOUNT, "week_start", "need"]
    labels = labels[[*ACCOUNT, "comment_id", "needs", "is_asking", "sentiment"]]
    comments = comments.merge(labels, on=[*ACCOUNT, "comment_id"], validate="1:1", how="left")
    totals = comments.groupby(keys[:3]).agg(
        account_comments=("comment_id", "size"), account_people=("commenter_open_id", "nunique")
    )
    spread = comments.assign(need=comments.needs.replace("", "other").str.split(",")).explode("need")
    wanted = spread.groupby(keys).agg(
        comments=("comment_id", "size"),
        people=("commenter_open_id", "nunique"),
        questions=("is_asking", "sum"),
        likes_of_comments=("digg_count", "sum"),
        videos=("item_id", "nunique"),
    )
    wanted = wanted.join(totals, on=keys[:3])
    wanted["share_ratio"] = wanted.comments / wanted.account_comments
    wanted["is_running"] = is_newest_week(wanted)
    daily = spread.groupby([*keys, "day"]).commenter_open_id.nunique().groupby(keys).sum()
    assert (daily > wanted.people).any(), "sums of days count people twice"
    same_rows(table(people, "marts.comment_needs_weekly"), wanted)


def messages_of(marts: GivenMarts) -> pd.DataFrame:
    pushed, logged = table(marts, "im_messages"), table(marts, "lead_events")
    logged = logged.assign(person_open_id=logged.actor_open_id)
    return pd.concat([pushed, logged]).drop_duplicates([*ACCOUNT, "event", "message_id"])


def test_everyone_has_the_first_days_of_each_step_and_the_furthest_stage(people):
    comments, acted, leads, messages = (of(people) for of in (comments_of, actions_of, leads_of, messages_of))
    received = messages[messages.event == "im_receive_msg"]
    received = received.groupby([*ACCOUNT, "person_open_id"], as_index=False).event_at.min()
    sent = messages[messages.event == "im_send_msg"]
    answers = sent.merge(received, on=[*ACCOUNT, "person_open_id"], suffixes=("", "_first"))
    answers = answers[answers.event_at >= answers.event_at_first]
    steps = {
        "commented": comments.assign(person_open_id=comments.commenter_open_id),
        "acted": acted.assign(person_open_id=acted.lead_open_id),
        "lead": leads.assign(person_open_id=leads.lead_open_id, day=leads["dt"]),
        "wrote": received.assign(day=beijing_days(received.event_at)),
        "replied": answers.assign(day=beijing_days(answers.event_at)),
        "contact": leads[leads.has_contact].assign(person_open_id=leads.lead_open_id, day=leads["dt"]),
    }
    first = {name: rows.groupby([*ACCOUNT, "person_open_id"]).day.min() for name, rows in steps.items()}
    wanted = pd.DataFrame(first)
    assert wanted.notna().any().all()
    known = wanted.notna()
    stage = known[known.columns[::-1]].idxmax(axis=1)
    first_date = wanted.apply(lambda row: row.dropna().min(), axis=1)
    expected = wanted.add_suffix("_date").assign(stage=stage, first_date=first_date)
    found = table(people, "marts.conversion_funnel").set_index(expected.index.names)[list(expected.columns)]
    pd.testing.assert_frame_equal(
        found.sort_index().astype(object).where(found.notna(), None),
        expected.sort_index().astype(object).where(expected.notna(), None),
        check_dtype=False,
    )

    weekly = table(people, "marts.conversion_funnel_weekly").set_index([*ACCOUNT, "week_start"])
    weeks = wanted.assign(first=first_date).map(lambda d: d - timedelta(d.weekday()) if pd.notna(d) else None)
    for step, column in (
        ("lead", "leads"),
        ("contact", "contacts"),
        *((s, s) for s in ("commented", "acted", "wrote", "replied")),
        ("first", "new_people"),
    ):
        counted = weeks[step].dropna().groupby([*ACCOUNT, weeks[step].rename("week_start")]).size()
        assert weekly[column][weekly[column] > 0].to_dict() == counted.to_dict(), column
    for step, column in (
        ("lead", "cohort_leads"),
        ("wrote", "cohort_wrote"),
        ("replied", "cohort_replied"),
        ("contact", "cohort_contacts"),
    ):
        counted = weeks[weeks[step].notna()].groupby([*ACCOUNT, weeks["first"].rename("week_start")]).size()
        assert weekly[column][weekly[column] > 0].to_dict() == counted.to_dict(), column
    assert weekly.new_people.sum() == len(wanted)
