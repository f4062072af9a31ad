"""Make Dagster take the path of its home literally.

Dagster puts the path of a SQLite file into a URL, which ends at a question mark: the file would lie outside of the
home. And it reads the path of ``dagster.yaml`` as a glob pattern. A path with a bracket does not match itself as a
pattern: the configuration would be ignored and no error reported.
"""

import os
from urllib.parse import quote

import yaml
from dagster._core.instance import config
from dagster._core.storage import sqlite
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage


def _address(base_dir: str, name: str) -> str:
    """Return the URL of a SQLite file."""
    folder = os.path.abspath(base_dir)
    if "?" not in folder:
        return sqlite.create_db_conn_string(base_dir, name)
    return f"sqlite:///file:{quote(os.path.join(folder, f'{name}.db'))}?uri=true"


def _configuration(path: str) -> dict | None:
    """Return what ``dagster.yaml`` says; None where there is none."""
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def take_paths_as_they_are() -> None:
    """Replace the two functions of Dagster in this process."""
    config.load_yaml_from_globs = _configuration  # type: ignore[assignment, attr-defined]  # imported there; no pattern
    for module in (sqlite_run_storage, sqlite_event_log, sqlite_schedule_storage):
        module.create_db_conn_string = _address  # type: ignore[attr-defined]  # a name that the module imports
