"""Score the sentiment 情感 of comments with a small lexicon, negations and degree words.

A heuristic: it understands neither context nor most irony.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from services.comments.rules import Lexicon
from services.comments.seeking import any_of

_REACH = 4
"""Maximum distance in characters of a negation or degree word and the word it modifies (不是很好看; 一点都不油腻)."""
_PAUSE = re.compile(r"[,.!?;:、。…~ ]")
_NEGATED = -0.7
"""不好看 is less negative than 难看."""
_BEFORE_CONTRAST = 0.4
_IRONIC = -0.5
_SOFTENING = 2.0
DIGITS = 4


class Scorer:
    """Scorer of plain texts, from -1 to 1; ``word`` converts a word of the lexicon to plain form."""

    def __init__(self, lexicon: Lexicon, word: Callable[[str], str]) -> None:
        self._values = {
            word(w): sign * g.weight
            for sign, groups in ((1, lexicon.positive), (-1, lexicon.negative))
            for g in groups
            for w in g.words
        }
        self._values |= {word(f"[{f.face}]"): f.weight for f in lexicon.faces if f.weight}
        self._polite = frozenset(word(f"[{f.face}]") for f in lexicon.faces if f.polite)
        self._degrees = {word(w): g.weight for g in lexicon.degrees for w in g.words}
        self._negations, self._contrasts, self._ironies, self._requests = (
            frozenset(map(word, words))
            for words in (lexicon.negations, lexicon.contrasts, lexicon.ironies, lexicon.requests)
        )
        known = {*self._values, *self._degrees, *self._negations, *self._contrasts, *self._ironies, *self._requests}
        self._found = re.compile(any_of({*known, *map(word, lexicon.neutral)}))

    def score(self, text: str) -> float | None:
        """Return the score in [-1, 1], rounded to four digits; None if no word or face of the lexicon occurs."""
        total, said, ironic, asks, courtesy = 0.0, False, False, False, 0.0
        factor, since = 1.0, -1
        for found in self._found.finditer(text):
            word, start = found[0], found.start()
            if since >= 0 and (start - since > _REACH or _PAUSE.search(text, since, start)):
                factor, since = 1.0, -1
            ironic = ironic or word in self._ironies
            asks = asks or word in self._requests
            if word in self._negations:
                factor, since = factor * _NEGATED, found.end()
            elif word in self._degrees:
                factor, since = factor * self._degrees[word], found.end()
            elif word in self._contrasts:
                total, factor, since = total * _BEFORE_CONTRAST, 1.0, -1
            elif word in self._polite:
                courtesy += self._values[word]
            elif value := self._values.get(word):
                total, said = total + value * factor, True
                factor, since = 1.0, -1
        if courtesy and not (asks and not said):
            total, said = total + courtesy, True
        if not said:
            return None
        if ironic and total > 0:
            total *= _IRONIC
        return round(total / math.sqrt(total * total + _SOFTENING), DIGITS) + 0.0
