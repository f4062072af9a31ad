"""Sending: each line claimed in the ledger when its call has its turn, called once, and written down.

Used by campaigns and by the reply worker.

A line whose call may have been done is unknown and stays so until an event or a person tells; nothing is sent on a
guess.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from catalog.errors import Action
from catalog.operations import OTHER_OPERATIONS
from resources.client.client import DouyinClient
from resources.client.errors import (
    AppStopped,
    CallFailed,
    CapabilityUnavailable,
    OutcomeUnknown,
    QuotaExhausted,
    Skipped,
    TransientFailure,
)
from resources.client.exchange import Params
from resources.config.clock import Clock
from resources.runtime import Runtime
from resources.state import State
from resources.state.lines import LineState
from resources.state.outbox import ClaimedLine, Rules, SendRefusal, claim, finish, look, postpone, read_lines, release
from resources.state.plans import check_approved, end_plan
from resources.state.resolving import recover, resolve

log = logging.getLogger(__name__)


class StopSending(RuntimeError):
    """Nothing more can be sent through this app now; the message says why. Lines stay planned."""


@dataclass
class SendSummary:
    """What one round did: lines by state, and what only waits, by reason."""

    states: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None


class _Turn:
    """Claims a line when its call has its turn, so that a process that dies leaves no line unknown but those of calls in flight.

    ``claimed`` is the line while this process has it: from then on its call may have been made. ``given`` are the
    call's parameters, where the line alone does not know them.
    """

    def __init__(self, state: State, clock: Clock, line_id: int, rules: Rules, given: Params | None) -> None:
        self._state, self._clock, self._line_id, self._rules, self._given = state, clock, line_id, rules, given
        self.claimed: ClaimedLine | None = None

    async def begin(self) -> Params:
        """Claim the line.

        Raises:
            _NotClaimed: it must not be sent now.
            Skipped: its window closed while the ledger was busy.
        """
        claimed = await self.claim()
        if claimed.window is not None and self._clock.now() >= claimed.window.closes_at:
            line = claimed.line
            raise Skipped(
                Action.SKIP,
                None,
                "the window closed while the call waited for its turn",
                operation=line.operation,
                open_id=line.open_id,
            )
        return claimed.params if self._given is None else self._given

    async def claim(self) -> ClaimedLine:
        claimed = await _claim(self._state, self._line_id, self._rules, self._clock)
        if isinstance(claimed, SendRefusal):
            raise _NotClaimed(claimed)
        self.claimed = claimed
        return claimed

    async def undone(self) -> None:
        self.claimed = None
        await _apart(release, self._state, self._line_id, "the call did nothing, and is made again")


class _NotClaimed(Exception):
    """The line must not be sent now, as ``refused`` says."""

    def __init__(self, refused: SendRefusal) -> None:
        super().__init__(refused.why)
        self.refused = refused


async def send_line(
    client: DouyinClient,
    state: State,
    clock: Clock,
    line_id: int,
    rules: Rules,
    complete: Callable[[ClaimedLine], Any] | None = None,
) -> LineState | SendRefusal:
    """Claim one line when its call has its turn, call, and write down what became of it.

    Args:
        complete: an async function that gives the call's parameters where the line alone does not know them.

    Raises:
        StopSending: what stopped this one would stop all others of the app; the line stays planned.
    """
    seen = await _apart(look, state, line_id, rules, clock.now())
    if isinstance(seen, SendRefusal):
        return seen
    operation = OTHER_OPERATIONS[seen.line.operation]
    turn: _Turn | None = None

    async def wait(why: str) -> None:
        await _apart(release if turn is not None and turn.claimed else postpone, state, line_id, why)

    try:
        turn = _Turn(state, clock, line_id, rules, None if complete is None else await complete(seen))
        answer = await client.write(operation, turn, seen.line.open_id)
    except _NotClaimed as error:
        return error.refused
    except OutcomeUnknown as error:
        return await _end(state, clock, line_id, LineState.UNKNOWN, code=error.code, why=error.reason)
    except (AppStopped, CapabilityUnavailable, QuotaExhausted) as error:
        await wait(error.reason)
        raise StopSending(str(error)) from error
    except TransientFailure as error:
        await wait(error.reason)
        return SendRefusal(error.reason, later=True)
    except CallFailed as error:
        turn = turn or _Turn(state, clock, line_id, rules, None)
        try:  # what failed before its turn ends as what failed after it
            await turn.claim() if turn.claimed is None else None
        except _NotClaimed as other:
            return other.refused
        return await _end(state, clock, line_id, LineState.FAILED, code=error.code, why=error.reason)
    except BaseException:  # an interruption: the call may be under way
        if turn is not None and turn.claimed is not None:
            if operation.repeatable:
                release(state, line_id, "the sender was interrupted")
            else:
                finish(
                    state,
                    line_id,
                    LineState.UNKNOWN,
                    clock.now(),
                    why="the sender was interrupted before it knew the answer",
                )
        raise
    return await _end(state, clock, line_id, LineState.SENT, message_ids=message_ids_of(answer.document))


async def _claim(state: State, line_id: int, rules: Rules, clock: Clock) -> ClaimedLine | SendRefusal:
    claiming = asyncio.ensure_future(asyncio.to_thread(claim, state, line_id, rules, clock.now()))
    try:
        return await asyncio.shield(claiming)
    except asyncio.CancelledError:
        await asyncio.wait([claiming])
        if isinstance(claiming.result(), ClaimedLine):
            release(state, line_id, "the sender was interrupted")
        raise


async def _end(state: State, clock: Clock, line_id: int, outcome: LineState, **more: Any) -> LineState:
    await _apart(finish, state, line_id, outcome, clock.now(), **more)
    return outcome


async def _apart(work: Callable, *args: Any, **kwargs: Any) -> Any:
    """The state database in a thread, and to its end: what was begun there is known here also when the task is interrupted."""
    future = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise


def message_ids_of(document: Any) -> list[str]:
    """Ids that a writing operation gave to what it made; IM answers have them outside of ``data``."""
    data = document.get("data") if isinstance(document.get("data"), dict) else {}
    if listed := document.get("msg_list"):
        return [str(i) for i in listed]
    single = document.get("msg_id") or data.get("server_msg_id") or data.get("comment_id") or data.get("tag_id")
    return [str(single)] if single else []


IN_FLIGHT = 8
"""Lines that are sent at the same time. Rate and concurrency per account are the client's."""


