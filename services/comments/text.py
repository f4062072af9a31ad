"""Comments in plain form, and their terms: what every other module of the room looks at.

Plain form: simplified characters 简体, half-width 半角, lower case, no runs (哈哈哈哈 → 哈哈), [表情] and emoji as the canonical
    ``[赞]`` where
``sentiment.yaml`` knows them and gone where it does not, personal data and addresses gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from services.comments.masking import fold, join, replace_personal
from services.comments.rules import STOP_WORDS, USER_WORDS, BadNeeds, Lexicon, line_of, load_stop_words, load_user_words

_SIGNS = "\U0001f000-\U0001faff\u2600-\u27bf\u2190-\u21ff\u2300-\u23ff\u2b00-\u2bff\u3030\u303d\u3297\u3299\u00a9\u00ae\u2122\ue000-\uf8ff"
_PICTURE = re.compile(rf"\[[^\[\]\s]{{1,8}}\]|[{_SIGNS}]")
_JOINERS = re.compile("[\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff\u20e3\U000e0000-\U000e007f]")
_ADDRESS = re.compile(r"https?://[^\s\u4e00-\u9fff]+")
_RUN = re.compile(r"([^\d\s])\1{2,}")
_ECHO = re.compile(r"([^\d\s]{2,4}?)\1{2,}")
_FIRST_FACE = 0xE000
"""Inside, a face is one character of Unicode's private use area, so that 可爱 is not found in [可爱]; no comment holds one after folding."""
_FACES_INSIDE = re.compile("[\ue000-\uf8ff]+")
_ENDS = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|\$")
"""Escapes, classes, and what this is for: the ``$`` outside of both."""
_SPACES = re.compile(r"[^\S\n]+")
_TERM = re.compile(r"[a-z0-9]*[a-z][a-z0-9+\-.]+|[a-z0-9]*[\u3400-\u9fff\U00020000-\U0003ffff][\w+\-.]+")


class Reader:
    """Comments to plain form and terms. Loading it takes 0.3 s: the dictionaries of jieba and OpenCC.

    ``rjieba.Jieba.add_word`` takes user words, so they weigh in while the words are cut; the instance is our own, since
    the module's is everybody's.

    Raises:
        BadNeeds: a file of ``folder`` cannot be used.
    """

    def __init__(self, folder: Path, lexicon: Lexicon) -> None:
        import rjieba
        from opencc import OpenCC

        self._simplified = OpenCC("t2s")
        self._inside = {f"[{f.face}]": chr(_FIRST_FACE + n) for n, f in enumerate(lexicon.faces)}
        self._shown = {ord(inside): face for face, inside in self._inside.items()}
        self._faces = self._inside | {e: self._inside[f"[{f.face}]"] for f in lexicon.faces for e in f.emoji}
        self._jieba = rjieba.Jieba()
        entries = load_user_words(folder)
        for entry in entries:
            self._jieba.add_word(entry.word, entry.frequency, entry.tag)
        self._user = frozenset(entry.word for entry in entries)
        self._stop = frozenset(load_stop_words(folder))
        self.must_be_plain((entry.word for entry in entries), folder / USER_WORDS)
        self.must_be_plain(sorted(self._stop), folder / STOP_WORDS)

    def must_be_plain(self, words: Iterable[str], path: Path) -> None:
        """A word that is not in plain form would never be found: say so, with the form that would."""
        words = list(words)
        for word, plain in zip(words, map(self.shown, self.plain(words)), strict=True):
            if plain != word:
                todo = f"write {plain!r}" if plain else "take it out, nothing of it is left"
                raise BadNeeds(
                    f"{path}:{line_of(path, word)}: {word!r} is never found, since comments are read in "
                    f"plain form: {todo}"
                )

    def shown(self, plain: str) -> str:
        """A plain text as people write it, faces as ``[赞]``."""
        return plain.translate(self._shown)

    def word(self, written: str) -> str:
        """A word of a rule, in plain form as :meth:`must_be_plain` saw to, as plain texts hold it."""
        return self.plain([written])[0] if "[" in written else written

    def pattern(self, written: str) -> str:
        """A regular expression of a rule as plain texts want it: ``\\[赞\\]`` is what stands for the face, and faces may come before an end ``$``."""
        for face, inside in self._inside.items():
            written = written.replace(rf"\[{face[1:-1]}\]", inside)
        return _ENDS.sub(lambda found: r"[\ue000-\uf8ff ]*$" if found[0] == "$" else found[0], written)

    def plain(self, texts: Sequence[str]) -> list[str]:
        """The plain form of each text, without line breaks; :meth:`shown` makes it readable."""
        if not texts:
            return []
        folded = fold(join(texts))
        text = self._simplified.convert(replace_personal(folded, folded, " "))
        text = _PICTURE.sub(self._canonical, _JOINERS.sub("", text))
        text = _RUN.sub(r"\1\1", _ADDRESS.sub(" ", text))
        text = _SPACES.sub(" ", _ECHO.sub(r"\1", text))
        return [line.strip() for line in text.split("\n")]

    def _canonical(self, found: re.Match[str]) -> str:
        return self._faces.get(found[0], " ")

    def terms(self, plain: Sequence[str]) -> list[list[str]]:
        """Terms of each plain text: each once, in order. No stop words, single characters, digits, faces or marks."""
        cut, stop, user, fits = self._jieba.cut, self._stop, self._user, _TERM.fullmatch
        return [
            [
                w
                for w in dict.fromkeys(cut(_FACES_INSIDE.sub(" ", text), True))
                if len(w) > 1 and w not in stop and (fits(w) or w in user)
            ]
            for text in plain
        ]
