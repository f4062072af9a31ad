"""Send lines: claim each one in the ledger when its call can start, call once, and record the outcome.

Campaigns and the reply worker use it. If a call may have been made and its outcome is not known, the line is unknown.
It stays so until an event or a person settles it; nothing is sent on a guess.
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
from resources.state.ledger import read_lines
from resources.state.lines import LineState
from resources.state.outbox import ClaimedLine, SendingRules, SendRefusal, claim, finish, look, postpone, release
from resources.state.plans import check_approved, end_plan
from resources.state.resolving import recover, resolve

log = logging.getLogger(__name__)


class StopSending(RuntimeError):
    """The app cannot send anything now; the message says why, and lines stay planned."""


@dataclass
class SendSummary:
    """Result of one round: lines by state, and waiting lines by reason."""

    states: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None


class _Turn:
    """Parameters of a call that claims its line only when the call can start.

    If a process dies, only the lines of calls in flight are unknown. ``claimed`` is the line while this process has it:
    from then on its call may have been made. ``given`` are the call's parameters, if the line alone does not have them.
    """

    def __init__(self, state: State, clock: Clock, line_id: int, rules: SendingRules, given: Params | None) -> None:
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
        """Claim the line, without checking its window.

        Raises:
            _NotClaimed: it must not be sent now.
        """
        claimed = await _claim(self._state, self._line_id, self._rules, self._clock)
        if isinstance(claimed, SendRefusal):
            raise _NotClaimed(claimed)
        self.claimed = claimed
        return claimed

    async def undone(self) -> None:
        """Release the line: the call had no effect and will be repeated."""
        self.claimed = None
        await _apart(release, self._state, self._line_id, "the call did nothing, and is made again")


class _NotClaimed(Exception):
    """The line must not be sent now; ``refused`` says why."""

    def __init__(self, refused: SendRefusal) -> None:
        super().__init__(refused.why)
        self.refused = refused


async def send_line(
    client: DouyinClient,
    state: State,
    clock: Clock,
    line_id: int,
    rules: SendingRules,
    complete: Callable[[ClaimedLine], Any] | None = None,
) -> LineState | SendRefusal:
    """Claim one line when its call can start, call, and record the outcome.

    Args:
        client: the client of the line's app.
        state: the state database.
        clock: the clock for claims and windows.
        line_id: the line.
        rules: limits of its plan.
        complete: an async function that returns the call's parameters, if the line alone does not have them.

    Returns:
        The new state of the line, or why it was not sent.

    Raises:
        StopSending: the reason stops all other lines of the app, too; the line stays planned.
    """
    seen = await _apart(look, state, line_id, rules, clock.now())
    if isinstance(seen, SendRefusal):
        return seen
    operation = OTHER_OPERATIONS[seen.line.operation]
    turn: _Turn | None = None

    async def wait(why: str) -> None:
        """Put the line back, with the reason."""
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
        try:  # failures before and after the claim end alike
            await turn.claim() if turn.claimed is None else None
        except _NotClaimed as other:
            return other.refused
        return await _end(state, clock, line_id, LineState.FAILED, code=error.code, why=error.reason)
    except BaseException:  # interrupted: the call may have been made
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


async def _claim(state: State, line_id: int, rules: SendingRules, clock: Clock) -> ClaimedLine | SendRefusal:
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
    """Run database work in a thread to its end, even if the task is cancelled."""
    future = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise


def message_ids_of(document: Any) -> list[str]:
    """List the ids that a write operation created; IM responses have them outside ``data``."""
    data = document.get("data") if isinstance(document.get("data"), dict) else {}
    if listed := document.get("msg_list"):
        return [str(i) for i in listed]
    single = document.get("msg_id") or data.get("server_msg_id") or data.get("comment_id") or data.get("tag_id")
    return [str(single)] if single else []


IN_FLIGHT = 8
"""Lines sent concurrently; the client limits rate and concurrency per account."""


def send_plan(
    runtime: Runtime,
    plan_id: int,
    complete: Callable[[DouyinClient, ClaimedLine], Any] | None = None,
    *,
    in_order: bool = False,
) -> SendSummary:
    """Send the remaining lines of a plan; may be called again at any time.

    Lines of dead senders are resolved first: they are unknown, and events may settle them.

    Args:
        runtime: settings, state and clients.
        plan_id: the plan.
        complete: see :func:`send_line`; it also gets the client.
        in_order: send one line after the other.

    Raises:
        NotApproved: the plan is not approved in its present form.
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
    rules: SendingRules,
    done: SendSummary,
    complete: Callable | None,
    at_once: int,
) -> None:
    queue = iter(line_ids)
    stopped: list[StopSending] = []

    async def work() -> None:
        """Send lines from the queue until it is empty or sending stops."""
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
"""An unknown line older than this is left to a person: the platform would have delivered its event by then."""
