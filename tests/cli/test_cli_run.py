"""``douyin authorize``, ``run``, ``sql`` and ``status`` one after the other on one installation, against a sandbox.

The tests of this file build on each other, in their order: a run costs about ten seconds.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from cli_command import Command

from apps.cli.run import choose
from apps.cli.simulation import SANDBOX_TOKEN_KEY
from catalog import TABLES
from resources.state.sealing import Vault
from sandbox.config import SandboxConfig
from sandbox.server import running

NOW = "2025-11-17T16:40:00+08:00"
NEXT_DAY = "2025-11-18T16:40:00+08:00"


@dataclass
class Installation:
    """One home, its command, and the sandbox that it uses."""

    command: Command
    control: httpx.Client
    accounts: list[dict]

    def calls(self) -> int:
        return self.control.get("stats").json()["total"]

    def query(self, sql: str) -> list[list[str]]:
        reported = self.command("sql", "--csv", "-c", sql)
        assert reported.returncode == 0, reported.stderr
        return list(csv.reader(io.StringIO(reported.stdout)))[1:]


SOME = (
    "hot_words",
    "billboard_creators",
    "billboard_stars",
    "billboard_music",
    "fans",
    "videos",
    "item_play",
    "user_fans",
)
"""The tables of this file's tests; :func:`test_run_loads_every_table` has an installation of its own."""
SERIES = [name for name, table in TABLES.items() if table.history == "window"]
REQUESTED = [name for name, table in TABLES.items() if table.history != "event"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    yield from installation(tmp_path_factory.mktemp("installed"))


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Installation]:
    yield from installation(tmp_path)


def installation(home: Path) -> Iterator[Installation]:
    with (
        running(SandboxConfig(accounts=2, videos=5, most_fans=20_000, now=datetime.fromisoformat(NOW))) as handle,
        httpx.Client(base_url=f"{handle.url}/_sandbox/", trust_env=False, timeout=30) as control,
    ):
        command = Command(
            home,
            DOUYIN_BASE_URL=handle.url,
            DOUYIN_CLIENT_KEY="sandbox-key",
            DOUYIN_CLIENT_SECRET="sandbox-secret",
            DOUYIN_CLOCK=NOW,
            DOUYIN_START_DATE="2025-11-10",
            DOUYIN_QPS="1000",
            DOUYIN_RETRY_BASE_S="0.01",
            DOUYIN_TOKEN_KEY=SANDBOX_TOKEN_KEY,
        )
        yield Installation(command, control, control.get("accounts").json())


# --------------------------------------------------------------------------- authorize


def test_authorize_with_a_code(installed: Installation):
    reported = installed.command("authorize", "--code", installed.accounts[0]["code"], "--name", "主号 [main]")
    assert reported.returncode == 0, reported.stderr
    assert f"主号 [main] {installed.accounts[0]['open_id']} is authorised" in reported.stdout
    assert installed.accounts[0]["code"] not in reported.stdout + reported.stderr


def test_authorize_with_the_address_that_the_browser_was_sent_to(installed: Installation):
    reported = installed.command(
        "authorize", "--code", f"https://app.example/back?code={installed.accounts[1]['code']}&state=x"
    )
    assert reported.returncode == 0, reported.stderr
    assert installed.accounts[1]["open_id"] in reported.stdout


def test_authorize_with_a_used_code(installed: Installation):
    reported = installed.command("authorize", "--code", installed.accounts[0]["code"])
    assert reported.returncode == 1
    assert "code 10007" in reported.stderr
    assert "Traceback" not in reported.stderr


def test_authorize_shows_the_consent_page_and_checks_the_state(installed: Installation):
    reported = installed.command(
        "authorize",
        input="https://app.example/back?code=abc&state=foreign\n",
        DOUYIN_REDIRECT_URI="https://app.example/back",
    )
    assert reported.returncode == 1
    assert "/platform/oauth/connect/?client_key=sandbox-key&" in reported.stdout
    assert "redirect_uri=https%3A%2F%2Fapp.example%2Fback" in reported.stdout
    assert "state in that address is not the one" in reported.stderr
    assert "sandbox-secret" not in reported.stdout + reported.stderr


