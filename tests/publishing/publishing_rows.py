"""Rows for tests of publishing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa

from catalog import TABLES
from resources.storage.schema import arrow_schema


def hot_words(day: date, rows: int) -> pa.Table:
    """A hot word list of ``rows`` words, observed at 11:00 Beijing."""
    schema = arrow_schema(TABLES["hot_words"])
    at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    values = {
        "dt": [day] * rows,
        "observed_at": [at] * rows,
        "source": ["hotsearch_sentences"] * rows,
        "client_key": ["app"] * rows,
        "rank": list(range(1, rows + 1)),
        "sentence": [f"热点词{n}" for n in range(rows)],
        "hot_level": [1000 - n for n in range(rows)],
        "active_date": [day] * rows,
        "active_at": [at] * rows,
    }
    return pa.table(values, schema=schema)
