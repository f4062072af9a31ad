"""One comment read: normalised, cut into words, its needs, whether it asks, and its mood. All heuristic."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assets.needs.files import Files, read_files
from assets.needs.masking import mask_personal

_FACE = re.compile(r"\[([^\[\]\s]{1,8})\]")
_EMOJI = re.compile("[\U0001f000-\U0001faff☀-➿⬀-⯿️‍⃣\U000e0020-\U000e007f]")
_REPEATED = re.compile(r"(.)\1{2,}")
_MENTION = re.compile(r"@[^\s@,，。.!！?？:：;；#]{1,30}")
_TERM = re.compile(r"^(?:[一-鿿]{2,}|[a-z][a-z0-9]+)$")
_ASKS = re.compile(
    r"[?]|(?:吗|么|呢|没有|不)[。.!~]*$|^(?:求|蹲|请问|问一下|想问|谁知道|有没有|有无)|多少|什么(?!都|时候都|也)|怎么(?!这么|那么|样都)|咋|哪(?:里|儿|个|家|款|位)?(?!怕)|几(?:点|块|码|号|岁|天|个)|为什么|为啥|如何|能不能|可不可以|可以.{0,8}吗|多久|啥(?!都)|谁(?:有|知道)|行不行|远不远|贵不贵|是不是"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """``sentiment`` from -1 to 1, rounded to four digits; None where no word or face says anything."""

    text: str
    terms: tuple[str, ...]
    needs: tuple[str, ...]
    is_question: bool
    sentiment: float | None
    masked: str


class Reader:
    """Reads comments by the files of a folder."""

    def __init__(self, files: Files) -> None:
        import opencc
        import rjieba

        self._simplify = opencc.OpenCC("t2s").convert
        self._jieba = rjieba.Jieba()
        for word, frequency, tag in files.user_words:
            self._jieba.add_word(word, frequency, tag)
        self._stop = files.stop_words
        self._needs = [(n.id, re.compile("|".join(n.any_)), re.compile("|".join(n.not_)) if n.not_ else None) for n in files.rules.classes]
        self._moods = files.moods
        weights = {**files.moods.positive, **{word: -weight for word, weight in files.moods.negative.items()}}
        self._weights = {word.lower(): weight for word, weight in weights.items()}
        words = sorted(self._weights, key=len, reverse=True)
        self._mood = re.compile("|".join(map(re.escape, words)))
        self._negated = re.compile(f"(?:{'|'.join(map(re.escape, files.moods.negations))}).{{0,2}}$")
        self._degree = re.compile(f"(?:{'|'.join(map(re.escape, sorted(files.moods.degrees, key=len, reverse=True)))})$")

    def normal(self, text: str) -> str:
        """Simplified, half-width, small letters; faces, emoji and @names taken out, repeats shortened."""
        text = unicodedata.normalize("NFKC", text)
        text = _MENTION.sub(" ", _EMOJI.sub(" ", _FACE.sub(" ", text)))
        text = _REPEATED.sub(r"\1\1", self._simplify(text).lower())
        return " ".join(text.split())

    def read(self, text: str) -> Reading:
        normal = self.normal(text)
        return Reading(normal, self.terms(normal), self.needs(normal), self.asks(normal), self.mood(text, normal), mask_personal(text))

    def terms(self, normal: str) -> tuple[str, ...]:
        """Words of two characters and more, each once, in order, without stop words, numbers and contacts."""
        cut = self._jieba.cut(mask_personal(normal))
        return tuple(dict.fromkeys(w for w in cut if w not in self._stop and _TERM.match(w) and w not in _PLACEHOLDERS))

    def needs(self, normal: str) -> tuple[str, ...]:
        return tuple(need for need, wanted, unwanted in self._needs if wanted.search(normal) and not (unwanted and unwanted.search(normal)))

    def asks(self, normal: str) -> bool:
        return _ASKS.search(normal) is not None

    def mood(self, text: str, normal: str) -> float | None:
        """Words and faces weighed; a negation shortly before turns a word round at half of its weight."""
        found = [self._weight(normal, m) for m in self._mood.finditer(normal)]
        found += [self._moods.faces[f] for f in dict.fromkeys(_FACE.findall(text)) if f in self._moods.faces]
        found += [self._moods.faces[c] for c in dict.fromkeys(text) if c in self._moods.faces]
        if not found:
            return None
        total = sum(found)
        return round(total / (abs(total) + 1.0), 4) + 0.0

    def _weight(self, normal: str, match: re.Match) -> float:
        weight, before = self._weights[match[0]], normal[max(0, match.start() - 4) : match.start()]
        if degree := self._degree.search(before):
            weight *= self._moods.degrees[degree[0]]
            before = before[: degree.start()]
        return -0.5 * weight if self._negated.search(before) else weight


_PLACEHOLDERS = {"链接", "邮箱", "电话", "账号", "号码", "某人"}
"""What masking writes; as a word of its own a comment has them too rarely to matter."""


@lru_cache(maxsize=4)
def reader(folder: Path) -> Reader:
    """The reader of a folder; made once in a process."""
    return Reader(read_files(folder))
