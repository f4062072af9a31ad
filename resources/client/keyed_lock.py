"""Lock by key across the tasks of this process and the processes of the machine."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from filelock import AsyncFileLock

from resources.client.background import Background

T = TypeVar("T")


class KeyedLock:
    """A lock per key; work that has started runs to completion."""

    def __init__(self, locks_dir: Path, background: Background) -> None:
        self._locks_dir = locks_dir
        self._background = background
        self._tasks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._working: set[asyncio.Task[Any]] = set()
        self._closing = False

    @asynccontextmanager
    async def turn(self, key: str, settled: Callable[[], bool] = lambda: False) -> AsyncIterator[bool]:
        """Acquire the lock of ``key`` for the block, without blocking the event loop.

        Tasks of this process queue first. Yields True without the lock between processes if ``settled`` reports that
        the previous task did the work: hundreds may have waited for one token. The lock file has no readable name: ids
        of people do not belong there.

        Raises:
            asyncio.CancelledError: :meth:`close` was called.
        """
        async with self._tasks[key]:
            if self._closing:
                raise asyncio.CancelledError("the client is closing")
            if settled():
                yield True
                return
            name = hashlib.sha256(key.encode()).hexdigest()[:24]
            await self._background.run(self._locks_dir.mkdir, parents=True, exist_ok=True)
            async with AsyncFileLock(self._locks_dir / f"token-{name}.lock", executor=self._background.executor):
                yield False

    async def run_to_completion(self, work: Coroutine[Any, Any, T]) -> T:
        """Await the work, which continues if the caller is cancelled: the platform may already have voided a token."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for running work; no new work starts."""
        self._closing = True
        while self._working:
            await asyncio.wait(self._working)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._working.discard(task)
        if not task.cancelled():
            task.exception()  # mark as retrieved: the caller that receives it may be cancelled
