"""Convert comments to plain form, and extract their terms, for the other modules of this package.

- Plain form has simplified characters 简体, half-width 半角, lower case and no repetitions (哈哈哈哈 → 哈哈).
- [表情] and emoji become the canonical ``[赞]`` if ``sentiment.yaml`` knows them, and are removed otherwise.
- Personal data and addresses are removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from services.comments.masking import fold, join, replace_personal
from services.comments.rules import STOP_WORDS, USER_WORDS, BadNeeds, Lexicon, line_of, load_stop_words, load_user_words

_SIGNS = (
    "\U0001f000-\U0001faff\u2600-\u27bf\u2190-\u21ff\u2300-\u23ff\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\u00a9\u00ae\u2122\ue000-\uf8ff"
)
_PICTURE = re.compile(rf"\[[^\[\]\s]{{1,8}}\]|[{_SIGNS}]")
_JOINERS = re.compile("[\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff\u20e3\U000e0000-\U000e007f]")
_ADDRESS = re.compile(r"https?://[^\s\u4e00-\u9fff]+")
_RUN = re.compile(r"([^\d\s])\1{2,}")
_ECHO = re.compile(r"([^\d\s]{2,4}?)\1{2,}")
_FIRST_FACE = 0xE000
"""Internally a face is one private-use character of Unicode, so that 可爱 does not match in [可爱].

Folded comments contain no such character.
"""
_FACES_INSIDE = re.compile("[\ue000-\uf8ff]+")
_ENDS = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|\$")
"""Matches escapes and classes, so that a ``$`` outside both can be found."""
_SPACES = re.compile(r"[^\S\n]+")
_TERM = re.compile(r"[a-z0-9]*[a-z][a-z0-9+\-.]+|[a-z0-9]*[\u3400-\u9fff\U00020000-\U0003ffff][\w+\-.]+")


class TextReader:
    """Converter of comments to plain form and terms; loading takes 0.3 s, for the dictionaries of jieba and OpenCC.

    ``rjieba.Jieba.add_word`` adds user words, so they influence the segmentation. The instance is our own, since the
    module's is shared.

    Raises:
        BadNeeds: a file of ``folder`` is unusable.
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
        """Check that words are in plain form; others would never match.

        Raises:
            BadNeeds: a word is not in plain form; the message has the form to write.
        """
        words = list(words)
        for word, plain in zip(words, map(self.shown, self.plain(words)), strict=True):
            if plain != word:
                todo = f"write {plain!r}" if plain else "take it out, nothing of it is left"
                raise BadNeeds(
                    f"{path}:{line_of(path, word)}: {word!r} is never found, since comments are read in "
                    f"plain form: {todo}"
                )

    def shown(self, plain: str) -> str:
        """Format a plain text for people, with faces as ``[赞]``."""
        return plain.translate(self._shown)

    def word(self, written: str) -> str:
        """Convert a word of a rule to the internal form, with faces as single characters."""
        return self.plain([written])[0] if "[" in written else written

    def pattern(self, written: str) -> str:
        """Convert a regular expression of a rule to the internal form.

        The escaped ``[赞]`` becomes the character of the face, and faces may precede a final ``$``.
        """
        for face, inside in self._inside.items():
            written = written.replace(rf"\[{face[1:-1]}\]", inside)
        return _ENDS.sub(lambda found: r"[\ue000-\uf8ff ]*$" if found[0] == "$" else found[0], written)

    def plain(self, texts: Sequence[str]) -> list[str]:
        """Return the plain form of each text, without line breaks; :meth:`shown` makes it readable."""
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

    @staticmethod
    def without_faces(plain: str) -> str:
        """Remove the faces from a plain text."""
        return _FACES_INSIDE.sub(" ", plain)

    def terms(self, plain: Sequence[str]) -> list[list[str]]:
        """Return the distinct terms of each plain text, in order.

        Stop words, single characters, digits, faces and punctuation are left out.
        """
        cut, stop, user, fits = self._jieba.cut, self._stop, self._user, _TERM.fullmatch
        return [
            [
                w
                for w in dict.fromkeys(cut(self.without_faces(text), True))
                if len(w) > 1 and w not in stop and (fits(w) or w in user)
            ]
            for text in plain
        ]
