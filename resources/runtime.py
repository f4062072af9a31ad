"""Everything that a run talks to, opened on first use and shared by all its steps."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any, TypeVar

from resources.archive import Archive
from resources.clock import Clock
from resources.lake import Lake
from resources.settings import Settings
from resources.state import State
from resources.warehouse import Warehouse

T = TypeVar("T")
_THREAD = "douyin-client"


class Runtime:
    """Settings, clock, state, archive, lake, warehouse, and one event loop for the client.

    Making one does no I/O, so definitions can hold it. ``settings`` may be given as a function,
    which is called on first use: environment variables are then read in the process that runs.
    """

    def __init__(self, settings: Settings | Callable[[], Settings] = Settings) -> None:
        self._settings = settings
        self.listeners: list[Callable[[Any], None]] = []
        """Called with what was done for a table, after each one: progress for a person who waits."""

    @cached_property
    def settings(self) -> Settings:
        return self._settings() if callable(self._settings) else self._settings

    @cached_property
    def clock(self) -> Clock:
        return self.settings.get_clock()

    @cached_property
    def state(self) -> State:
        return State(self.settings.database_url)

    @cached_property
    def archive(self) -> Archive:
        return Archive(self.settings.archive_dir, self.settings.flush_s)

    @cached_property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_dir)

    @cached_property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings.warehouse_path, self.lake, self.settings.locks_dir)

    # One loop for the whole run, on a thread of its own: steps are synchronous, and the client keeps
    # its connections and its pacing from step to step.

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        loop = _new_loop()
        # A run launched by Dagster closes nothing: its process just ends, and must not end under an open transport.
        atexit.register(self.close)
        threading.Thread(target=loop.run_forever, name=_THREAD, daemon=True).start()
        return loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the run's event loop and wait for it. Never from that loop itself: it would wait for ever."""
        if threading.current_thread().name == _THREAD:
            work.close()
            raise RuntimeError("Runtime.run was called on its own event loop")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    @cached_property
    def client(self):
        """The run's one client; every response that it receives goes into the archive first."""
        from resources.douyin.client import DouyinClient
        from resources.douyin.recorder import Recorder

        async def open_client() -> DouyinClient:
            client = DouyinClient(self.settings, self.state, self.clock, sink=Recorder(self.archive).record)
            return await client.__aenter__()

        return self.run(open_client())

    def close(self) -> None:
        """Flush the archive and close what was opened. A closed runtime opens again on use."""
        atexit.unregister(self.close)
        if "client" in self.__dict__:
            self.run(self.client.__aexit__(None, None, None))
        if "archive" in self.__dict__:
            self.archive.flush()
        if "state" in self.__dict__:
            self.state.close()
        if "_loop" in self.__dict__:
            self._loop.call_soon_threadsafe(self._loop.stop)
        for name in ("client", "archive", "state", "_loop"):
            self.__dict__.pop(name, None)

    def set_clock(self, clock: Clock) -> None:
        """Move a simulated run to another instant."""
        if "client" in self.__dict__:
            self.run(self.client.__aexit__(None, None, None))
            del self.__dict__["client"]
        self.__dict__["clock"] = clock


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
