"""Measure the publication of one more day into a warehouse of 1, 100 and 730 days, and analysts' queries.

Publishing is compared with a plain copy of the same file, queries with a file made by hand. The lake is that of
``benchmarks.big_home``, marts included. Its days arrive as in production: those of a day itself, series of the day
before, and the series and marts of three days before that come again. Most days before a point of measurement are
published at once and the last twenty one by one, so that the file has the row groups that daily publication leaves.
``--full``: 190 accounts, 730 days, 2 GB, about 20 minutes. The short form: 10 accounts, 27 days, no marts, no verdict
on publishing.

Publishing is ``services.marts.publishing.publish`` as the asset calls it (reading the state included), the copy
``shutil.copyfile`` and fsync. The file made by hand has the same rows, ``CREATE TABLE … AS SELECT … ORDER BY dt, key``
in one go; all rows are compared by hash before the queries run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
from sqlalchemy import text

from benchmarks.big_home import LAST, SEED, days_of, settings_of, world_of, write_core, write_marts, write_state
from benchmarks.big_tables import CORRECTED
from benchmarks.big_world import APP, LISTED
from benchmarks.results import Figure, Table, save
from catalog import TABLES, endpoints_of
from catalog.records import History
from resources.runtime import Runtime
from resources.warehouse.publication import Publication
from services.marts.publishing import publish

BAR_S, BAR_BYTES, BAR_RATIO = 3.0, 2e9, 1.1
ONE_BY_ONE = 20
"""So many days before a point of measurement are published day by day."""
MEASURED = 8
"""Publications at a point: one of so many merges small row groups, which takes longest."""
QUERIED = (
    "hot_words",
    "user_item",
    "user_fans",
    "user_like",
    "fans_profile",
    "item_play",
    "billboard_creators",
    "video_totals",
    "videos",
    "comments",
    "hot_words_rising",
)
QUERIED_MARTS = ("video_performance", "video_daily")


@dataclass(frozen=True)
class Form:
    """What one form of the benchmark measures.

    ``points`` are numbers of days in the warehouse when one more is published.
    """

    accounts: int
    points: tuple[int, ...]
    one_by_one: int
    times: int
    repetitions: int
    marts: bool

    @property
    def days(self) -> int:
        """Days of the home."""
        return max(self.points) + self.times


FULL = Form(190, (1, 100, 730), ONE_BY_ONE, MEASURED, 9, True)
SHORT = Form(10, (1, 12, 24), 2, 3, 5, False)


class Arrivals:
    """The lake of a home whose days arrive one after the other."""

    def __init__(self, runtime: Runtime, form: Form) -> None:
        self.runtime, self.form = runtime, form
        self.days = days_of(form.days)
        self.lake, self.later = runtime.settings.lake_dir, runtime.settings.home / "later"
        self._ids = [a for (a,) in self._ask("SELECT open_id FROM accounts ORDER BY open_id")]
        self._operations = [
            (name, endpoints_of(name)[0].name)
            for name, t in sorted(TABLES.items())
            if "open_id" in t.columns and t.history is not History.EVENT
        ]
        self._arrived = 0
        for folder in sorted(self.lake.glob("*/dt=*")) + sorted(self.lake.glob("marts/*/dt=*")):
            to = self.later / folder.relative_to(self.lake)
            to.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(to)

    def _ask(self, question: str) -> list:
        with self.runtime.state.read() as db:
            return list(db.execute(text(question)))

    def arrive(self, until: int) -> date:
        """Let days arrive until there are ``until`` of them; return the newest."""
        for day in self.days[self._arrived : until]:
            for dataset in self.later.glob("*"):
                for one in dataset.glob("*") if dataset.name == "marts" else [dataset]:
                    late = one.name in TABLES and TABLES[one.name].history is History.WINDOW
                    self._move(one, day - timedelta(days=1) if late else day)
            self._write_status(day)
        again = [f"dt={self.days[until - 1] - timedelta(days=1 + n)}" for n in range(CORRECTED + 1)]
        series = [self.lake / name for name, t in TABLES.items() if t.history is History.WINDOW]
        for path in (
            dataset / name / "data.parquet"
            for dataset in (*series, *self.lake.glob("marts/*"))
            for name in (*again, "all")
        ):
            if path.exists():
                os.utime(path)
        self._arrived = until
        return self.days[until - 1]

    def _move(self, dataset: Path, day: date) -> None:
        folder = dataset / f"dt={day}"
        if folder.exists():
            to = self.lake / folder.relative_to(self.later)
            to.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(to)

    def _write_status(self, day: date) -> None:
        """Write the status of each account that a run of the day leaves."""
        lines = [
            (name, day.isoformat(), op, APP, o, "loaded", 1, 30, 0, None, None, 0.0)
            for name, op in self._operations
            for o in self._ids
        ]
        with self.runtime.state.begin(durable=False) as db:
            db.exec_driver_sql(f"INSERT INTO load_status VALUES ({', '.join('?' * 12)})", lines)
            db.exec_driver_sql("INSERT INTO load_status_days VALUES (?, ?)", (day.isoformat(), time.time_ns()))


@dataclass(frozen=True)
class Point:
    """Medians at one number of days. Seconds; ``written`` is the bytes that publishing wrote."""

    days: int
    size: int
    publish_s: float
    publish_cpu: float
    longest_s: float
    copy_s: float
    copy_cpu: float
    written: int
    partitions: int


def measure(history: Arrivals, point: int) -> Point:
    """Bring the warehouse to ``point`` days, then publish one more, and one more, each beside a copy."""
    form, runtime = history.form, history.runtime
    bulk = max(1, point - form.one_by_one)
    if history._arrived < bulk:
        history.arrive(bulk)
        publish(runtime, marts=False)
    for n in range(max(history._arrived, bulk) + 1, point + 1):
        history.arrive(n)
        publish(runtime, marts=False)
    copies, published = [], []
    for n in range(form.times):
        day = history.arrive(point + 1 + n)
        copies.append(_timed(lambda: _plain_copy(runtime.warehouse.path)))
        published.append(_timed(lambda: publish(runtime, marts=False)))
        _check(runtime, published[-1].result, day, form)
    return Point(
        point,
        runtime.warehouse.path.stat().st_size,
        *(_median(p.wall for p in published), _median(p.cpu for p in published), max(p.wall for p in published)),
        _median(c.wall for c in copies),
        _median(c.cpu for c in copies),
        round(_median(p.written for p in published)),
        round(_median(p.result.partitions for p in published)),
    )


def _check(runtime: Runtime, done: Publication, day: date, form: Form) -> None:
    if done.rebuilt or done.left_out or day not in done.changed["videos"]:
        raise SystemExit(f"{day} was not published as one more day: {done}")
    with runtime.warehouse.connect() as warehouse:
        found = warehouse.execute(
            "SELECT count(*), max(dt), (SELECT count(*) FROM meta.load_status WHERE dt = $1) FROM videos WHERE dt = $1",
            [day],
        ).fetchone()
    if found != (form.accounts * LISTED, day, len(_operations()) * form.accounts):
        raise SystemExit(f"{day}: {found}")


def _operations() -> list[str]:
    return [name for name, t in TABLES.items() if "open_id" in t.columns and t.history is not History.EVENT]


def _plain_copy(path: Path) -> None:
    target = path.with_name("plain.copy")
    shutil.copyfile(path, target)
    with open(target, "rb") as file:
        os.fsync(file.fileno())
    target.unlink()


@dataclass(frozen=True)
class Timed:
    """The result of a call, its seconds, and the bytes that it wrote."""

    result: object
    wall: float
    cpu: float
    written: int


def _timed(work) -> Timed:
    os.sync()  # writes still buffered by others must not count
    began, cpu, written = time.perf_counter(), time.process_time(), _written()
    result = work()
    return Timed(result, time.perf_counter() - began, time.process_time() - cpu, _written() - written)


def _written() -> int:
    io = Path("/proc/self/io")
    return int(io.read_text().partition("\nwrite_bytes: ")[2].split()[0]) if io.exists() else 0


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


# ------------------------------------------------------------------ questions


def questions(account: str, first: date, last: date, marts: bool) -> dict[str, str]:
    """Return the analysts' queries by name."""
    analyses = Path("sql/analyses")
    queries = {
        "account series, 90 days": f"""
            SELECT stat_date, i.new_play, f.total_fans, l.new_like FROM user_item AS i
            JOIN user_fans AS f USING (client_key, open_id, stat_date)
            JOIN user_like AS l USING (client_key, open_id, stat_date)
            WHERE open_id = '{account}' AND i.dt > DATE '{last}' - 90
                AND f.dt > DATE '{last}' - 90 AND l.dt > DATE '{last}' - 90
            ORDER BY stat_date""",
        "board movement, a month": f"""
            WITH daily AS (SELECT board, nickname, dt, min(rank) AS rank FROM billboard_creators
                WHERE dt > DATE '{last}' - 30 GROUP BY ALL)
            SELECT *, lag(rank) OVER (PARTITION BY board, nickname ORDER BY dt) - rank AS climbed
            FROM daily ORDER BY ALL""",
        "top videos, a year": f"""
            WITH top AS (SELECT open_id, item_id, max(play_count) AS plays, max(digg_count) AS likes FROM video_totals
                WHERE dt > DATE '{last}' - 365 GROUP BY ALL ORDER BY plays DESC, item_id LIMIT 50)
            SELECT top.*, v.title FROM top JOIN (
                SELECT item_id, any_value(title) AS title FROM videos
                WHERE item_id IN (SELECT item_id FROM top) GROUP BY ALL
            ) AS v USING (item_id)
            ORDER BY plays DESC, item_id""",
        "comment search": (
            "SELECT date_trunc('month', dt) AS month, count(*), sum(digg_count) FROM comments WHERE content "
            "LIKE '%哪里买%' OR content LIKE '%多少钱%' GROUP BY ALL ORDER BY ALL"
        ),
        "full scan": """
            SELECT 'video_totals' AS t, count(*), sum(play_count), sum(digg_count), count(DISTINCT open_id),
                max(observed_at)
            FROM video_totals
            UNION ALL SELECT 'item_play', count(*), sum(plays), 0, count(DISTINCT open_id), max(observed_at)
            FROM item_play
            UNION ALL SELECT 'comments', count(*), sum(length(content)), sum(digg_count),
                count(DISTINCT commenter_open_id), max(created_at)
            FROM comments
            UNION ALL SELECT 'videos', count(*), sum(length(title)), 0, count(DISTINCT item_id), max(created_at)
            FROM videos ORDER BY ALL""",
        "one day, all accounts": (
            "SELECT open_id, count(*), sum(play_count) FROM video_totals WHERE dt = DATE "
            f"'{first + (last - first) // 2}' GROUP BY ALL ORDER BY ALL"
        ),
        "analysis account_week": (analyses / "account_week.sql").read_text(),
        "analysis board_climbers": (analyses / "board_climbers.sql").read_text(),
        "analysis rising_words": (analyses / "rising_words.sql").read_text(),
    }
    if marts:
        queries |= {
            "mart of a day (hits)": (analyses / "hits.sql").read_text(),
            "mart of a year": (
                "SELECT date_trunc('month', dt) AS month, count(*), sum(play_count) FROM marts.video_daily "
                f"WHERE dt > DATE '{last}' - 365 GROUP BY ALL ORDER BY ALL"
            ),
        }
    return queries


