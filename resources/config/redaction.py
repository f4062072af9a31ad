"""Remove secrets and terminal control characters from texts of logs, exceptions and output."""

from __future__ import annotations

import logging
import re

_MASK = "[redacted]"

# The platform's prefixes: act. access, rft. refresh, clt. client, bus_ for the business pair.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_])((?:bus_)?(?:act|rft)|clt)\.[A-Za-z0-9._~+/=%-]+")
_NAMED = re.compile(
    r"""(?<![A-Za-z0-9_])(client_secret|access_token|refresh_token|access-token|biz_token|biz_refresh_token)"""
    r"""(["']?\s*[=:]\s*b?["']?)[^\s&"',;)}\]]+"""
)
_URL_CODE = re.compile(r"([?&]code=)[^&\s\"'#)]+")
_SHORTEST_SECRET = 6
"""Shorter values would mask ordinary words; the platform's secrets have 32 characters."""

# C0 except tab and line feed, DEL, C1, line and paragraph separators, characters that change the direction of writing,
# and surrogates, which cannot be encoded for output.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

_secrets: set[str] = set()


def register_secret(value: str | None) -> None:
    """Mask this value from now on: a client secret, unlike a token, has no recognisable prefix."""
    if value and len(value) >= _SHORTEST_SECRET:
        _secrets.add(value)


def redact(text: object) -> str:
    """Mask tokens, registered secrets and authorization codes in URLs, and escape terminal control characters."""
    clean = str(text)
    for secret in sorted(_secrets, key=len, reverse=True):  # a secret may contain another one
        clean = clean.replace(secret, _MASK)
    clean = _TOKEN.sub(rf"\1.{_MASK}", clean)
    clean = _NAMED.sub(rf"\1\2{_MASK}", clean)
    return visible(_URL_CODE.sub(rf"\1{_MASK}", clean))


def visible(text: str) -> str:
    r"""Replace control characters and those that change the direction of writing by escapes such as ``\x1b``."""
    return _UNSEEN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class RedactingFilter(logging.Filter):
    """Filter that redacts a record's message and traceback; it never drops a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place, and return True."""
        if isinstance(record.args, tuple):  # foreign text must not look like a separate line
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
    """Add the redacting filter to loggers; name children too, whose records a logger's filter does not see."""
    for name in names:
        logger = logging.getLogger(name)
        if _FILTER not in logger.filters:
            logger.addFilter(_FILTER)
