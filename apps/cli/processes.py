"""Find the running processes of this installation's programs, and the home of each."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic_settings import DotEnvSettingsSource

from apps.cli.findings import Finding, failure, ok, warn
from pipelines.home import DAGSTER, check_home, environment_of, foreign_home
from resources.config.settings import BadSettings, Settings
from resources.storage.private import is_wider, wider

_PROC = Path("/proc")
_FEW = 3
_SERVICES = {
    "dagster-daemon": "dagster-daemon",
    "dagster-webserver": "dagster-webserver",
    "code server": r"dagster api grpc|dagster code-server|dagster\._grpc",
    "run": r"multiprocessing\.spawn|api execute_run",
    "douyin receive": r"(douyin|apps\.cli\.main) receive",
    "douyin dashboard": r"(douyin|apps\.cli\.main) dashboard",
    "douyin outreach": r"(douyin|apps\.cli\.main) outreach (send|reply)",
    "douyin run": r"(douyin|apps\.cli\.main) (run|backfill|replay)",
}
"""Service -> pattern of its command line; the first match counts."""


@dataclass(frozen=True, slots=True)
class Process:
    """A running service. ``home`` is from its settings, ``dagster_home`` from the environment it was started with."""

    pid: int
    name: str
    home: Path
    dagster_home: Path | None


def running_services() -> Iterator[Process]:
    """Find the services of this user that run from this Python environment, by process id. Only on Linux."""
    if not _PROC.is_dir():
        return
    for folder in sorted((p for p in _PROC.iterdir() if p.name.isdigit()), key=lambda p: int(p.name)):
        try:
            words = os.fsdecode((folder / "cmdline").read_bytes()).split("\0")
            cwd = (folder / "cwd").resolve()
            name = _service(words, cwd)
            if name is None or folder.stat().st_uid != os.geteuid() or int(folder.name) == os.getpid():
                continue
            environment = environment_of(folder)
        except OSError:  # ended meanwhile, or of another user
            continue
        dagster_home = environment.get("DAGSTER_HOME")
        yield Process(
            int(folder.name), name, _home(environment, cwd), Path(dagster_home).resolve() if dagster_home else None
        )


def _service(words: list[str], cwd: Path) -> str | None:
    """Return the name of a process's service; None for no service, or one of another Python environment."""
    if not any(
        Path(os.path.abspath(cwd / word)).is_relative_to(Path(sys.prefix) / "bin") for word in words[:2] if word
    ):
        return None
    line = " ".join([Path(words[0]).name, Path(words[1]).name if len(words) > 1 else "", *words[2:]])
    return next((name for name, pattern in _SERVICES.items() if re.search(pattern, line)), None)


def _home(environment: dict[str, str], cwd: Path) -> Path:
    """Resolve ``DOUYIN_HOME`` as :class:`Settings` do.

    The environment takes precedence over ``.env`` of the working directory, and that over the default.
    """
    given = {name.upper(): value for name, value in environment.items()}
    try:
        named = DotEnvSettingsSource(Settings, env_file=cwd / ".env").env_vars.get("douyin_home")
    except (OSError, UnicodeDecodeError):
        named = None
    text = given.get("DOUYIN_HOME") or named or str(Settings.model_fields["home"].default)
    return (cwd / Path(text).expanduser()).resolve()


def check_homes(settings: Settings) -> Iterator[Finding]:
    """Show which home this command and each running service use."""
    try:
        check_home(settings)
    except BadSettings as error:
        yield failure(str(error), "every other command refuses this, so that nothing is written into a second home")
    found = list(running_services())
    for one in found:
        what = f"{one.name} (process {one.pid}) uses {one.home}"
        if one.dagster_home is not None and one.dagster_home != one.home / DAGSTER:
            yield warn(
                f"{what}, and its DAGSTER_HOME is another's: it runs nothing", foreign_home(one.home, one.dagster_home)
            )
        elif one.home == settings.home:
            yield ok(what)
        else:
            yield warn(
                f"{what}, not {settings.home}",
                "a home of its own, with its own archive, state and quota: if that is not meant, start "
                "it again with the same DOUYIN_HOME",
            )
    if not found:
        yield ok("no service of this installation runs on this machine")


def check_private(settings: Settings) -> Iterator[Finding]:
    """Show which files other users of the machine may read."""
    env = Path(".env")
    if env.exists() and is_wider(env):
        yield warn(
            f"{env.resolve()}, which holds secrets, is open to other users of this machine",
            f"chmod 600 {shlex.quote(str(env.resolve()))}",
        )
    if not settings.home.exists():
        return
    found = list(wider(settings.home))
    if not found:
        yield ok(f"no other user of this machine may read {settings.home}")
        return
    named = ", ".join(str(p) for p in found[:_FEW]) + (f" and {len(found) - _FEW} more" if len(found) > _FEW else "")
    yield warn(
        f"other users of this machine have rights to {named}", f"chmod -R go-rwx {shlex.quote(str(settings.home))}"
    )