def test_authorize_needs_a_callback_address(installed: Installation):
    reported = installed.command("authorize", input="x\n")
    assert reported.returncode == 1
    assert "DOUYIN_REDIRECT_URI" in reported.stderr


# --------------------------------------------------------------------------- run


def test_sql_before_anything_was_published(installed: Installation):
    reported = installed.command("sql", "-c", "select 1")
    assert reported.returncode == 1
    assert "nothing was published" in reported.stderr
    assert "douyin run" in reported.stderr


def loaded(installed: Installation, tables: list[str], *words: str) -> None:
    """Run, and check the output about each table and about all of them."""
    reported = installed.command("run", *words)
    assert reported.returncode == 0, reported.stdout + reported.stderr
    lines = {words[0]: words for line in reported.stdout.splitlines() if (words := line.split())}
    for name in tables:
        table = TABLES[name]
        # It is a Monday: the whole window of a series is taken, as far as there are partitions.
        if table.history == "event":
            assert lines[name][1] == "–", "no receiver ever ran, and that is no failure"
            continue
        days = ["2025-11-10", "…", "2025-11-16"] if table.history == "window" else ["2025-11-17"]
        assert lines[name][1 : 1 + len(days)] == days
        assert int(lines[name][1 + len(days)].replace(",", "")) > 0, name
    assert f"{len(tables)}/{len(tables)} published" in reported.stdout
    requested = len([name for name in tables if name in REQUESTED])
    assert re.search(
        rf"^loaded [\d,]+ rows of {requested} tables with [\d,]+ calls; /.*/warehouse\.duckdb holds all of the lake \(",
        reported.stdout,
        re.M,
    )
    assert "31 loaded" in reported.stdout
    assert installed.calls() > 50
    assert list(installed.command.cwd.iterdir()) == []


def test_run_loads_tables(installed: Installation):
    loaded(installed, choose(SOME), "-s", ",".join(SOME))


@pytest.mark.slow
def test_run_loads_every_table(another: Installation):
    for account in another.accounts:
        assert another.command("authorize", "--code", account["code"]).returncode == 0
    for kind, value in (("keyword", "咖啡"), ("poi-keyword", "咖啡"), ("amap", "B0SANDBOX0001")):
        assert another.command("watch", "add", kind, value).returncode == 0
    loaded(another, list(TABLES))
    assert another.calls() > 100
    assert another.query("select count(*) from meta.partitions where name not like 'marts/%'") == [
        [str(len(REQUESTED) + 6 * len(SERIES))]
    ]


def test_a_second_run_requests_nothing(installed: Installation):
    before = installed.calls()
    reported = installed.command("run", "-s", "hot_words,billboard_music,fans", "-s", "item_play,user_fans")
    assert reported.returncode == 0, reported.stdout + reported.stderr
    assert installed.calls() == before
    assert re.search(
        r"^nothing was left to fetch: [\d,]+ rows of \d+ tables are loaded; /.*/warehouse\.duckdb holds "
        r"all of the lake \(",
        reported.stdout,
        re.M,
    )


def test_secrets_stand_in_the_state_only_which_no_other_user_may_read(installed: Installation):
    home = installed.command.home / "data"
    assert (home / "state.db").stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(home / "state.db")) as state:
        tables = [name for (name,) in state.execute("select name from sqlite_master where type = 'table'")]
        values = [
            value
            for name in tables
            for row in state.execute(f'select * from "{name}"')
            for value in row
            if isinstance(value, str)
        ]
    assert not [v for v in values if v.startswith(("act.", "rft.", "clt."))], "tokens are sealed"
    sealed = [v for v in values if v.startswith("sealed:")]
    assert len(sealed) == 2 * 2 + 1
    vault = Vault(SANDBOX_TOKEN_KEY)
    secrets = [secret.encode() for v in sealed for secret in (v, vault.open(v))] + [b"sandbox-secret"]
    for file in home.rglob("*"):
        if file.is_file() and not file.name.startswith("state.db"):
            content = file.read_bytes()
            assert not any(secret in content for secret in secrets), file


