"""The Dagster home of an installation: ``$DOUYIN_HOME/dagster``, with the repository's ``dagster.yaml`` in it."""

from __future__ import annotations

import os
from pathlib import Path

from resources.pending import write_whole
from resources.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent


def prepare_dagster_home(settings: Settings) -> Path:
    """Create the folder, put the configuration there, and set ``DAGSTER_HOME`` for this process and its children."""
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    wanted, present = (REPOSITORY / "dagster.yaml").read_bytes(), home / "dagster.yaml"
    # Never half there: a run that starts at this moment would read an empty file, and take Dagster's defaults.
    if not present.exists() or present.read_bytes() != wanted:
        write_whole(present, wanted)
    os.environ["DAGSTER_HOME"] = str(home)
    return home