def make_by_hand(runtime: Runtime, target: Path, marts: bool) -> None:
    """Create the queried tables as an analyst would in a file of their own."""
    lake = runtime.settings.lake_dir
    with duckdb.connect(str(target)) as hand, duckdb.connect(str(runtime.warehouse.path), read_only=True) as published:
        hand.execute("CREATE SCHEMA marts")
        for name in (*QUERIED, *(f"marts.{m}" for m in QUERIED_MARTS if marts)):
            folder = lake / name.replace(".", "/")
            key = "dt" if "." in name else ", ".join(dict.fromkeys(["dt", *TABLES[name].primary_key]))
            if not any(folder.glob("dt=*")):
                columns = ", ".join(f'"{n}" {t}' for n, t, *_ in published.execute(f"DESCRIBE {name}").fetchall())
                hand.execute(f"CREATE TABLE {name} ({columns})")
                continue
            hand.execute(
                f"CREATE TABLE {name} AS SELECT * FROM read_parquet('{folder}/dt=*/data.parquet', "
                f"hive_partitioning = false) ORDER BY {key}"
            )
            same = f"SELECT count(*), sum(hash(COLUMNS(*)::VARCHAR)::HUGEINT) FROM {name}"
            if (a := hand.execute(same).fetchall()) != (b := published.execute(same).fetchall()):
                raise SystemExit(f"{name}: not the same rows, {a} and {b}")