# --------------------------------------------------------------------------- sql


def test_sql_answers(installed: Installation):
    assert installed.query("select count(*) from hot_words") == [["50"]]
    assert installed.query("select count(distinct open_id) from fans_profile") == [["2"]]
    assert installed.query("select count(*) from marts.hot_words_now") == [["50"]], "marts are made by the same command"
    assert installed.query("select count(*) from meta.partitions where name not like 'marts/%'") == [
        [str(len(choose(SOME)) + 6 * len(set(SOME).intersection(SERIES)))]
    ]


@pytest.mark.parametrize("zone", ["America/New_York", ""])
def test_instants_are_shown_in_beijing_time(installed: Installation, zone: str):
    sql = "SELECT TIMESTAMPTZ '2026-11-16 20:00:00+00' AS at, TIMESTAMPTZ '2026-11-16 20:00:00+00'::DATE AS day"
    reported = installed.command("sql", "--csv", "-c", sql, TZ=zone)
    assert reported.stdout.splitlines() == ["at,day", "2026-11-17 04:00:00+08,2026-11-17"]
    file = installed.command.cwd / "instants.sql"
    file.write_text(sql, encoding="utf-8")
    reported = installed.command("export", "instants.sql", "--format", "csv", "--force", TZ=zone)
    assert reported.returncode == 0, reported.stderr
    written = installed.command.cwd / "instants.csv"
    assert written.read_text(encoding="utf-8-sig").replace('"', "").splitlines() == [
        "at,day",
        "2026-11-17 04:00:00,2026-11-17",
    ]
    file.unlink()
    written.unlink()


def test_sql_prints_a_table(installed: Installation):
    reported = installed.command(
        "sql", "-c", "select board, count(*) as creators from billboard_creators group by 1 order by 1 limit 1"
    )
    assert reported.returncode == 0
    assert "creators" in reported.stdout
    assert "│" in reported.stdout


def test_sql_from_a_file(installed: Installation):
    file = installed.command.home / "question.sql"
    file.write_text("-- 问题\nselect '答案' as answer, 6 * 7 as n;\n", encoding="utf-8")
    reported = installed.command("sql", "--csv", "-f", str(file))
    assert (reported.returncode, reported.stdout.split()) == (0, ["answer,n", '"答案",42'])


def test_sql_from_standard_input(installed: Installation):
    reported = installed.command("sql", "--csv", input="select count(*) as n from billboard_stars;\n")
    assert (reported.returncode, reported.stdout.split()) == (0, ["n", "30"])


def test_sql_reads_only(installed: Installation):
    reported = installed.command("sql", "-c", "delete from hot_words")
    assert reported.returncode != 0
    assert "read-only" in reported.stderr
    assert installed.query("select count(*) from hot_words") == [["50"]]


def test_sql_that_is_wrong(installed: Installation):
    reported = installed.command("sql", "-c", "selct 1")
    assert reported.returncode != 0
    assert "syntax error" in reported.stderr


# --------------------------------------------------------------------------- status


def status_row(stdout: str, table: str) -> list[str]:
    return next(line.split() for line in stdout.splitlines() if line.split()[:1] == [table])


def test_status_shows_rows_and_accounts(installed: Installation):
    reported = installed.command("status")
    assert reported.returncode == 0, reported.stderr
    assert "11-17" in reported.stdout
    assert status_row(reported.stdout, "hot_words")[-1] == "50"
    assert status_row(reported.stdout, "billboard_creators")[-1] == "930"
    assert status_row(reported.stdout, "user_fans") == ["user_fans", "T+1", *["2"] * 6, "–"]
    unloaded = reported.stdout.partition("not loaded")[2].split(" accounts: ")[0]
    lines = [line for line in unloaded.splitlines() if "[main]" in line or "partial" in line or "failed" in line]
    assert [line for line in lines if "older than 30 days by now" not in line] == [], (
        "the whole window reaches days of which some videos are too old; nothing else failed"
    )
    for account in installed.accounts:
        assert account["open_id"][:8] in reported.stdout
    assert "主号 [main]" in reported.stdout
    assert "15.0 d" in reported.stdout


