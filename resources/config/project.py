"""Locate the files that the product ships: SQL, rules, campaigns, examples, configuration of Dagster."""

from importlib.resources import files
from pathlib import Path


def _shipped() -> Path:
    """Return the folder of the shipped files: inside the package where it was installed from a wheel."""
    package = Path(str(files("resources")))
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parent


SHIPPED = _shipped()
"""Folder with ``sql/``, ``needs/``, ``campaigns/`` and the rest; the repository itself in a checkout."""
IS_CHECKOUT = SHIPPED.name != "shipped"


def files_of(folder: str, pattern: str, project: Path | None) -> dict[str, Path]:
    """Return the files of a folder by name, in order of name.

    A file of the user's project folder adds to the shipped ones, or takes the place of the one of its name.
    """
    folders = [SHIPPED / folder, *([project / folder] if project is not None else [])]
    found = {path.name: path for one in folders for path in one.glob(pattern)}
    return dict(sorted(found.items()))
