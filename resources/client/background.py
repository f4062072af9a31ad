"""Run blocking work outside the event loop, on a dedicated thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _OneThread(Executor):
    """Executor with one thread that works until the interpreter ends.

    The standard library shuts its own executors down before ``atexit`` handlers, which close a run.
    """

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        if self._closed:
            raise RuntimeError("the client is closed")
        future: Future[T] = Future()
        self._work.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._closed = True
        self._work.put(None)
        if wait:
            self._thread.join()

    def _go(self) -> None:
        while (item := self._work.get()) is not None:
            future, work = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
            del item, future, work


class Background:
    """Dedicated thread for the state database.

    The loop's default executor has as few as five threads, which normalising a batch may occupy for seconds; the rate
    limiter must not wait for that. One thread also keeps this process from contending with itself for SQLite's write
    lock.
    """

    def __init__(self) -> None:
        self.executor = _OneThread("douyin-state")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``work`` on the thread and return its result or raise its exception.

        Raises:
            RuntimeError: :meth:`close` was called.
        """
        return await asyncio.get_running_loop().run_in_executor(self.executor, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Finish the queued work and end the thread."""
        self.executor.shutdown(wait=True)