def run_queries(runtime: Runtime, by_hand: Path, form: Form) -> list[tuple[str, float, float, float, float]]:
    """Return medians per query: wall seconds published and by hand, then CPU seconds; results must agree."""
    days = days_of(form.days)
    made: list[tuple[str, float, float, float, float]] = []
    with (
        duckdb.connect(str(runtime.warehouse.path), read_only=True) as published,
        duckdb.connect(str(by_hand), read_only=True) as hand,
    ):
        account = hand.execute("SELECT open_id FROM user_item ORDER BY open_id LIMIT 1").fetchone()[0]
        for name, sql in questions(account, days[0], days[-1], form.marts).items():
            answers = [c.execute(sql).fetchall() for c in (published, hand)]  # warm up
            if not answers[0] or sorted(map(str, answers[0])) != sorted(map(str, answers[1])):
                raise SystemExit(f"{name}: the answers differ or are empty")
            times: dict[int, list[tuple[float, float]]] = {0: [], 1: []}
            for n in range(form.repetitions):
                for which in (0, 1) if n % 2 else (1, 0):
                    began, cpu = time.perf_counter(), time.process_time()
                    (published, hand)[which].execute(sql).fetchall()
                    times[which].append((time.perf_counter() - began, time.process_time() - cpu))
            made.append((name, *(_median(t[k] for t in times[which]) for k in (0, 1) for which in (0, 1))))
    return made


