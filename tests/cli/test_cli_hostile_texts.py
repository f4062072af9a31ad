"""Texts of people and of the platform are printed without effect on the terminal.

They cause no colour, no cursor movement, no reversed writing and no markup; no table is cut.
"""

from __future__ import annotations

import io
import logging
import re
from datetime import UTC, date, datetime

import pytest

from apps.cli import console
from apps.cli.console import Grid, PlainConsole, styled
from catalog.errors import Action
from resources.client.errors import CallFailed
from resources.config.redaction import guard_loggers
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.state.accounts import AccountStatus, add_account, set_status
from resources.state.load_status import LoadStatus, Outcome, save_load_status
from resources.state.watched import WatchedItem, watch

HOSTILE = "a\x1b[31mred\x1b]0;title\x07\u202ecba\u2066\x9b2J\r[bold]b[/bold][link=http://x]c[/link]:100:"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NOW = datetime(2026, 11, 16, 4, tzinfo=UTC)


@pytest.fixture
def home(tmp_path):
    runtime = Runtime(Settings(_env_file=None, home=tmp_path / "data"))
    add_account(runtime.state, "key", "account-1", name=HOSTILE, now=NOW)
    set_status(runtime.state, "key", "account-1", AccountStatus.NEEDS_CONSENT, HOSTILE)
    watch(runtime.state, "key", [WatchedItem("keyword", HOSTILE, "")], NOW)
    save_load_status(
        runtime.state,
        [LoadStatus("videos", date(2026, 11, 16), "video_list", "key", "account-1", Outcome.FAILED, reason=HOSTILE)],
        NOW.timestamp(),
    )
    runtime.close()
    return tmp_path / "data"


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "accounts list",
        "watch list",
        "alerts check",
        "accounts pause unknown",
        "needs try ?",
        "outreach opt-out add p --account ?",
        "accounts pause ?",
        "parse ? /dev/null",
    ],
)
def test_no_command_obeys_a_text(douyin, home, words: str):
    app = {
        "DOUYIN_CLIENT_KEY": "key",
        "DOUYIN_CLIENT_SECRET": "secret-secret",
        "DOUYIN_TOKEN_KEY": "sGj1qTqG0oTTVxQ3wY0yF2mCw1m0jM0Xo3v3mE0pZ0A=",
        "DOUYIN_CLOCK": "2026-11-16T12:00:00+08:00",
    }
    reported = douyin(*(HOSTILE if w == "?" else w for w in words.split()), **app)
    assert OBEYED.findall(reported.output) == []
    if words in ("status", "accounts list", "watch list"):
        assert "\\x1b[31mred" in reported.output
        assert "\\u202ecba" in reported.output
        assert "[bold]b[/bold][link=http://x]c[/link]:100:" in reported.output.replace("\n", "")


def shown(width: int, print_to) -> str:
    out = io.StringIO()
    print_to(PlainConsole(file=out, width=width, force_terminal=True, color_system=None, emoji=False))
    return out.getvalue()


def test_cells_are_no_markup_and_nothing_is_cut():
    grid = Grid("table", "n")
    grid.add_row("fans_comments_by_day_and_account", "[red]1[/red]")
    grid.add_row(styled("[red]mark[/red]"), HOSTILE)
    text = shown(24, lambda c: c.print(grid))
    assert "…" not in text
    assert "[red]1[/re" in text
    assert "[red]mark" not in text
    assert "".join(text.split()).count("fans_comme") == 1
    assert OBEYED.findall(text) == []


def test_a_pipe_takes_whole_tables(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert PlainConsole(file=io.StringIO()).width == 220
    assert PlainConsole(file=io.StringIO(), width=70).width == 70


def test_status_on_eighty_columns_names_every_table_in_full(douyin, home, monkeypatch):
    from catalog import TABLES

    monkeypatch.setattr(console.console, "_width", 80)
    reported = douyin("status")
    assert "…" not in reported.stdout.partition("– never requested")[0].replace("[yellow]…", "")
    rows = "".join(line[:40].strip().split(" ")[0] for line in reported.stdout.splitlines())
    assert [name for name in TABLES if name not in rows] == []


def test_what_the_platform_says_is_one_line_without_commands_in_logs_and_reasons(caplog):
    error = CallFailed(Action.RETRY, 10001, f"{HOSTILE}\n2026-11-16 ERROR forged", operation="video_list")
    assert OBEYED.findall(str(error)) == []
    assert "\n" not in str(error)
    guard_loggers("tests.hostile")
    log = logging.getLogger("tests.hostile")
    with caplog.at_level(logging.INFO, "tests.hostile"):
        log.warning("event %s of %s", f"{HOSTILE}\nERROR forged", 1)
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            log.exception("it failed: %s", error)
    assert OBEYED.findall(caplog.text) == []
    assert "event a\\x1b[31mred" in caplog.text
    assert not [line for line in caplog.text.splitlines() if line.startswith(("ERROR forged", "2026-11-16 ERROR"))]
