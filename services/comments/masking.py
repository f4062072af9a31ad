"""Mask personal data in comments: phones 手机号, WeChat 微信 and QQ ids, e-mail, @names, identifying numbers.

Comments are shown as examples, so hiding one number too many is better than showing a phone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

HIDDEN = "***"
_BETWEEN = "\x1e"
"""Separates comments processed together; it is a line break in the folded text, which no pattern crosses."""

_HAN_DIGITS = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖貳參陸"
_CIRCLED = {**{0x2460 + i: str(i + 1) for i in range(9)}, 0x24EA: "0", **{0x2776 + i: str(i + 1) for i in range(9)}}
_BREAKS = "\n\r\t\v\f\x1c\x1d\x1f\x85\xa0\u2028\u2029\u3000"


@cache
def _folding() -> dict[int, str]:
    """Map full-width, circled and keycap forms to plain ones, upper to lower case, and breaks to spaces.

    Every character maps to exactly one character.
    """
    table = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table |= {c: chr(c + 32) for c in range(ord("A"), ord("Z") + 1)} | {
        c: chr(c - 0xFEE0 + 32) for c in range(0xFF21, 0xFF3B)
    }
    table |= _CIRCLED | {ord(c): " " for c in _BREAKS} | {ord("＠"): "@", ord("﹫"): "@"}
    return table | {0x1D7CE + i: str(i % 10) for i in range(50)} | {ord(_BETWEEN): "\n"}


@cache
def _personal() -> re.Pattern[str]:
    """Compile one pattern per kind of data, each with one group for what is hidden.

    Separators are anything but letters, so that spaces, dots and emoji do not prevent a match.
    """
    d = f"[0-9{_HAN_DIGITS}]"
    gap = r"[^\w\n]{0,3}"
    name = r"[a-z0-9][a-z0-9_.\-]"
    marks = r"[ :是为為=\-_>→~👉👈]{0,5}"
    said = r"(?:号码|號碼|账号|帳號|[号號]|id)"
    app = (
        r"(?:[微薇威徽][ ]?信|微x|绿泡泡|(?<![a-z0-9])(?:v[ ]?x|w[ ]?x|wechat|weixin|v信|q[ ]?q)"
        r"|扣扣|企鹅号|抖音[号號]|小红书[号號])"
    )
    ways = (
        # e-mail, also with the signs spelled out
        r"([a-z0-9._%+\-]{1,64} ?(?:@|艾特) ?[a-z0-9\-]{1,63}(?: ?(?:\.|点) ?[a-z]{2,10}){1,3})",
        # @name, up to a space or a mark
        r"(?<=@)([^\s@*,.!?:;、。，！？：；\[\]]{1,30})",
        # mobile phone 手机号, +86 or not
        rf"(?<![0-9])((?:\+? ?86{gap})?[1一幺壹]{gap}[3-9三四五六七八九叁肆伍陆柒捌玖陸](?:{gap}{d}){{9}})(?![0-9])",
        # landline 座机 and 400 numbers
        r"(?<![0-9])((?:0[0-9]{2,3}|400)[ \-]?[0-9]{3,4}[ \-]?[0-9]{4})(?![0-9])",
        # numbers in blocks: identity card 身份证, bank card
        r"(?<![0-9])([0-9]{4,6}(?:[ \-][0-9]{3,8}){2,4}[xX]?)(?![0-9])",
        # order, parcel, QQ and identity numbers
        rf"((?<![a-z0-9])[a-z]{{0,4}}[0-9]{{7,}}[a-z]?|{d}{{7,}})",
        # ids after their name
        rf"{app}{said}?[ ]*[:是为為=]+[ ]*({name}{{1,29}})",
        rf"{app}{said}[ ]*({name}{{1,29}})",
        rf"{app}{marks}({name}{{3,29}})",
        rf"(?:[加+➕][ ]?(?:我|个|個|一下)?[ ]?(?:[vwq](?![a-z])|[微薇卫衛][星信]?|❤)){said}?{marks}({name}{{1,29}})",
        rf"(?<![a-z0-9])[vq] ?: ?({name}{{3,29}})",
        # ids before their name
        r"(?<![a-z0-9])([a-z][a-z0-9_\-]{4,19})[ ,]*(?:这?是)?我?的?(?:微信|vx|wx|qq)",
    )
    return re.compile("|".join(ways))


def fold(joined: str) -> str:
    """Fold digits and letters to plain lower case, without changing the length.

    Comments joined by :data:`_BETWEEN` become lines.
    """
    return joined.translate(_folding())


def join(texts: Sequence[str]) -> str:
    """Join comments into one string; splitting it by :data:`_BETWEEN` gives them back."""
    joined = _BETWEEN.join(texts)
    if joined.count(_BETWEEN) != len(texts) - 1:  # a comment contains the control character
        joined = _BETWEEN.join(text.replace(_BETWEEN, " ") for text in texts)
    return joined


def spans(folded: str) -> Iterator[tuple[int, int]]:
    """Yield where personal data is in a folded text, as (start, end)."""
    for found in _personal().finditer(folded):
        yield found.span(found.lastindex or 0)


def replace_personal(shown: str, folded: str, by: str) -> str:
    """Replace in ``shown`` what is personal in ``folded``; both texts have the same length."""
    pieces: list[str] = []
    last = 0
    for start, end in spans(folded):
        pieces += (shown[last:start], by)
        last = end
    return "".join((*pieces, shown[last:])) if pieces else shown


def mask_all(texts: Sequence[str]) -> list[str]:
    """Replace the personal data of each text by ``***``.

    All else stays unchanged, except that the control character U+001E becomes a space.
    """
    if not texts:
        return []
    joined = join(texts)
    return replace_personal(joined, fold(joined), HIDDEN).split(_BETWEEN)