# ------------------------------------------------------------------ what was found


def report(
    points: list[Point], timings: list[tuple[str, float, float, float, float]], sizes: tuple[int, int], form: Form
) -> None:
    """Print and save the figures."""
    rows = [
        [
            f"{p.days:,}",
            f"{p.size / 1e6:,.0f}",
            f"{p.partitions}",
            f"{p.publish_s:.2f}",
            f"{p.longest_s:.2f}",
            f"{p.publish_cpu:.2f}",
            f"{p.written / 1e6:,.0f}",
            f"{p.copy_s:.2f}",
            f"{p.copy_cpu:.2f}",
            f"{p.publish_s / p.copy_s:.1f}",
        ]
        for p in points
    ]
    worst = max(timings, key=lambda a: a[1] / a[2])
    behind = [f"{name} {a / b:.2f} × ({c / d:.2f} × the CPU)" for name, a, b, c, d in timings if a / b > BAR_RATIO]
    save(
        "publish",
        [
            *(_verdict(points[-2], points[-1]) if form == FULL else []),
            Figure(
                "analyst queries",
                f"≤ {BAR_RATIO} × the hand-made native file",
                f"{statistics.geometric_mean(a[1] / a[2] for a in timings):.2f} × on average, at worst "
                f"{worst[1] / worst[2]:.2f} × ({worst[0]})",
                not behind,
                "; ".join(behind),
            ),
        ],
        [
            Table(
                "One more day into a warehouse of so many",
                [
                    "days",
                    "MB",
                    "partitions changed",
                    "publish s",
                    "longest s",
                    "CPU s",
                    "MB written",
                    "copy + fsync s",
                    "CPU s",
                    "publish ÷ copy",
                ],
                rows,
                f"{form.accounts} accounts{', with marts' if form.marts else ', without marts'}; medians "
                f"of {form.times}; reading the state and the dictionary included. "
                f"Days before a point: all at once but for the last {form.one_by_one}, which came one by "
                f"one, each with {CORRECTED} days of series and marts corrected.",
            ),
            Table(
                "Questions of analysts, published file against one made by hand",
                ["question", "published ms", "by hand ms", "ratio", "ratio of CPU"],
                [
                    [name, f"{a * 1e3:.1f}", f"{b * 1e3:.1f}", f"{a / b:.2f}", f"{c / d:.2f}"]
                    for name, a, b, c, d in timings
                ],
                f"Warm, read-only, medians of {form.repetitions} in turns, the same threads. The file made by "
                f"hand has {sizes[1] / 1e6:,.0f} MB for the tables that are queried; the published file has "
                f"{sizes[0] / 1e6:,.0f} MB for all.",
            ),
        ],
    )


