"""Locate the files that the product ships: SQL, rules, campaigns, examples, configuration of Dagster."""

from importlib.resources import files
from pathlib import Path

_PACKAGE = Path(str(files("resources")))
_IN_WHEEL = _PACKAGE / "shipped"
IS_CHECKOUT = not _IN_WHEEL.is_dir()
SHIPPED = _PACKAGE.parent if IS_CHECKOUT else _IN_WHEEL
"""Folder with ``sql/``, ``needs/``, ``campaigns/`` and the rest; the repository itself in a checkout."""


def files_of(folder: str, pattern: str, project: Path | None) -> dict[str, Path]:
    """Return the files of a folder by name, in order of name.

    A file of the user's project folder adds to the shipped ones, or takes the place of the one of its name.
    """
    folders = [SHIPPED / folder, *([project / folder] if project is not None else [])]
    found = {path.name: path for one in folders for path in one.glob(pattern)}
    return dict(sorted(found.items()))
