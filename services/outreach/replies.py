"""Reply to people within seconds: the platform's windows are shorter than the start-up of a run.

Rules are in ``campaigns/replies.yaml``. Every reply goes through the ledger, so that limits apply to replies and
campaigns together, and an event is answered at most once. Opt-outs do not depend on the worker: :func:`opt_outs_by`
detects them, and they are stored with the event itself, whatever the state of the account and whatever sends the reply.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy.exc import DBAPIError

from catalog.messages import ANSWERED_BY, content_of
from resources.client.client import DouyinClient
from resources.config.clock import Clock
from resources.config.log_repeats import Repeats
from resources.state import State
from resources.state.accounts import AccountStatus, get_account
from resources.state.chats import get_chat, hand_over
from resources.state.inbox import Event, OptOutOf, fingerprint, received_since
from resources.state.ledger import answers_since, read_lines
from resources.state.lines import LineState
from resources.state.outbox import NewLine, SendingRules, SendRefusal, write_lines
from resources.state.resolving import recover, resolve
from services.outreach.campaigns import Replies, Rule
from services.outreach.sending import StopSending, send_line
from services.outreach.templates import BadTemplate, fill

log = logging.getLogger(__name__)

CATCH_UP = timedelta(minutes=5)
"""After a restart, messages younger than this are still answered; older ones are left to a person."""
AT_ONCE = 16
RESOLVE_S = 15.0
"""Interval at which events of our own messages are matched to unknown lines."""


def words_of(event: Event) -> str:
    """Return the text of a message event."""
    return str(event.content.get("text") or "")


OPT_OUT_WORD = "退订"
"""This word always opts a person out, with any rules and without rules."""


def opt_outs_by(replies: Replies | None) -> OptOutOf:
    """Create a function that returns the reason of an opt-out for an event, or None.

    Rules with ``opt_out`` are checked before all others, and :data:`OPT_OUT_WORD` always counts.
    """

    def opt_out_of(event: Event) -> str | None:
        """Return why an event is an opt-out, or None."""
        if event.event not in ANSWERED_BY or not event.envelope.get("from_user_id") or _is_our_own(event):
            return None
        rule = rule_for(replies, event, str(event.envelope.get("to_user_id") or "")) if replies is not None else None
        if rule is not None and rule.opt_out:
            return f"asked for it (rule {rule.name})"
        return f"asked for it ({OPT_OUT_WORD})" if OPT_OUT_WORD in words_of(event) else None

    return opt_out_of


def _is_our_own(event: Event) -> bool:
    return event.content.get("source") == event.client_key


def rule_for(replies: Replies, event: Event, account: str) -> Rule | None:
    """Return the first matching rule, or None; rules with ``opt_out`` come before all others."""
    text, kind = words_of(event).casefold(), str(event.content.get("message_type") or "")
    for rule in sorted(replies.rules, key=lambda rule: not rule.opt_out):
        if event.event not in rule.on or (rule.accounts and account not in rule.accounts):
            continue
        if rule.types and kind not in rule.types:
            continue
        if rule.keywords and not any(word.casefold() in text for word in rule.keywords):
            continue
        return rule
    return None


class ReplyWorker:
    """Worker that replies to events; :meth:`offer` never blocks.

    ``clients`` are the clients by app; ``counts`` counts events by outcome.
    """

    def __init__(
        self, replies: Replies, state: State, clock: Clock, apps: Iterable[str], clients: Mapping[str, DouyinClient]
    ) -> None:
        self._replies, self._state, self._clock, self._apps, self._clients = replies, state, clock, tuple(apps), clients
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        self._turns: WeakValueDictionary[tuple[str, str, str], asyncio.Lock] = WeakValueDictionary()
        self._repeats = Repeats()
        self.counts: Counter[str] = Counter()

    def offer(self, event: Event) -> None:
        """Queue an event, if events of its kind can be answered."""
        if event.event in ANSWERED_BY:
            self._queue.put_nowait(event)

    async def run(self) -> None:
        """Reply until cancelled; begin with the events that arrived while no worker ran."""
        for event in await asyncio.to_thread(self._left_over):
            self.offer(event)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._resolve_regularly())
            for _ in range(AT_ONCE):
                group.create_task(self._work())

    def _left_over(self) -> list[Event]:
        now = self._clock.now()
        recover(self._state, now)
        return [e for app in self._apps for e in received_since(self._state, app, now - CATCH_UP, ANSWERED_BY)]

    async def _resolve_regularly(self) -> None:
        while True:
            try:
                await asyncio.to_thread(resolve, self._state, self._clock.now())
            except DBAPIError as error:  # a busy or full database must not stop the worker
                self._log(f"unknown lines cannot be looked for: {error.orig}")
            await asyncio.sleep(RESOLVE_S)

    def _log(self, message: str) -> None:
        if (line := self._repeats.line(message)) is not None:
            log.error("%s", line)

    async def _work(self) -> None:
        while True:
            event = await self._queue.get()
            person = (event.client_key, str(event.envelope.get("to_user_id")), str(event.envelope.get("from_user_id")))
            try:
                # Each task that waits holds the lock alive; with the last of them it is gone.
                async with self._turns.setdefault(person, asyncio.Lock()):
                    outcome = await self.answer(event)
            except DBAPIError as error:
                self._log(f"events of {event.client_key} cannot be answered: {error.orig}")
                outcome = "error"
            except Exception:  # one event must not stop the worker; message texts stay out of the log
                log.exception("event %s of %s could not be answered", event.event, event.client_key)
                outcome = "error"
            self.counts[outcome] += 1

    async def answer(self, event: Event) -> str:
        """Handle one event; return the outcome in a word or two."""
        app, account, person = (
            event.client_key,
            str(event.envelope.get("to_user_id") or ""),
            str(event.envelope.get("from_user_id") or ""),
        )
        if not (account and person) or _is_our_own(event):
            return "our own"
        decided = await asyncio.to_thread(self._decide, event, app, account, person)
        if isinstance(decided, str):
            return decided
        rule, line_id = decided
        try:
            return (
                "no message"
                if line_id is None
                else await self._send(
                    app, line_id, SendingRules(opt_out_at=event.received_at if rule.opt_out else None)
                )
            )
        finally:  # the request holds even if the reply cannot be sent
            await asyncio.to_thread(self._afterwards, rule, app, account, person)

    async def _send(self, app: str, line_id: int, rules: SendingRules) -> str:
        try:
            sent = await send_line(self._clients[app], self._state, self._clock, line_id, rules)
        except StopSending as error:
            log.warning("cannot answer: %s", error)
            return "stopped"
        return sent.why if isinstance(sent, SendRefusal) else sent.value

    def _decide(self, event: Event, app: str, account: str, person: str) -> str | tuple[Rule, int | None]:
        """Return the rule and the id of the ledger line that replies, or why nothing is done."""
        state, now, replies = self._state, self._clock.now(), self._replies
        known = get_account(state, app, account)
        if known is None or known.status not in (AccountStatus.ACTIVE, AccountStatus.NEEDS_CONSENT):
            return "account not active"
        if get_account(state, app, person) is not None:
            return "another account of ours"
        rule = rule_for(replies, event, account)
        if rule is None:
            return "no rule"
        chat = get_chat(state, app, account, person)
        if not rule.opt_out:
            if chat.handed_over_until is not None and now < chat.handed_over_until:
                return "handed over"
            if chat.by_hand_at is not None and now < chat.by_hand_at + replies.after_by_hand:
                return "answered by hand"
            if SendingRules(quiet=replies.quiet_hours).is_quiet(now) and not rule.also_in_quiet_hours:
                return "quiet hours"
        key = f"reply/{app}/{event.event_id}"
        if read_lines(state, key=key):
            return "answered before"
        with state.read() as db:
            lately = answers_since(db, app, account, person, now - timedelta(hours=1))
        if lately >= replies.most_per_hour:
            hand_over(state, app, account, person, now + replies.guard_hand_over)
            log.warning(
                "loop guard: %d answers to one person of %s within an hour; a person must look (no answers for %s)",
                lately,
                account,
                replies.guard_hand_over,
            )
            return "loop guard"
        if rule.messages and not rule.opt_out and self._answered_lately(app, account, person, rule, now):
            return "said lately"
        if not rule.messages:
            return rule, None
        return rule, self._write(event, rule, app, account, person, key, now)

    def _answered_lately(self, app: str, account: str, person: str, rule: Rule, now: datetime) -> bool:
        lines = read_lines(
            self._state, states=[LineState.SENT, LineState.UNKNOWN, LineState.CLAIMED], client_keys=[app], person=person
        )
        return any(
            line.campaign == f"reply:{rule.name}"
            and line.open_id == account
            and line.claimed_at is not None
            and line.claimed_at > now - rule.again_after
            for line in lines
        )

    def _write(
        self, event: Event, rule: Rule, app: str, account: str, person: str, key: str, now: datetime
    ) -> int | None:
        names = {"nickname": _nickname(event.content, person)}
        try:
            contents = [content_of(fill(m, names)) for m in rule.messages]
        except BadTemplate:  # no nickname: better no reply than one with a gap
            return None
        request: dict[str, Any] = {
            "to_user_id": person,
            **({"content": contents[0]} if len(contents) == 1 else {"content_list": contents}),
        }
        looks = ",".join(fingerprint(c["msg_type"], c.get("text", {}).get("text", "")) for c in contents)
        line = NewLine(
            "im_send_msg",
            f"reply:{rule.name}",
            app,
            account,
            person,
            request,
            key,
            f"event {event.event}",
            ANSWERED_BY[event.event],
            len(contents),
            looks,
        )
        return write_lines(self._state, [line], now)[0]

    def _afterwards(self, rule: Rule, app: str, account: str, person: str) -> None:
        now = self._clock.now()
        if rule.hand_over is not None:
            hand_over(self._state, app, account, person, now + rule.hand_over)
            log.warning("a person must answer a message to %s (rule %s)", account, rule.name)


def _nickname(content: Mapping[str, Any], person: str) -> str:
    for info in content.get("user_infos") or ():
        if isinstance(info, Mapping) and info.get("open_id") == person:
            return str(info.get("nick_name") or "")
    return ""
