"""Comments as examples: contacts and names of persons taken out."""

from __future__ import annotations

import re

_DIGITS = "0-9零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖"
_PHONE = re.compile(rf"(?<![{_DIGITS}])(?:\+?86[\s-]*)?[1一壹](?:[\s\-·.—]*[{_DIGITS}]){{10}}(?![{_DIGITS}])|(?<!\d)0\d{{2,3}}[\s-]\d{{7,8}}(?!\d)")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_CONTACT = re.compile(
    r"(?P<lead>(?:加(?:我|一下|个)?)?\s*(?:微信|微\s*信|威信|薇信|wechat|weixin|wx|vx|v信|qq|扣扣|企鹅|手机|电话)(?:号码?|账号)?\s*(?:是|为|[:：])?\s*|(?:加|\+)\s*[vV微薇]\s*[:：]?\s*)(?P<id>[A-Za-z0-9][A-Za-z0-9_\-]{4,29})",
    re.IGNORECASE,
)
_NAME = re.compile(r"@[^\s@,，。.!！?？:：;；#]{1,30}")
_NUMBER = re.compile(r"(?<![\d.])\d{7,}[xX]?(?![\d.])")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def mask_personal(text: str) -> str:
    """The text without phones, e-mail addresses, WeChat and QQ ids, long numbers, links and @names."""
    text = _LINK.sub("〔链接〕", text)
    text = _MAIL.sub("〔邮箱〕", text)
    text = _PHONE.sub("〔电话〕", text)
    text = _CONTACT.sub(lambda m: f"{m['lead']}〔账号〕", text)
    text = _NUMBER.sub("〔号码〕", text)
    return _NAME.sub("@〔某人〕", text)