def test_faults_of_one_account_are_reported_and_leave_the_others_alone(installed: Installation):
    first, second = (a["open_id"] for a in installed.accounts)
    installed.control.put("clock", json={"now": NEXT_DAY}).raise_for_status()
    orders = [
        {"operation": "fans_source", "kind": "private", "times": None, "open_id": first},
        {"operation": "user_fans", "kind": "too_frequent", "times": None, "open_id": second},
        {"operation": "billboard_stars", "kind": "capability_offline", "times": None},
    ]
    installed.control.post("faults", json=orders).raise_for_status()
    reported = installed.command(
        "run", "-s", "fans_sources,billboard_stars", "--select", "user_fans", DOUYIN_CLOCK=NEXT_DAY
    )
    assert reported.returncode == 0, reported.stdout + reported.stderr
    assert "1 loaded, 1 skipped" in reported.stdout
    assert "1 loaded, 1 failed" in reported.stdout or "1 failed, 1 loaded" in reported.stdout
    assert "1 unavailable" in reported.stdout
    assert installed.query("select distinct open_id from fans_sources where dt = '2025-11-18'") == [[second]]
    assert installed.query("select distinct open_id from user_fans where dt = '2025-11-17'") == [[first]]


def test_status_shows_who_failed_and_why(installed: Installation):
    reported = installed.command("status", "-s", "fans,user_fans,billboard_stars", DOUYIN_CLOCK=NEXT_DAY)
    assert reported.returncode == 0, reported.stderr
    failures, known = reported.stdout.split("not loaded")[1].split(" accounts: ")[0].split("cannot be had by this app")
    by_operation = {
        words[1]: line
        for line in failures.splitlines()
        if len(words := line.replace("主号 [main]", "主号").split()) > 2
    }
    assert "主号 [main]" in by_operation["fans_source"]
    assert "private" in by_operation["fans_source"]
    assert installed.accounts[1]["name"] in by_operation["user_fans"]
    assert "too frequent" in by_operation["user_fans"]
    assert failures.count("[logid ") == 2, "support asks for it"
    assert "billboard_stars" not in failures, "what the platform took away is known, and stands by itself"
    assert "no longer granted by the platform" in known
    assert "`douyin coverage --enable billboard_stars`" in known
    assert status_row(reported.stdout, "user_fans")[-2] == "1!"
    assert status_row(reported.stdout, "billboard_stars")[-1] == "⊘"
    assert "hot_words" not in reported.stdout


def test_a_past_day_of_a_snapshot_is_not_invented(installed: Installation):
    before = installed.calls()
    reported = installed.command("run", "--date", "2025-11-10", "-s", "hot_words")
    assert reported.returncode == 1
    assert "✗ hot_words" in reported.stdout
    assert "this day cannot be had any more" in reported.stdout
    assert installed.calls() == before
    assert installed.query("select count(*) from hot_words where dt < '2025-11-17'") == [["0"]]


def test_publish_makes_a_lost_warehouse_again(installed: Installation):
    before = installed.query("select count(*), sum(rank) from billboard_creators")
    (installed.command.home / "data" / "warehouse.duckdb").unlink()
    reported = installed.command("publish")
    assert reported.returncode == 0, reported.stderr
    assert installed.query("select count(*), sum(rank) from billboard_creators") == before


# --------------------------------------------------------------------------- in this process


@pytest.mark.parametrize(
    ("select", "chosen"),
    [
        (None, list(TABLES)),
        ([], list(TABLES)),
        (["hot_words"], ["hot_words"]),
        (["hotsearch"], ["hot_words", "hot_words_rising", "hot_word_videos"]),
        (["fans_data"], ["fans_profile", "fans_distributions", "fans_flow"]),
        (["billboard_sport_overall"], ["billboard_creators", "billboard_creator_videos"]),
        (["user_fans,hot_words", "video"], ["hot_words", "videos", "video_totals", "search_videos", "user_fans"]),
        ([" user_fans , user_like "], ["user_fans", "user_like"]),
    ],
)
def test_selections(select: list[str] | None, chosen: list[str]):
    assert choose(select) == chosen


