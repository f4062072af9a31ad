"""Read certificate authorities once a process: every ``httpx.get`` reads all of them again, which takes 40 ms."""

from __future__ import annotations

import functools
import ssl
from typing import Any


def read_once() -> None:
    """Cache contexts of a given file.

    The context of the machine's own certificates depends on variables, and is created each time.
    """
    anew = ssl.create_default_context
    kept = functools.cache(anew)

    def create(*purpose: Any, **more: Any) -> ssl.SSLContext:
        return (kept if "cafile" in more else anew)(*purpose, **more)

    ssl.create_default_context = create
