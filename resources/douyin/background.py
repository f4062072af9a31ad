"""Blocking work off the event loop, on a thread of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Background:
    """One thread for the state database.

    The loop's default executor has as few as five threads, which a batch being normalised may
    hold for seconds; pacing must not wait for that. One thread also keeps this process from
    contending with itself for SQLite's write lock.
    """

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="douyin-state")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.executor, lambda: work(*args, **kwargs))

    def close(self) -> None:
        self.executor.shutdown(wait=True)
