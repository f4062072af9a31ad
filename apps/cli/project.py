"""``douyin init``: lay down a project folder with settings, marts, audiences and campaigns of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.cli.console import console, fail
from resources.config.account_attributes import COLUMNS, FILE
from resources.config.project import SHIPPED

_FOLDERS = ("campaigns", "sql/marts", "sql/audiences")
_README = """\
# A project of douyin-warehouse

Run `douyin` in this folder: it reads `.env` here.

| file | what it is for |
|---|---|
| `.env` | settings and credentials; keep it out of version control |
| `alerts.yaml` | which alerts go where |
| `accounts.csv` | category, owner and client of your accounts, for `marts.dim_accounts` |
| `sql/marts/*.sql` | tables of your own, built with the shipped ones |
| `sql/audiences/*.sql` | people that campaigns address |
| `campaigns/*.yaml` | campaigns, and `tags.yaml`, `replies.yaml` |

A file adds to the shipped ones, or takes the place of the one of its name.
The shipped ones are in `{shipped}`: copy one to change it.
"""
_SETTINGS = "# This folder, whose files add to the shipped ones (see README.md).\nDOUYIN_PROJECT=.\n\n"


def init(
    folder: Annotated[Path, typer.Argument(help="where; made if it does not exist")] = Path("."),
) -> None:
    """Lay down a project folder: settings, alerts, and folders for marts, audiences and campaigns of your own.

    Files that exist are left as they are.
    """
    texts = {
        ".env": _SETTINGS + (SHIPPED / ".env.example").read_text(encoding="utf-8"),
        ".gitignore": ".env\ndata/\n",
        "README.md": _README.format(shipped=SHIPPED),
        "alerts.yaml": (SHIPPED / "alerts.example.yaml").read_text(encoding="utf-8"),
        FILE: f"{','.join(COLUMNS)}\n",
    }
    try:
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        made = [name for name, text in texts.items() if _write_new(folder / name, text)]
    except OSError as error:
        fail(f"{folder}: cannot be written ({error.strerror}): choose another folder")
    for name in texts:
        console.print(f"{'made' if name in made else 'left as it is'}: {folder / name}", soft_wrap=True)
    if ".env" not in made and "DOUYIN_PROJECT" not in (folder / ".env").read_text(encoding="utf-8", errors="replace"):
        console.print(f"add DOUYIN_PROJECT=. to {folder / '.env'}, so that the files here are used", soft_wrap=True)
    where = "" if folder.resolve() == Path.cwd() else f"cd {folder}, "
    console.print(
        f"Next: {where}put the app's credentials into .env, then `douyin authorize` and `douyin run`; without "
        "an app `douyin demo` and `douyin dev` use the sandbox.",
        soft_wrap=True,
        highlight=False,
    )


def _write_new(path: Path, text: str) -> bool:
    """Write a file unless it exists, readable by its owner only; report whether it was written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            path.chmod(0o600)
            file.write(text)
    except FileExistsError:
        return False
    return True
