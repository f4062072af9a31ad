"""Analyse comments with the dictionaries and rules of one folder, loaded once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from services.comments.rules import RULES, SENTIMENT, SHIPPED, Need, Patterns, fingerprint, load_lexicon, load_rules
from services.comments.seeking import Seeker, seeker
from services.comments.sentiment import Scorer
from services.comments.text import TextReader


def _seeker(wanted: Patterns, reader: TextReader) -> Seeker:
    return seeker(
        *(
            list(map(read, said))
            for read, said in (
                (reader.word, wanted.words),
                (reader.pattern, wanted.patterns),
                (reader.pattern, wanted.except_),
            )
        )
    )


class Analyser:
    """Analyser of comments.

    It caches the plain forms of the last batch of each thread, since a query calls several functions on the same rows.

    Raises:
        BadNeeds: a file of ``folder`` is unusable.
    """

    def __init__(self, folder: Path) -> None:
        rules, lexicon = load_rules(folder), load_lexicon(folder)
        self.classes: tuple[Need, ...] = tuple(rules.needs)
        self.reader = TextReader(folder, lexicon)
        self.reader.must_be_plain((w for part in (rules.question, *rules.needs) for w in part.words), folder / RULES)
        self.reader.must_be_plain([*lexicon.words, *lexicon.ironies, *lexicon.requests], folder / SENTIMENT)
        self._scorer = Scorer(lexicon, self.reader.word)
        self._question = _seeker(rules.question, self.reader)
        self._needs = tuple((need.id, _seeker(need, self.reader)) for need in rules.needs)
        self._worded = tuple(
            (need.id, frozenset(need.words_beside), seeker)
            for need, (_, seeker) in zip(rules.needs, self._needs, strict=True)
            if need.words_beside
        )
        self._last = threading.local()

    def plain(self, texts: Sequence[str]) -> list[str]:
        """Return the plain forms; see :mod:`services.comments.text`."""
        known: tuple[list[str], list[str]] | None = getattr(self._last, "batch", None)
        texts = list(texts)
        if known is None or known[0] != texts:
            known = self._last.batch = (texts, self.reader.plain(texts))
        return known[1]

    def terms(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the terms of each comment."""
        return self.reader.terms(self.plain(texts))

    def needs(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the ids of the need classes of each comment, in the order of the rules."""
        return list(map(self._needs_of, self.plain(texts)))

    def _needs_of(self, text: str) -> list[str]:
        found = [name for name, one in self._needs if one.fits(text)]
        for name, beside, one in self._worded:
            if name in found and not beside.isdisjoint(found) and not one.fits(self.reader.without_faces(text)):
                found.remove(name)
        return found

    def questions(self, texts: Sequence[str]) -> list[bool]:
        """Return for each comment whether it is a question."""
        return [self._question.fits(text) for text in self.plain(texts)]

    def sentiments(self, texts: Sequence[str]) -> list[float | None]:
        """Return the sentiment of each comment, from -1 to 1, or None."""
        return [self._scorer.score(text) for text in self.plain(texts)]


_LOADING = threading.Lock()


@lru_cache(maxsize=2)
def _loaded(folder: Path, _print: str) -> Analyser:
    return Analyser(folder)


def analyser(folder: Path | None = None) -> Analyser:
    """Return the analyser of a folder (default: ``needs/`` of the repository); it is reloaded when a file changes.

    Raises:
        BadNeeds: a file is unusable.
    """
    folder = folder or SHIPPED / "needs"
    with _LOADING:
        return _loaded(folder, fingerprint(folder))