def send_plan(
    runtime: Runtime,
    plan_id: int,
    complete: Callable[[DouyinClient, ClaimedLine], Any] | None = None,
    *,
    in_order: bool = False,
) -> SendSummary:
    """Send what a plan still has to send; may be called again at any time. ``in_order`` sends one line after the other.

    Lines of senders that died are found first: they are unknown, and events may tell of them.

    Raises:
        NotApproved: the plan is not approved as it is.
    """
    now = runtime.clock.now()
    plan = check_approved(runtime.state, plan_id, now)
    recover(runtime.state, now)
    resolve(runtime.state, now)
    done = SendSummary()
    lines = read_lines(runtime.state, plan_id=plan_id, states=[LineState.PLANNED])
    for app in dict.fromkeys(line.client_key for line in lines):
        client = runtime.client(app)
        mine = [line.id for line in lines if line.client_key == app]
        try:
            runtime.run(_send_all(client, runtime, mine, plan.rules, done, complete, 1 if in_order else IN_FLIGHT))
        except StopSending as error:
            done.stopped = str(error)
            log.warning("plan %s: %s", plan_id, error)
    end_plan(runtime.state, plan_id)
    return done


async def _send_all(
    client: DouyinClient,
    runtime: Runtime,
    line_ids: Iterable[int],
    rules: Rules,
    done: SendSummary,
    complete: Callable | None,
    at_once: int,
) -> None:
    queue = iter(line_ids)
    stopped: list[StopSending] = []

    async def work() -> None:
        for line_id in queue:
            if stopped:
                return
            given = None if complete is None else (lambda claimed: complete(client, claimed))
            try:
                outcome = await send_line(client, runtime.state, runtime.clock, line_id, rules, given)
            except StopSending as error:
                stopped.append(error)
                return
            if isinstance(outcome, SendRefusal):
                done.waiting.update([outcome.why] if outcome.later else [])
                done.states.update([] if outcome.later else [LineState.BLOCKED.value])
            else:
                done.states[outcome.value] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    if stopped:
        raise stopped[0]


UNSEEN_AFTER = timedelta(minutes=30)
"""After so long an unknown line is a person's matter: by then the platform has delivered the event, if there is one."""
