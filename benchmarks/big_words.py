"""Invent the words of the benchmark's tables: titles, comments, hot words, ids."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sandbox import phrases, vocabulary

PLACES = 300


HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


def make_titles(rng: np.random.Generator) -> pa.Array:
    kinds = [(o, t) for k in vocabulary.CATEGORIES for o in vocabulary.TITLE_OBJECTS[k] for t in vocabulary.TOPICS[k]]
    made = [f"{opening}{o} #{t}" for opening in vocabulary.TITLE_OPENINGS for o, t in kinds]
    return pa.array([made[n] for n in rng.permutation(len(made))[:4000]])


def make_texts(rng: np.random.Generator) -> pa.Array:
    """Return comments, each as often as its kind, with names filled in."""
    weights = np.array([w for w, _ in phrases.COMMENTS], float)
    objects = [o for found in vocabulary.TITLE_OBJECTS.values() for o in found]
    topics = [t for found in vocabulary.TOPICS.values() for t in found]

    def one(pool) -> str:
        return pool[int(rng.integers(len(pool)))]

    def said() -> str:
        kind = rng.choice(len(weights), p=weights / weights.sum())
        text = one(phrases.COMMENTS[kind][1]).format(
            goods=one(vocabulary.GOODS),
            object=one(objects),
            place=one(vocabulary.PLACES),
            friend=one(vocabulary.FRIENDS),
            topic=one(topics),
        )
        return text + (one(phrases.ENDINGS) if rng.random() < 0.3 else "")

    return pa.array([said() + ("，" + said() if n % 2 else "") for n in range(20_000)])


def make_sentences(rng: np.random.Generator) -> tuple[str, ...]:
    filled = {
        p.format(place=a, event=e, season=s, food=f, sport=t, goods=g)
        for p in vocabulary.HOT_PATTERNS
        for a, e, s, f, t, g in zip(
            *(
                rng.choice(v, 400)
                for v in (
                    vocabulary.PLACES,
                    vocabulary.EVENTS,
                    vocabulary.SEASONS,
                    vocabulary.FOODS,
                    vocabulary.SPORTS,
                    vocabulary.GOODS,
                )
            ),
            strict=True,
        )
    }
    return tuple(np.random.default_rng(len(filled)).permutation(sorted(filled)).tolist())


def make_place_ids() -> list[str]:
    return [f"66{10**16 + n * 7919}" for n in range(PLACES)]


def random_strings(rng: np.random.Generator, n: int, length: int, letters: np.ndarray, before: str = "") -> pa.Array:
    """Return ``n`` random ids of ``length`` letters."""
    width = len(before) + length
    data = np.empty((n, width), np.uint8)
    data[:, : len(before)] = np.frombuffer(before.encode(), np.uint8)
    data[:, len(before) :] = letters[rng.integers(0, len(letters), (n, length), np.uint8)]
    offsets = np.arange(n + 1, dtype=np.int32) * width
    return pa.Array.from_buffers(pa.string(), n, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
