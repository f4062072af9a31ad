"""The Dagster home of an installation: ``$DOUYIN_HOME/dagster``, with the repository's ``dagster.yaml`` in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from resources.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent


def prepare_dagster_home(settings: Settings) -> Path:
    """Create the folder, put the configuration there, and set ``DAGSTER_HOME`` for this process and its children."""
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(REPOSITORY / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