def _verdict(first: Point, last: Point) -> list[Figure]:
    """Judge growth by seconds a byte.

    That is stricter than the factor of growth: a cost that is the same for any file does not hide it.
    """
    slope = (last.publish_s - first.publish_s) / (last.copy_s - first.copy_s)
    at_bar = last.publish_s + (BAR_BYTES - last.size) * (last.publish_s - first.publish_s) / (last.size - first.size)
    copied = f"a plain copy with fsync of the {last.size / 1e9:.2f} GB took {last.copy_s:.2f} s"
    return [
        Figure(
            f"publish of one day at {last.days} days",
            "does not grow faster than the copy of the file",
            f"from {first.days} days on by {slope:.2f} s for each second by which the copy grows "
            f"({last.publish_s / first.publish_s:.1f} ×, the copy {last.copy_s / first.copy_s:.1f} ×)",
            slope <= 1.05,
            ""
            if slope <= 1.05
            else (
                "besides copying, more of the file's directory and of the tables' last row groups is written "
                "again, and more files of the lake are listed"
            ),
        ),
        Figure(
            "publish of one day at 2 GB",
            f"≤ {BAR_S:.0f} s",
            f"{at_bar:.2f} s ({copied}; of {MEASURED} publications one merges row groups, which took "
            f"{last.longest_s:.1f} s)",
            at_bar <= BAR_S,
            "" if at_bar <= BAR_S else copied,
        ),
    ]


def run(home: Path, form: Form, *, keep: bool) -> None:
    """Measure all points of a form, then the queries."""
    runtime = Runtime(settings_of(home, LAST, form.days))
    try:
        if not any(home.glob("lake/videos")):
            write_core(home, form.accounts, form.days, SEED)
            write_state(runtime.state, world_of(form.accounts, form.days, SEED), 1)
            if form.marts:
                write_marts(runtime)
            with runtime.state.begin() as db:  # each day adds its own
                db.execute(text("DELETE FROM load_status"))
                db.execute(text("DELETE FROM load_status_days"))
        history = Arrivals(runtime, form)
        points = [measure(history, point) for point in form.points]
        by_hand = home / "by_hand.duckdb"
        make_by_hand(runtime, by_hand, form.marts)
        report(
            points,
            run_queries(runtime, by_hand, form),
            (runtime.warehouse.path.stat().st_size, by_hand.stat().st_size),
            form,
        )
    finally:
        runtime.close()
        if not keep:
            shutil.rmtree(home)


def main() -> None:
    """Run the form that the command line chooses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument(
        "--home", type=Path, help="an empty folder on the disk to be measured, kept afterwards; else a temporary one"
    )
    chosen = parser.parse_args()
    home = chosen.home or Path(tempfile.mkdtemp(prefix="publish-"))
    run(home, FULL if chosen.full else SHORT, keep=chosen.home is not None)


if __name__ == "__main__":
    main()
