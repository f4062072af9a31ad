"""Sentiment 情感 of comments by a small lexicon with negations and degree words. A heuristic: it knows neither context nor most irony."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from assets.needs.rules import Lexicon

_REACH = 4
"""Characters between a negation or degree word and the word that it changes, at most (不是很好看; 一点都不油腻)."""
_PAUSE = re.compile(r"[,.!?;:、。…~ ]")
_NEGATED = -0.7
"""不好看 is less bad than 难看 is."""
_BEFORE_CONTRAST = 0.4
_SOFTENING = 2.0
DIGITS = 4


def any_of(words: Iterable[str]) -> str:
    """A regular expression that fits the longest of ``words``, without trying them one by one."""
    tree: dict[str, dict] = {}
    for word in sorted(words):
        node = tree
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return _branch(tree)


def _branch(node: dict[str, dict]) -> str:
    ways = [re.escape(c) + _branch(below) for c, below in node.items() if c]
    if not ways:
        return ""
    joined = f"(?:{'|'.join(ways)})" if len(ways) > 1 else ways[0] if "" not in node else f"(?:{ways[0]})"
    return f"{joined}?" if "" in node else joined


class Scorer:
    """Plain texts to numbers between -1 and 1."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._values = {w: g.weight for g in lexicon.positive for w in g.words} | {w: -g.weight for g in lexicon.negative for w in g.words}
        self._values |= {f"[{f.face}]": f.weight for f in lexicon.faces if f.weight}
        self._degrees = {w: g.weight for g in lexicon.degrees for w in g.words}
        self._negations, self._contrasts, self._ironies = frozenset(lexicon.negations), frozenset(lexicon.contrasts), frozenset(lexicon.ironies)
        self._found = re.compile(any_of({*self._values, *self._degrees, *self._negations, *self._contrasts, *self._ironies, *lexicon.neutral}))

    @property
    def words(self) -> set[str]:
        """Everything that is looked for."""
        return {*self._values, *self._degrees, *self._negations, *self._contrasts, *self._ironies}

    def score(self, text: str) -> float | None:
        """In [-1, 1] with four digits; None where no word or face of the lexicon stands."""
        total, said, ironic = 0.0, False, False
        factor, since = 1.0, -1
        for found in self._found.finditer(text):
            word, start = found[0], found.start()
            if since >= 0 and (start - since > _REACH or _PAUSE.search(text, since, start)):
                factor, since = 1.0, -1
            if word in self._ironies:
                ironic = True
            if word in self._negations:
                factor, since = factor * _NEGATED, found.end()
            elif word in self._degrees:
                factor, since = factor * self._degrees[word], found.end()
            elif word in self._contrasts:
                total, factor, since = total * _BEFORE_CONTRAST, 1.0, -1
            elif value := self._values.get(word):
                total, said = total + value * factor, True
                factor, since = 1.0, -1
        if not said:
            return None
        if ironic and total > 0:
            total *= -0.5
        return round(total / math.sqrt(total * total + _SOFTENING), DIGITS) + 0.0
