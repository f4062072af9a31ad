"""Mistaken and malicious inputs of users.

Each must end in a line that says what is wrong, and none may be accepted.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

SEED = 22
_PORTS = ("99999", "-1", "65536", "abc", "1.5", "")
_DAYS = ("0001-01-01", "9999-12-31", "2026-13-01", "2026-02-30", "20261101", "yesterday", "", "1970-01-01")
_EMPTY = ("", "   ")


@dataclass(frozen=True)
class Input:
    """Arguments of a command, and variables. ``{folder}`` stands for a folder with the files of :func:`write_files`."""

    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return " ".join(
            [*(f"{k}={v}" for k, v in self.environment.items()), *(w if w.strip() else repr(w) for w in self.words)]
        )


def _each(command: str, values: tuple[str, ...]) -> list[Input]:
    """A command with each value in the place of ``?``."""
    return [Input(tuple(value if word == "?" else word for word in command.split())) for value in values]


def all_inputs() -> list[Input]:
    found: list[Input] = []
    for command in (
        "dashboard --port ?",
        "dev --port ?",
        "dev --sandbox-port ?",
        "receive --port ?",
        "sandbox --port ?",
        "authorize --port ?",
    ):
        found += _each(command, _PORTS)
    for command in (
        "run --date ?",
        "report --date ?",
        "backfill --dry-run --from ?",
        "backfill --dry-run --from 2026-11-01 --to ?",
        "export hot_words -f csv --from ?",
        "export hot_words -f csv --to ?",
        "replay --dry-run --from ?",
        "verify --from ?",
    ):
        found += _each(command, _DAYS)
    for command in (
        "accounts pause ?",
        "accounts resume ?",
        "accounts remove --yes ?",
        "accounts tag ? +word",
        "watch add keyword ?",
        "watch remove keyword ?",
        "outreach opt-out add ?",
        "outreach opt-out add p1 ?",
        "outreach opt-out remove ?",
        "outreach plan ?",
        "outreach effect ?",
        "outreach approve 1 --by ?",
        "outreach resolve 1 --sent --by ?",
        "alerts mute ?",
        "alerts test ?",
        "authorize --code ?",
        "authorize --code x --name ?",
        "authorize --code x --tag ?",
        "receive --host ?",
        "dashboard --host ?",
    ):
        found += _each(command, _EMPTY)
    for command, values in {
        "status --days ?": ("0", "-1", "61", "abc", "1e3"),
        "demo --days ?": ("0", "61"),
        "demo --accounts ?": ("0", "1000000000"),
        "alerts list --days ?": ("0", "366", "x"),
        "outreach show ?": ("0", "-1", "abc", "7", "99999999999999999999999"),
        "outreach approve ? --by me": ("0", "7"),
        "outreach send ?": ("0", "7"),
        "outreach recall ?": ("0", "7"),
        "outreach resolve ? --sent --by me": ("0", "7"),
        "outreach show 1 --limit ?": ("-1",),
        "parse oauth_userinfo {folder}/empty.json --limit ?": ("-1", "x"),
        "sandbox --accounts ?": ("0", "1000000000000"),
        "sandbox --latency-ms ?": ("nan", "inf", "-1"),
        "sandbox --dead-tokens ?": ("2", "nan", "-0.1"),
        "sandbox --qps ?": ("0", "nan", "-3"),
        "storage compact --max-mb ?": ("nan", "inf", "-1"),
        "alerts mute nothing --for ?": ("", "5", "nan", "-1h", "99999999999d"),
    }.items():
        found += _each(command, values)
    for command in (
        "status -s ?",
        "run -s ?",
        "backfill --dry-run --from 2026-11-01 -s ?",
        "replay --dry-run -s ?",
        "verify -s ?",
        "storage prune -s ?",
        "storage compact -s ?",
        "export ?",
        "parse ? {folder}/empty.json",
        "coverage --enable ?",
        "coverage --only ?",
        "coverage --app ?",
        "outreach effect ?",
        "outreach plan ?",
        "accounts pause ?",
        "watch add ? word",
        "watch remove keyword ?",
        "alerts test ?",
        "alerts mute ?",
        "receive subscribe ?",
        "sandbox --now ?",
        "sandbox --app ?",
        "sandbox --answer ?",
        "sandbox --lacking ?",
        "sandbox --withdrawn ?",
        "?",
        "outreach opt-out remove ?",
    ):
        found += _each(command, ("nonsense", "../../etc/passwd"))
    for command in (
        "sql -f ?",
        "export ? -f csv",
        "watch import keyword ?",
        "accounts import ?",
        "parse oauth_userinfo ?",
    ):
        found += [
            one
            for name in ("gbk.sql", "bytes.sql", "folder.sql", "missing.sql")
            for one in _each(command, (f"{{folder}}/{name}",))
        ]
    found += [
        Input(("export", "{folder}/empty.sql")),
        Input(("accounts", "import", "{folder}/deep.json")),
        Input(("accounts", "import", "{folder}/number.json")),
    ]
    found += [
        Input(tuple(words.split()))
        for words in (
            "sql -c selct",
            "sql -c .shell",
            "sql -c .shell\u00a0id",
            "sql -c FROM\u00a0nothing",
            "export hot_words -f pdf",
            "export hot_words -o /proc/nowhere/x.xlsx",
            "export hot_words --from 2026-11-02 --to 2026-11-01 -f csv",
            "verify --from 2026-11-02 --to 2026-11-01",
            "replay --dry-run --from 2026-11-02 --to 2026-11-01",
            "backfill --dry-run --from 2026-11-02 --to 2026-11-01",
            "backfill",
            "backfill --resume --from 2026-11-01",
            "watch add video 7",
            "accounts tag unknown word",
            "outreach plan",
            "outreach plan hello --tags",
            "sandbox --now 0001-01-01",
            "sandbox --answer write=7",
            "sandbox --answer write=nan",
            "authorize --code code --app nonsense",
            "accounts list --app nonsense",
            "watch list --app nonsense",
            "outreach opt-out add p --account unknown",
            "outreach opt-out add p --app nonsense",
        )
    ]
    for name, values, command in (
        ("DOUYIN_HOME", ("{folder}/empty.sql", "{folder}/empty.sql/below"), ("watch", "list")),
        ("DOUYIN_HOME", ("{folder}/empty.sql",), ("publish",)),
        (
            "DOUYIN_STATE_URL",
            (
                "nonsense",
                "mysql://u@127.0.0.1/x",
                "postgresql+nodriver://u@127.0.0.1/x",
                "sqlite:///{folder}/gbk.sql",
                "sqlite:////proc/nowhere/all.db",
                "oracle://x",
            ),
            ("accounts", "list"),
        ),
        ("DOUYIN_CLOCK", ("nonsense",), ("status",)),
        ("DOUYIN_BASE_URL", ("ftp://x", ""), ("status",)),
        ("DOUYIN_TOKEN_KEY", ("short",), ("run",)),
        ("DOUYIN_LIMITS", ("{", "[]"), ("status",)),
        (
            "DOUYIN_ALERTS_FILE",
            ("{folder}/missing.yaml", "{folder}/bytes.sql", "{folder}/folder.sql"),
            ("alerts", "check"),
        ),
        ("DOUYIN_NEEDS_DIR", ("{folder}", "/proc/nowhere"), ("needs", "try", "好")),
        ("DOUYIN_CAMPAIGNS_DIR", ("/proc/nowhere", "{folder}/bad"), ("outreach", "list")),
        ("DOUYIN_START_DATE", ("nonsense",), ("status",)),
        ("DOUYIN_QPS", ("abc", "-1"), ("status",)),
        ("DOUYIN_REDIRECT_URI", ("http://127.0.0.1:99999/x", "http://[/x"), ("authorize",)),
        ("DOUYIN_PROXY", ("nonsense",), ("doctor",)),
    ):
        found += [Input(command, {name: value}) for value in values]
    return list(dict.fromkeys(found))


def some_inputs(count: int) -> list[Input]:
    """Return a sample that is the same every day."""
    return random.Random(SEED).sample(all_inputs(), count)


def write_files(folder: Path) -> None:
    (folder / "gbk.sql").write_bytes("SELECT '热点词'".encode("gbk"))
    (folder / "bytes.sql").write_bytes(bytes(range(256)))
    (folder / "folder.sql").mkdir()
    (folder / "empty.sql").write_text("")
    (folder / "empty.json").write_text("{}")
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "number.json").write_text("[1, null, {}]")
    (folder / "bad").mkdir()
    (folder / "bad" / "bad.yaml").write_text("name: [")


def placed(one: Input, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Words and variables with the folder's path in them."""
    return [w.replace("{folder}", str(folder)) for w in one.words], {
        k: v.replace("{folder}", str(folder)) for k, v in one.environment.items()
    }
