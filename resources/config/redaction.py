"""Taking secrets, and what a terminal would obey, out of text before it reaches a log, an exception or a person."""

from __future__ import annotations

import logging
import re

_MASK = "[redacted]"

# Prefixes as the platform writes them: act. access, rft. refresh, clt. client, bus_ for the business pair.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_])((?:bus_)?(?:act|rft)|clt)\.[A-Za-z0-9._~+/=%-]+")
_NAMED = re.compile(
    r"""(?<![A-Za-z0-9_])(client_secret|access_token|refresh_token|access-token|biz_token|biz_refresh_token)"""
    r"""(["']?\s*[=:]\s*b?["']?)[^\s&"',;)}\]]+"""
)
_URL_CODE = re.compile(r"([?&]code=)[^&\s\"'#)]+")
_SHORTEST_SECRET = 6
"""Shorter values would mask ordinary words; the platform's secrets have 32 characters."""

# C0 but tab and line feed, DEL, C1, line and paragraph separators, what turns the direction of writing, and halves of
# characters, which no output takes.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

_secrets: set[str] = set()


def register_secret(value: str | None) -> None:
    """From now on mask this very value, too: a client secret has no prefix to know it by."""
    if value and len(value) >= _SHORTEST_SECRET:
        _secrets.add(value)


def redact(text: object) -> str:
    """``text`` without tokens, registered secrets, and authorization codes in URLs, and without what a terminal would obey."""
    clean = str(text)
    for secret in sorted(_secrets, key=len, reverse=True):  # a secret may contain another one
        clean = clean.replace(secret, _MASK)
    clean = _TOKEN.sub(rf"\1.{_MASK}", clean)
    clean = _NAMED.sub(rf"\1\2{_MASK}", clean)
    return visible(_URL_CODE.sub(rf"\1{_MASK}", clean))


def visible(text: str) -> str:
    """``text`` with control characters, and those that turn the direction of writing, as escapes that people can read: ``\\x1b``."""
    return _UNSEEN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class RedactingFilter(logging.Filter):
    """Rewrites a record's message and traceback; it never drops one."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):  # what others wrote must not look like a line of its own
            record.args = tuple(
                str(a).replace("\n", "\\n") if isinstance(a, str | BaseException) else a for a in record.args
            )
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


_FILTER = RedactingFilter()


def guard_loggers(*names: str) -> None:
    """Put the filter on loggers, once each. A logger's filter does not see the records of its children: name them."""
    for name in names:
        logger = logging.getLogger(name)
        if _FILTER not in logger.filters:
            logger.addFilter(_FILTER)
