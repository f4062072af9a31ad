"""A published warehouse with hostile texts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa

from catalog import TABLES
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.storage.lake import Lake
from resources.storage.schema import arrow_schema
from services.marts.publishing import publish

DAY = date(2026, 11, 16)
ESCAPE, TURNED = "\x1b[31mred", "\u202eabc"


def publish_words(home: Path, words: list[str], days: tuple[date, ...] = (DAY,)) -> Path:
    """Publish a home's warehouse with ``words`` in ``hot_words`` of each day."""
    lake = Lake(home / "lake")
    for day in days:
        rows = [
            {
                "dt": day,
                "observed_at": 1_763_262_000_000_000 + n,
                "source": "hotsearch_sentences",
                "client_key": "app",
                "rank": n + 1,
                "sentence": word,
                "hot_level": 10**16 + n,
                "active_date": day,
                "active_at": None,
            }
            for n, word in enumerate(words)
        ]
        lake.write("hot_words", day, pa.Table.from_pylist(rows, arrow_schema(TABLES["hot_words"])))
    runtime = Runtime(Settings(_env_file=None, home=home))
    publish(runtime)
    runtime.close()
    return home
