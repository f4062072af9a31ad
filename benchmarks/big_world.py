"""The world of the benchmark's year: accounts, videos, people, and how rows become tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pyarrow as pa

from benchmarks.big_words import HEX, make_sentences, make_texts, make_titles, random_strings
from catalog import TABLES
from resources.storage.schema import arrow_schema
from sandbox import vocabulary

APP = "bench-key"


LISTED, EVERY = 30, 3
"""Videos on an account's list, and the days between two of them."""


COMMENTS, LEADS, MESSAGES, PERSONS = 50, 20, 5, 400
"""Of every account: comments, lead actions and messages a day, and the people who leave them."""


_BASE64 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)


@dataclass(frozen=True)
class World:
    """The part of the data that stays the same from day to day.

    ``accounts`` in order of open_id; ``items`` is accounts × videos, by number of publication.
    """

    seed: int
    first: date
    accounts: pa.Array
    items: pa.Array
    item_rank: np.ndarray
    """accounts × videos: place of a video's id among those of its account."""
    reach: np.ndarray
    """accounts × videos: plays that a video gets in the end."""
    fade: np.ndarray
    """accounts × videos, days: within so many days it gets two thirds of them."""
    published_s: np.ndarray
    """accounts × videos: second of the Beijing day at which it was published."""
    titles: pa.Array
    title_of: np.ndarray
    nicknames: pa.Array
    persons: pa.Array
    """accounts × PERSONS, those of one account in order of id."""
    texts: pa.Array
    fans: np.ndarray
    sentences: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of accounts."""
        return len(self.accounts)


def make_world(accounts: int, first: date, days: int, seed: int) -> World:
    """Create a world whose lists are full from ``first`` on and that lasts for ``days`` days."""
    rng = np.random.default_rng(seed)
    videos = (days + LISTED * EVERY) // EVERY + 3
    ids = np.sort(np.array(random_strings(rng, accounts, 32, HEX).to_pylist()))
    items = random_strings(rng, accounts * videos, 32, _BASE64, "@9")
    order = np.array(items.to_pylist()).reshape(accounts, videos).argsort(axis=1).argsort(axis=1)
    usual = rng.lognormal(7.5, 1.1, (accounts, 1))
    titles = make_titles(rng)
    persons = np.sort(
        np.array(random_strings(rng, accounts * PERSONS, 32, HEX).to_pylist()).reshape(accounts, PERSONS), axis=1
    )
    heads = [h + t for h in vocabulary.NAME_HEADS for tails in vocabulary.NAME_TAILS.values() for t in tails]
    return World(
        seed,
        first,
        pa.array(ids),
        items,
        order,
        usual * rng.lognormal(0, 0.9, (accounts, videos)),
        rng.uniform(1.5, 9, (accounts, videos)),
        rng.integers(7 * 3600, 24 * 3600, (accounts, videos)),
        titles,
        rng.integers(0, len(titles), (accounts, videos)),
        pa.array([heads[n] for n in rng.integers(0, len(heads), accounts)]),
        pa.array(persons.ravel()),
        make_texts(rng),
        rng.lognormal(9, 1.4, accounts).astype(np.int64) + 50,
        make_sentences(rng),
    )


def rows_of(name: str, dt: date, seen: datetime | pa.Array, source: str, n: int, **columns) -> pa.Table:
    """Return ``n`` rows in the catalogue's schema; constants are repeated, missing columns are null."""
    given = {"dt": dt, "observed_at": seen, "source": source, "client_key": APP} | columns
    schema = arrow_schema(TABLES[name])
    if unknown := given.keys() - set(schema.names):
        raise ValueError(f"{name} has no columns {sorted(unknown)}")
    made = []
    for field in schema:
        value = given.get(field.name)
        if isinstance(value, pa.Array):
            made.append(value.cast(field.type))
        elif isinstance(value, (np.ndarray, list)):
            made.append(pa.array(value, field.type))
        else:
            made.append(pa.repeat(pa.scalar(value, field.type), n) if value is not None else pa.nulls(n, field.type))
    return pa.table(made, schema=schema)


def sorted_rows(name: str, rows: pa.Table) -> pa.Table:
    return rows.sort_by([(k, "ascending") for k in TABLES[name].primary_key]).combine_chunks()


def beijing_at(dt: date, beijing_hour: float) -> datetime:
    return datetime.combine(dt, time(), UTC) + timedelta(hours=beijing_hour - 8)


def epoch_s(at: datetime) -> int:
    return int(at.timestamp())
