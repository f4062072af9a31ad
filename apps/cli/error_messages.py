"""Explain errors to a person in one line that says what to do. The traceback is for ``DOUYIN_DEBUG=1``."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from apps.cli.console import fail
from resources.config.redaction import redact

_OURS = ("resources", "assets", "catalog", "pipelines", "sandbox")
_ELSEWHERE = "give this user the right to it, or set DOUYIN_HOME to another folder"
_ADVICE = {
    errno.ENOSPC: (
        "the disk is full: free some space (`douyin storage` shows what takes it), then run this again; what "
        "was there before is whole"
    ),
    errno.EDQUOT: (
        "the quota of this user is used up: free some space (`douyin storage` shows what takes it), then run this again"
    ),
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
    errno.EROFS: _ELSEWHERE,
    errno.ENOTDIR: "a file stands where a folder is needed: move it away, or set DOUYIN_HOME to another folder",
    errno.EEXIST: "a file stands where a folder is needed: move it away, or set DOUYIN_HOME to another folder",
    errno.EMFILE: "too many open files: raise the limit (`ulimit -n`)",
}
_STATE = (
    (
        "database is locked",
        "another process has locked the state for half a minute: wait for it, or end it, then run this again",
    ),
    ("disk is full", _ADVICE[errno.ENOSPC]),
    ("readonly database", f"the state may only be read here: {_ELSEWHERE}"),
    ("unable to open database file", f"the state cannot be opened: {_ELSEWHERE}"),
    ("malformed", "the state is damaged: stop every process of this installation, then put back a copy of state.db"),
    (
        "not a database",
        "the state is no SQLite database: stop every process of this installation, then put back a copy of state.db",
    ),
    ("disk I/O error", "the disk does not read or write the state: look at the disk, then run this again"),
)
_NO_STATE = "the state cannot be reached: look at DOUYIN_STATE_URL and at the database server"


def explain(error: BaseException) -> str:
    """Explain an error in one line: what is wrong, where, and what to do."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    said = _known(error)
    return redact(said if said is not None else _unknown(error)).replace("\n", " ")


def _known(error: BaseException) -> str | None:
    kind = type(error)
    package = kind.__module__.partition(".")[0]
    if package in _OURS:  # made for people to read
        return str(error)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        advice = _ADVICE.get(error.errno or 0)
        return f"{place}{error.strerror or error}" + (f"; {advice}" if advice else "")
    if isinstance(error, MemoryError):
        return "there is not enough memory: ask for less at a time"
    text = str(getattr(error, "orig", None) or error).partition("\n")[0]
    if package == "sqlalchemy":
        if kind.__name__ in ("ArgumentError", "NoSuchModuleError"):
            return (
                f"DOUYIN_STATE_URL is not usable ({text}): write sqlite:///path or postgresql+psycopg://user@host/name"
            )
        return f"{next((advice for sign, advice in _STATE if sign in text), _NO_STATE)} ({text})"
    if package in ("duckdb", "_duckdb"):
        return f"the warehouse cannot be read ({text}): `douyin publish --rebuild` makes it anew from the lake"
    if isinstance(error, ModuleNotFoundError):
        return (
            f"the package {error.name} is not installed: install it into this environment, or change the "
            "setting that needs it (DOUYIN_STATE_URL)"
        )
    return None


def _unknown(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = (
        (
            " at "
            f"{os.path.basename(os.path.dirname(frames[-1].filename))}/{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}"
        )
        if frames
        else ""
    )
    return (
        f"this should not happen: {type(error).__name__}: {str(error) or 'no message'}{place}. Set "
        "DOUYIN_DEBUG=1 to see all of it, and report it"
    )


@contextmanager
def explained() -> Iterator[None]:
    """End the command with one line on an error that it does not report itself."""
    try:
        yield
    except Exception as error:
        passes = (
            isinstance(error, (typer.Abort, typer.Exit, TyperException)) or getattr(error, "errno", None) == errno.EPIPE
        )
        if passes or os.environ.get("DOUYIN_DEBUG", "") not in ("", "0"):
            raise
        fail(explain(error))


class Explaining(TyperGroup):
    """The group of all commands; none of them shows a traceback."""

    def invoke(self, ctx):
        """Run a command with its errors explained."""
        with explained():
            return super().invoke(ctx)


def speak_any_text() -> None:
    """Write characters that the terminal's encoding lacks as escapes: ✓ is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
