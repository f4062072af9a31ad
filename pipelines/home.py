"""Manage the Dagster home of an installation: ``$DOUYIN_HOME/dagster`` with the repository's ``dagster.yaml``."""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from pydantic_settings import DotEnvSettingsSource

from resources.config.project import SHIPPED
from resources.config.settings import BadSettings, Settings
from resources.storage.atomic import write_atomic
from resources.storage.private import keep_private

DAGSTER = "dagster"
STORAGE = "storage"
"""Value of ``DOUYIN_DAGSTER_STOCK`` for Dagster's own storage."""


def prepare_dagster_home(settings: Settings) -> Path:
    """Create the Dagster home with its configuration, and set ``DAGSTER_HOME`` for this process and its children."""
    home = settings.home / DAGSTER
    home.mkdir(parents=True, exist_ok=True)
    wanted, present = (SHIPPED / "dagster.yaml").read_bytes(), home / "dagster.yaml"
    if STORAGE in settings.dagster_stock:
        own = {key: value for key, value in yaml.safe_load(wanted).items() if not key.endswith("_storage")}
        wanted = yaml.safe_dump(own).encode()
    # Atomically: a run that starts at this moment would read an empty file, and take Dagster's defaults.
    if not present.exists() or present.read_bytes() != wanted:
        write_atomic(present, wanted)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def check_home(settings: Settings) -> None:
    """Refuse a home that does not belong to the ``DAGSTER_HOME`` of this process.

    Its runs would write a second archive, state and quota.

    Raises:
        BadSettings: it does not belong to it.
    """
    dagster_home = os.environ.get("DAGSTER_HOME")
    if dagster_home and Path(dagster_home).expanduser().resolve() != settings.home / DAGSTER:
        raise BadSettings(foreign_home(settings.home, Path(dagster_home)))


def foreign_home(home: Path, dagster_home: Path) -> str:
    """Say which two homes do not belong together, and what to do."""
    meant = f"DOUYIN_HOME={dagster_home.parent}, or " if dagster_home.name == DAGSTER else ""
    return (
        f"DAGSTER_HOME is {dagster_home}, and DOUYIN_HOME is {home}, whose Dagster home is {home / DAGSTER}: "
        f"set {meant}DAGSTER_HOME={home / DAGSTER}, or unset DAGSTER_HOME. What is set in the environment "
        "counts before .env"
    )


def begin_dagster_process() -> None:
    """Keep the files of a Dagster process private, and let the environment take precedence over ``.env``.

    Dagster overwrites variables of its process with those of ``.env`` in the working directory before it loads any code
    of this project. The system knows the variables that the process was started with (Linux); elsewhere
    :func:`check_home` still refuses a home that ``.env`` changed.

    Raises:
        BadSettings: ``.env`` changed ``DAGSTER_HOME``, which Dagster has used already.
    """
    keep_private()
    given = _started_with()
    for name, value in DotEnvSettingsSource(Settings, case_sensitive=True).env_vars.items():
        if name not in given or os.environ.get(name) != value or given[name] == value:
            continue
        if name == "DAGSTER_HOME":
            raise BadSettings(
                f"{Path('.env').resolve()} names DAGSTER_HOME={value}, the environment {given[name]}: "
                "take it out of .env"
            )
        os.environ[name] = given[name]


def _started_with() -> dict[str, str]:
    """Return the variables that this process was started with; none where the system does not provide them."""
    try:
        return environment_of(Path("/proc/self"))
    except OSError:
        return {}


def environment_of(process: Path) -> dict[str, str]:
    """Read the variables that a process was started with from its folder under ``/proc``. Raises OSError."""
    pairs = (line.partition("=") for line in os.fsdecode((process / "environ").read_bytes()).split("\0"))
    return {name: value for name, is_set, value in pairs if is_set}
