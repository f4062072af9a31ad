"""Certificates of authorities, read once a process: every ``httpx.get`` reads all of them anew, which takes 40 ms."""

from __future__ import annotations

import functools
import ssl
from typing import Any


def read_once() -> None:
    """Keep contexts of a given file; one of the machine's own certificates depends on variables, and is made anew."""
    anew = ssl.create_default_context
    kept = functools.cache(anew)

    def create(*purpose: Any, **more: Any) -> ssl.SSLContext:
        return (kept if "cafile" in more else anew)(*purpose, **more)

    ssl.create_default_context = create
