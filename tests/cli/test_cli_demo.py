"""``douyin demo``: simulated days in a folder of its own, tables and the results of three queries at the end."""

from __future__ import annotations

from datetime import time

import pytest

from catalog import TABLES
from resources.config.project import SHIPPED


def test_a_morning(douyin, tmp_path, monkeypatch):
    """The short form: two runs of the quickest job. A whole day takes 20 s."""
    from apps.cli import demo

    monkeypatch.setattr(demo, "_TICKS", ((time(8, 5), "hourly"), (time(12, 5), "hourly")))
    monkeypatch.setenv("DAGSTER_HOME", "restored after the test")
    reported = douyin("demo", "--days", "1", "--accounts", "1", "--videos", "2", "--home", str(tmp_path / "demo"))
    assert reported.exit_code == 0, reported.output
    (line,) = (line for line in reported.stdout.splitlines() if line.split()[:1] == ["hot_words"])
    assert int(line.split()[-4]) == 100
    assert "sql/analyses/rising_words.sql" in reported.stdout
    assert "2 runs, " in reported.stdout
    assert (tmp_path / "demo" / "warehouse.duckdb").exists()


@pytest.mark.slow
def test_one_day(command):
    home = command.home / "demo"
    reported = command("demo", "--days", "1", "--accounts", "2", "--videos", "5", "--home", str(home))
    assert reported.returncode == 0, reported.stdout + reported.stderr
    for name, table in TABLES.items():
        (line,) = (line for line in reported.stdout.splitlines() if line.split()[:1] == [name])
        assert table.zh in line
        assert int(line.split()[-4].replace(",", "")) > 0 or table.history == "event", name
    for name in ("rising_words", "account_week", "board_climbers"):
        assert f"sql/analyses/{name}.sql" in reported.stdout
    assert "9 runs, " in reported.stdout
    for words in ("douyin sql", "douyin status", "make dev", ".env.example"):
        assert words in reported.stdout
    assert (home / "warehouse.duckdb").exists()
    assert list(command.cwd.iterdir()) == []
    assert not (command.home / "data").exists(), "a home of its own leaves the configured one alone"

    answer = command("sql", "--csv", "-c", "select count(distinct observed_at) from hot_words", DOUYIN_HOME=str(home))
    assert answer.stdout.split()[-1] == "4", "hot words are taken four times a day"

    # And it replaces only its own files.
    (home / ".demo").unlink()
    refused = command("demo", "--days", "1", "--home", str(home))
    assert refused.returncode == 1
    assert "no demo wrote" in refused.stderr
    assert (home / "warehouse.duckdb").exists()


def test_a_folder_of_another_user_is_refused(douyin, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("precious")
    reported = douyin("demo", "--home", str(tmp_path / "mine"))
    assert reported.exit_code == 1
    assert "no demo wrote" in reported.stderr
    assert "--home" in reported.stderr
    assert (tmp_path / "mine" / "work.txt").read_text() == "precious"


def test_days_have_bounds(douyin):
    for days in ("0", "61", "x"):
        assert douyin("demo", "--days", days).exit_code == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_three_days_end_with_answers(command):
    """Marts, the report, and every analysts' query have results."""
    home = command.home / "demo"
    reported = command("demo", "--days", "3", "--home", str(home), timeout_s=600)
    assert reported.returncode == 0, reported.stdout + reported.stderr
    page = home / "reports" / "2026-11-18.html"
    assert page.name in reported.stdout
    text = page.read_text(encoding="utf-8")
    assert len(text) < 5_000_000
    assert "http://" not in text.replace("http://www.w3.org", "")
    for section in ("上升热点词", "榜单变动", "账号趋势", "视频表现", "粉丝画像", "粉丝需求", "授权倒计时"):
        assert section in text
    for question in sorted((SHIPPED / "sql" / "analyses").glob("*.sql")):
        answer = command("sql", "--csv", "-f", str(question), DOUYIN_HOME=str(home))
        assert answer.returncode == 0, (question.name, answer.stderr)
        assert len(answer.stdout.splitlines()) > 1, f"{question.name} has no rows"

    # Rebuilt with another number of threads, every day of every mart has the same bytes, except the mart of the present
    # state.
    import duckdb

    from resources.config.settings import Settings
    from resources.runtime import Runtime
    from services.marts.build import Marts

    class OneThread(Marts):
        def _connect(self, *given) -> duckdb.DuckDBPyConnection:
            connection = super()._connect(*given)
            connection.execute("SET threads = 1")
            return connection

    runtime = Runtime(Settings(_env_file=None, home=home, client_key="sandbox-key", client_secret="secret"))
    kept = {p: p.read_bytes() for p in (home / "lake" / "marts").rglob("*.parquet") if "data_health" not in p.parts}
    assert len(kept) > 150
    for kind in (Marts, OneThread):
        for inputs in (home / "lake" / "marts").rglob("inputs.json"):
            inputs.unlink()
        changed = [
            b.bound.mart.name for b in kind(runtime).build_stale() if b.changed and b.bound.mart.name != "data_health"
        ]
        assert changed == []
    assert {p: p.read_bytes() for p in kept} == kept
    runtime.close()
