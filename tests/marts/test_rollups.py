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
