"""Open the resources of a run on first use, and share them between all its steps."""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from filelock import FileLock, Timeout

from resources import shutdown
from resources.config.clock import Clock
from resources.config.settings import Settings
from resources.state import State
from resources.state.tokens import check_key
from resources.storage.archive import Archive

if TYPE_CHECKING:
    from resources.client.client import DouyinClient
    from resources.storage.lake import Lake
    from resources.warehouse.publisher import Warehouse

T = TypeVar("T")
_THREAD = "douyin-client"
_log = logging.getLogger(__name__)


class Runtime:
    """Settings, clock, state, archive, lake, warehouse, and one event loop for the clients.

    Creating one does no I/O, so definitions can contain it. ``settings`` may be a function, which is called on first
    use: environment variables are then read in the process that runs.
    """

    def __init__(self, settings: Settings | Callable[[], Settings] = Settings) -> None:
        self._settings = settings
        self.listeners: list[Callable[[Any], None]] = []
        """Callbacks that receive the result of each table when it is done, to show progress."""
        self._closing = ExitStack()
        self._closing_clients = ExitStack()
        self._clients: dict[str, DouyinClient] = {}
        self._flush: Callable[[], None] = lambda: None
        """Flush the archive, if it is open."""

    @cached_property
    def settings(self) -> Settings:
        """Settings of the run."""
        return self._settings() if callable(self._settings) else self._settings

    @cached_property
    def clock(self) -> Clock:
        """The configured clock."""
        return self.settings.get_clock()

    @cached_property
    def state(self) -> State:
        """The state database."""
        key = self.settings.token_key
        state = State(self.settings.database_url, key.get_secret_value() if key else None)
        self._closing.callback(delattr, self, "state")
        self._closing.callback(state.close)
        return state

    @cached_property
    def archive(self) -> Archive:
        """The archive of responses."""
        archive = Archive(self.settings.archive_dir, self.settings.flush_s)
        self._flush = archive.flush
        self._closing.callback(self._close_archive)
        return archive

    # Importing Arrow and DuckDB takes a quarter of a second, which commands that only need the state avoid.

    @cached_property
    def lake(self) -> Lake:
        """The lake of Parquet partitions."""
        from resources.storage.lake import Lake

        return Lake(self.settings.lake_dir)

    @cached_property
    def warehouse(self) -> Warehouse:
        """The publisher of the DuckDB file."""
        from resources.warehouse.mart_files import mart_folders
        from resources.warehouse.publisher import Warehouse

        marts = mart_folders(self.settings.project)
        return Warehouse(self.settings.warehouse_path, self.lake, self.settings.locks_dir, *marts)

    @contextmanager
    def filling(self, table: str) -> Iterator[None]:
        """Lock ``table`` against other processes that fill it; log a warning while waiting for one.

        The system releases the lock of a process that died. Without the lock, two runs of the same day would request
        everything twice. Inside the block a signal ends the process soon, as in :meth:`ending_soon`.

        Raises:
            KeyboardInterrupt: a signal has requested the end of the process.
        """
        shutdown.check()
        path = self.settings.locks_dir / f"table-{table}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _log.warning("%s is being filled by another run (it holds %s): waiting until it is done", table, path)
            lock.acquire()
        try:
            with self.ending_soon():
                yield
        finally:
            lock.release()

    @contextmanager
    def ending_soon(self) -> Iterator[None]:
        """Make a signal end the process soon inside the block, after the received responses were flushed to disk."""
        with shutdown.heard(lambda: self._flush()):
            yield

    # One loop for the whole run, on its own thread: steps are synchronous, and the client keeps its connections and
    # rate limits from step to step.

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        loop = _new_loop()
        # A run launched by Dagster closes nothing: its process just ends, and must not end with an open transport.
        atexit.register(self.close)
        threading.Thread(target=loop.run_forever, name=_THREAD, daemon=True).start()
        self._closing.callback(delattr, self, "_loop")
        self._closing.callback(loop.call_soon_threadsafe, loop.stop)
        return loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the run's event loop, wait for it and return its result.

        Raises:
            RuntimeError: it was called on that loop itself, where it would wait for ever.
        """
        if threading.current_thread().name == _THREAD:
            work.close()
            raise RuntimeError("Runtime.run was called on its own event loop")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # its tasks end on the other thread, concurrently with the caller
            raise

    @property
    def app_keys(self) -> tuple[str, ...]:
        """Keys of the installation's apps; ids of one have no meaning in another."""
        return tuple(app.client_key for app in self.settings.all_apps)

    def client(self, client_key: str) -> DouyinClient:
        """Return the run's one client of an app, which archives every response before it is used.

        Raises:
            LookupError: the installation has no such app.
            NotConfigured: credentials or the token key are not set.
            TokenKeyError: the token key is wrong.
        """
        from resources.client.client import DouyinClient
        from resources.client.recorder import Recorder

        async def open_client() -> DouyinClient:
            settings = self.settings.for_app(client_key)
            client = DouyinClient(settings, self.state, self.clock, sink=Recorder(self.archive).record)
            return await client.__aenter__()

        if client_key not in self._clients:
            check_key(self.state, client_key)
            self._clients[client_key] = self.run(open_client())
            self._closing_clients.callback(self._close_client, client_key)
        return self._clients[client_key]

    def _close_client(self, client_key: str) -> None:
        self.run(self._clients.pop(client_key).__aexit__(None, None, None))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Flush the archive and close what was opened, each also if a previous one failed.

        A closed runtime opens again on use.
        """
        atexit.unregister(self.close)
        with self._closing, self._closing_clients:  # the clients first: they use the others
            self._flush()

    def _close_archive(self) -> None:
        self._flush()  # if that fails, the archive stays with its buffered responses
        self._flush = lambda: None
        del self.archive

    def set_clock(self, clock: Clock) -> None:
        """Move a simulated run to another instant; its clients are closed and open again on use."""
        self._closing_clients.close()
        self.clock = clock


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
