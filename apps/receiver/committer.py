"""Commit events in groups: events that arrive during one transaction go into the next one together.

A commit to disk takes some milliseconds; one for each event would limit the receiver to a few hundred a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import DBAPIError, OperationalError

from resources.state import State
from resources.state.inbox import Event, OptOutOf, store

MOST = 256
"""Most events in one transaction."""


class Unavailable(RuntimeError):
    """The event was not stored, or its commit was not confirmed in time: the platform must send it again.

    ``detail`` is for the log.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail or reason


class Committer:
    """Stores events durably, in the order of their arrival. One per process; :meth:`run` must be running."""

    def __init__(self, state: State, patience_s: float, opt_out_of: OptOutOf) -> None:
        self._state = state
        self._opt_out_of = opt_out_of
        self._patience_s = patience_s
        self._waiting: asyncio.Queue[tuple[Event, asyncio.Future[bool]]] = asyncio.Queue()
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="douyin-inbox")

    async def store(self, event: Event) -> bool:
        """Store an event and return whether it is new. It is on disk when this returns.

        Raises:
            Unavailable: the database does not respond in time, or refuses.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((event, done))
        try:
            return await asyncio.wait_for(done, self._patience_s)
        except TimeoutError as error:
            raise Unavailable("the database did not answer in time") from error

    async def run(self) -> None:
        """Commit until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MOST and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            # A sender that stopped waiting got a 503 and will send again: no need to store it twice in a row.
            batch = [(event, done) for event, done in batch if not done.done()]
            if not batch:
                continue
            outcomes = await loop.run_in_executor(self._disk, self._store, [event for event, _ in batch])
            for (_, done), outcome in zip(batch, outcomes, strict=True):
                if done.done():
                    continue
                if isinstance(outcome, Unavailable):
                    done.set_exception(outcome)
                else:
                    done.set_result(outcome)

    def _store(self, events: Sequence[Event]) -> list[bool | Unavailable]:
        """Store events and return the outcome of each.

        A single event that cannot be stored is found by bisection, and fails alone; a database that refuses, refuses
        all.
        """
        try:
            return list(store(self._state, events, self._opt_out_of))
        except Exception as error:  # after any error the senders must get a response, and the next batch be tried
            if len(events) == 1 or isinstance(error, OperationalError):
                return [_unavailable("not stored", error)] * len(events)
        middle = len(events) // 2
        return self._store(events[:middle]) + self._store(events[middle:])

    async def check(self) -> None:
        """Check that the database can be written to.

        Raises:
            Unavailable: it cannot.
        """

        def touch() -> None:
            with self._state.begin(durable=False):
                pass

        try:
            await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(self._disk, touch), self._patience_s)
        except Exception as error:
            raise _unavailable("the database cannot be written to", error) from error

    def close(self) -> None:
        """Wait for the commit in progress and end the thread."""
        self._disk.shutdown(wait=True)


def _unavailable(what: str, error: Exception) -> Unavailable:
    """Make the error: the response names only its kind; the log has the database's message, free of event data."""
    reason = f"{what} ({type(error).__name__})"
    said = str(error.orig).partition("\n")[0] if isinstance(error, DBAPIError) else ""
    return Unavailable(reason, f"{reason}: {said}" if said else reason)