@pytest.mark.parametrize("words", ["nonsense", "hot_words,nonsense", "billboard_", ""])
def test_an_unknown_selection_shows_what_there_is(douyin, words: str):
    for name in ("run", "status"):
        reported = douyin(
            name, "-s", words, DOUYIN_CLIENT_KEY="k", DOUYIN_CLIENT_SECRET="s", DOUYIN_TOKEN_KEY=SANDBOX_TOKEN_KEY
        )
        assert reported.exit_code == 2
        assert "is no table, domain or operation" in reported.stderr
        assert (
            "domains: account, billboard, comment, ent_rank, fans, hotsearch, im, item, lead, ops, poi, user, video"
            in reported.stderr
        )
        assert all(table in reported.stderr for table in TABLES)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2025-11-18", "2025-11-18 has not begun in Beijing"),
        ("2024-12-31", "hot_words of 2024-12-31 lies before the first day, DOUYIN_START_DATE=2025-01-01"),
        ("2025-01-01", "item_like of 2024-12-31 lies before the first day"),
        ("yesterday", "yesterday"),
    ],
)
def test_days_that_no_partition_holds(douyin, day: str, why: str):
    reported = douyin(
        "run",
        "--date",
        day,
        DOUYIN_CLIENT_KEY="k",
        DOUYIN_CLIENT_SECRET="s",
        DOUYIN_CLOCK=NOW,
        DOUYIN_TOKEN_KEY=SANDBOX_TOKEN_KEY,
    )
    assert reported.exit_code == 2
    assert why in reported.stderr


@pytest.mark.parametrize("missing", [{}, {"DOUYIN_CLIENT_KEY": "k"}, {"DOUYIN_CLIENT_SECRET": "s"}])
@pytest.mark.parametrize("name", ["run", "authorize"])
def test_without_credentials_a_command_says_how_to_get_some(douyin, tmp_path, name: str, missing: dict):
    reported = douyin(name, **missing)
    assert reported.exit_code == 1
    for words in (
        "No credentials",
        "make demo",
        "DOUYIN_CLIENT_KEY",
        "DOUYIN_CLIENT_SECRET",
        ".env.example",
        "douyin authorize",
    ):
        assert words in reported.stderr
    assert not (tmp_path / "data").exists()


def test_a_run_that_loads_nothing_says_so(douyin):
    reported = douyin(
        "run",
        "--select",
        "hot_words",
        DOUYIN_BASE_URL="http://127.0.0.1:9",
        DOUYIN_CLIENT_KEY="a",
        DOUYIN_CLIENT_SECRET="b",
        DOUYIN_TOKEN_KEY=SANDBOX_TOKEN_KEY,
        DOUYIN_RETRY_BASE_S="0",
        DOUYIN_CLOCK=NOW,
    )
    assert reported.exit_code == 1
    assert re.search(
        r"^loaded no rows; 1 of 1 tables failed; /.*/warehouse\.duckdb holds all of the lake \(", reported.stdout, re.M
    ), reported.stdout
    assert "✗ hot_words" in reported.stdout
    assert "published" not in reported.stdout.splitlines()[-2]


def test_sql_options_that_exclude_each_other(douyin, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "warehouse.duckdb").touch()
    assert douyin("sql", "-c", "select 1", "-f", "x.sql").exit_code == 2
    reported = douyin("sql", "-f", "missing.sql")
    assert reported.exit_code == 2
    assert "cannot read missing.sql" in reported.stderr


def test_an_env_file_in_the_working_directory_is_read(douyin, tmp_path):
    (tmp_path / ".env").write_text("DOUYIN_QPS=abc\nDOUYIN_UNKNOWN=1\n", encoding="utf-8")
    reported = douyin("run")
    assert reported.exit_code == 1
    assert "DOUYIN_QPS" in reported.stderr
    assert json.dumps("abc") not in reported.stderr
