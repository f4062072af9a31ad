"""Compute the customers (意向用户) of an account, whose actions make leads, messages and consents.

Each Beijing day brings an account some new customers. A customer comes once or several times within :data:`SPAN_DAYS`:
opens the chat and writes, follows, likes a video, fills in a form, calls. Some leave a number, some allow messages and
withdraw that later. The platform shows the last :data:`DEPTH_DAYS`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sandbox.clock import DAY_S, day_of, day_start
from sandbox.hashing import DeterministicRng, name
from sandbox.phrases import ANSWERS, GROUP_MESSAGES, LEAVING_PHONE, LEAVING_WECHAT, QUESTIONS, TAG_NAMES
from sandbox.vocabulary import GOODS, PLACES, TOPICS
from sandbox.world.accounts import SandboxAccount
from sandbox.world.ids import ItemIds
from sandbox.world.lead_events import CustomerEvent, Happening
from sandbox.world.overlay import Overlay, changed
from sandbox.world.people import CUSTOMERS, People
from sandbox.world.videos import VideoStore

SPAN_DAYS = 25
"""From a customer's first day to the customer's last possible action; consents may end later."""
DEPTH_DAYS = 120
HISTORY_DAYS = DEPTH_DAYS - SPAN_DAYS - 1
"""Actions within so many days were done by customers who are still shown."""
_FIRST_DAY = 18_000
"""Days in numbers of customers count from here (2019-04-14); no account had customers before."""
_PER_DAY = 64
FIRST_TAG = 101


@dataclass(frozen=True, slots=True, eq=False)
class Customer:
    """A customer and all events that ever happen; ``events`` in the order of time.

    Spans are (from, until) in epoch seconds. ``tags`` are (tag_id, from, until). ``converted_at`` and ``lost_at`` may
    be infinite.
    """

    number: int
    key: int
    born: float
    events: tuple[CustomerEvent, ...]
    consent: tuple[float, float] | None
    follows: tuple[float, float] | None
    tags: tuple[tuple[int, float, float], ...]
    converted_at: float
    lost_at: float

    def actions(self, instant: float) -> list[CustomerEvent]:
        """Return the list of actions at ``instant``, oldest first."""
        return [e for e in self.events if e.at_ms <= instant * 1_000 and e.action]

    def has_left(self, what: str, instant: float) -> bool:
        """Report whether the customer left ``phone`` or ``wechat`` by ``instant``."""
        return any(e.left == what and e.at_ms <= instant * 1_000 for e in self.events)

    def level(self, instant: float) -> int:
        """Return leads_level: -1 not interested, 0 aware, 1 interested, 2 willing, 10 converted."""
        if self.converted_at <= instant:
            return 10
        if self.lost_at <= instant:
            return -1
        if self.has_left("phone", instant) or self.has_left("wechat", instant):
            return 2
        return 1 if any(e.happening is Happening.RECEIVED for e in self.actions(instant)) else 0

    def is_following(self, instant: float) -> bool:
        """Report whether the customer follows the account at ``instant``."""
        return _within(self.follows, instant)

    def consents(self, instant: float) -> bool:
        """Report whether the customer allows messages at ``instant``."""
        return _within(self.consent, instant)

    def tags_at(self, instant: float) -> list[int]:
        """Return the ids of the customer's tags at ``instant``."""
        return [tag for tag, since, until in self.tags if since <= instant < until]


def _within(span: tuple[float, float] | None, instant: float) -> bool:
    return span is not None and span[0] <= instant < span[1]


class Leads:
    """Customers of all accounts."""

    def __init__(self, seed: int, id_seed: int, people: People, video_store: VideoStore) -> None:
        self._seed, self._people, self._video_store = seed, people, video_store
        self._messages = ItemIds(id_seed, "message", "@msg")
        self._conversations = ItemIds(id_seed, "conversation", "@conv")
        self.overlay = Overlay()
        self.customers = lru_cache(maxsize=32_768)(self._customers)
        self._lately = lru_cache(maxsize=64)(self._known)
        self._foreseen = lru_cache(maxsize=256)(self._events)

    # ---- who

    def _customers(self, account: SandboxAccount, day: int) -> tuple[Customer, ...]:
        """Return the customers whose first day is ``day``."""
        if day < _FIRST_DAY:
            return ()
        draw = DeterministicRng(self._seed, name("customers"), account.key, day)
        rate = 0.45 * math.log1p(account.base_fans / 30)
        number = min(_PER_DAY - 1, int(rate * draw.between(0.4, 1.6) + draw.unit()))
        return tuple(self._customer(account, day, k) for k in range(number))

    def find(self, number: int) -> tuple[int, int, int] | None:
        """Return (index of the account, first day, place within it) of a customer's number, or None."""
        if not number & CUSTOMERS:
            return None
        index, rest = divmod(number ^ CUSTOMERS, _PER_DAY << 16)
        day, k = divmod(rest, _PER_DAY)
        return index, day + _FIRST_DAY, k

    def customer(self, account: SandboxAccount, number: int, instant: float) -> Customer | None:
        """Return the customer with that number if there was a contact by ``instant``, else None."""
        place = self.find(number)
        if (
            place is None
            or place[0] != account.index
            or not day_of(instant) - DEPTH_DAYS <= place[1] <= day_of(instant)
        ):
            return None
        customers = self.customers(account, place[1])
        customer = customers[place[2]] if place[2] < len(customers) else None
        return self._as_it_came(account, customer) if customer and customer.born <= instant else None

    def known(self, account: SandboxAccount, instant: float) -> tuple[Customer, ...]:
        """Return the customers of the last :data:`DEPTH_DAYS` with a contact by ``instant``, oldest first."""
        known = self._lately(account, instant)
        return (
            tuple(self._as_it_came(account, c) for c in known)
            if self.overlay.events or self.overlay.consents or self.overlay.names or self.overlay.taggings
            else known
        )

    def _as_it_came(self, account: SandboxAccount, customer: Customer) -> Customer:
        """Add the effects of the API and the control plane to a customer."""
        overlay, place = self.overlay, (account.index, customer.number)
        if not overlay.touches(*place):
            return customer
        more = [e for e in overlay.events.get(account.index, ()) if e.number == customer.number]
        events = tuple(sorted((*customer.events, *more), key=lambda e: e.at_ms))
        consent = changed(overlay.consents.get(place, []), *(customer.consent or (None, math.inf)))
        follows = customer.follows
        if place in overlay.follows:
            follows = changed([(overlay.follows[place], True)], *(follows or (None, math.inf)))
        own = {tag: (since, until) for tag, since, until in customer.tags}
        for (index, number, tag), spans in overlay.taggings.items():
            if (index, number) == place and (span := changed(spans, *own.get(tag, (None, math.inf)))) is not None:
                own[tag] = span
        gone = {tag for tag, text in overlay.names.get(account.index, {}).items() if text is None}
        tags = tuple((tag, *span) for tag, span in own.items() if tag not in gone)
        return replace(customer, events=events, consent=consent, follows=follows, tags=tags)

    def events(self, account: SandboxAccount, start: float, end: float) -> tuple[CustomerEvent, ...]:
        """Return the events from ``start`` on and before ``end`` (epoch seconds), oldest first."""
        foreseen, more = self._foreseen(account, start, end), self.overlay.events.get(account.index)
        if not more:
            return foreseen
        found = [*foreseen, *(e for e in more if start * 1_000 <= e.at_ms < end * 1_000)]
        return tuple(sorted(found, key=lambda e: (e.at_ms, e.number, e.index)))

    def foreseen(self, account: SandboxAccount, start: float, end: float) -> tuple[CustomerEvent, ...]:
        """Return the same without the effects of the API and the control plane."""
        return self._foreseen(account, start, end)

    def _known(self, account: SandboxAccount, instant: float) -> tuple[Customer, ...]:
        today = day_of(instant)
        days = range(today - DEPTH_DAYS, today + 1)
        return tuple(c for day in days for c in self.customers(account, day) if c.born <= instant)

    def _events(self, account: SandboxAccount, start: float, end: float) -> tuple[CustomerEvent, ...]:
        days = range(day_of(start) - SPAN_DAYS - 1, day_of(end) + 1)
        first, last = start * 1_000, end * 1_000
        found = [e for day in days for c in self.customers(account, day) for e in c.events if first <= e.at_ms < last]
        return tuple(sorted(found, key=lambda e: (e.at_ms, e.number, e.index)))

    # ---- ids

    def conversation_id(self, account: SandboxAccount, event: CustomerEvent) -> str:
        """Return conversation_short_id: one per customer, and one for the account's group."""
        if event.happening is Happening.GROUP:
            return self._conversations.write(account.index, 0xFFFFFFFF)
        return self._conversations.write(account.index, event.number & 0xFFFFFFFF)

    def message_id(self, event: CustomerEvent) -> str:
        """Return server_message_id."""
        return self._messages.write((event.number ^ CUSTOMERS) >> 16, (event.number & 0xFFFF) << 16 | event.index)

    def message(self, account: SandboxAccount, message_id: str, instant: float) -> CustomerEvent | None:
        """Return the event of the account with this server_message_id."""
        found = self._messages.read(message_id)
        if found is None:
            return None
        number = CUSTOMERS | found[0] << 16 | found[1] >> 16
        customer = self.customer(account, number, instant)
        events = customer.events if customer else ()
        event = next((e for e in events if e.index == found[1] & 0xFFFF), None)
        return event if event and event.at_ms <= instant * 1_000 else None

    # ---- tags

    def tags(self, account: SandboxAccount) -> tuple[tuple[int, str], ...]:
        """Return (tag_id, name) of the account's tags."""
        names: dict[int, str | None] = {**dict(self._own_tags(account)), **self.overlay.names.get(account.index, {})}
        return tuple((tag, text) for tag, text in names.items() if text is not None)

    def _own_tags(self, account: SandboxAccount) -> tuple[tuple[int, str], ...]:
        """Return the tags that the account had from the beginning."""
        start, size = account.key % len(TAG_NAMES), 6 + account.key % 7
        return tuple((FIRST_TAG + k, TAG_NAMES[(start + k) % len(TAG_NAMES)]) for k in range(size))

    # ---- a customer's life

    def _customer(self, account: SandboxAccount, day: int, place: int) -> Customer:
        number = CUSTOMERS | account.index * (_PER_DAY << 16) | (day - _FIRST_DAY) * _PER_DAY | place
        draw = DeterministicRng(self._seed, name("customer"), number)
        born = day_start(day) + draw.pick((9, 12, 13, 16, 19, 20, 21, 22)) * 3_600 + draw.between(0, 3_600)
        life = _Life(self._video_store, self._people, account, number, draw)
        comes, at = 1 + draw.chance(0.4) + draw.chance(0.2), born
        for k in range(comes):
            life.come(at, first=k == 0)
            at += draw.log_between(2 * 3_600, (SPAN_DAYS - 2) * DAY_S / 2)
        left = [e.at_ms / 1_000 for e in life.events if e.left]
        last = life.events[-1].at_ms / 1_000
        converted = left[0] + draw.between(1, 9) * DAY_S if left and draw.chance(0.35) else math.inf
        lost = last + draw.between(2, 12) * DAY_S if draw.chance(0.2) else math.inf
        return Customer(
            number,
            draw.key,
            life.events[0].at_ms / 1_000,
            tuple(life.events),
            life.consent(draw),
            life.follows(draw),
            tuple(self._tags_of(account, draw, born)),
            converted,
            lost,
        )

    def _tags_of(
        self, account: SandboxAccount, draw: DeterministicRng, born: float
    ) -> Iterator[tuple[int, float, float]]:
        """Yield up to three tags; one in five is removed again."""
        own, given = self._own_tags(account), set()
        for _ in range(draw.bits() % 4):
            tag = draw.pick(own)[0]
            since = born + draw.log_between(1, 8 * 24) * 3_600
            until = since + draw.between(1, 30) * DAY_S if draw.chance(0.2) else math.inf
            if tag not in given:
                given.add(tag)
                yield tag, since, until


class _Life:
    """The actions of one customer, recorded one after another."""

    def __init__(
        self, video_store: VideoStore, people: People, account: SandboxAccount, number: int, draw: DeterministicRng
    ) -> None:
        self._video_store, self._people = video_store, people
        self._account, self._number, self._draw = account, number, draw
        self._at = 0.0
        self.events: list[CustomerEvent] = []

    def come(self, at: float, *, first: bool) -> None:
        """Add one visit: mostly a chat, the first time also other actions."""
        draw = self._draw
        self._at = max(at, self._at + 60)
        what = draw.unit()
        if what < (0.55 if first else 0.8):
            self._chat()
        elif what < 0.72:
            self._add(Happening.FOLLOWED)
        elif what < 0.84:
            self._like()
        elif what < 0.92:
            self._add(Happening.FORM, left="phone")
        elif what < 0.96:
            self._add(Happening.CALL, left="phone")
        else:
            self._add(Happening.GROUP, message_type="text", text=draw.pick(GROUP_MESSAGES))
        if first and draw.chance(0.3) and self.events[-1].happening is not Happening.FOLLOWED:
            self._add(Happening.FOLLOWED)
        if first and draw.chance(0.25):
            self._like()

    def _add(self, happening: Happening, **more: Any) -> None:
        self._at += self._draw.between(4, 90)
        self.events.append(CustomerEvent(happening, int(self._at * 1_000), self._number, len(self.events), **more))

    def _like(self) -> None:
        """Add a like of one of the account's newest videos, or a follow if there is none."""
        videos = self._video_store.listed(self._account, self._at)[-8:]
        if videos:
            self._add(Happening.LIKED, item_id=self._video_store.item_id(self._draw.pick(videos)))
        else:
            self._add(Happening.FOLLOWED)

    def _chat(self) -> None:
        draw, account = self._draw, self._account
        if draw.chance(0.75):
            self._add(Happening.ENTERED)
        for _ in range(1 + draw.bits() % 3):
            kind = draw.unit()
            if kind < 0.76:
                text = draw.pick(QUESTIONS)
                text = text.format(
                    goods=draw.pick(GOODS), place=draw.pick(PLACES), topic=draw.pick(TOPICS[account.category])
                )
                self._add(Happening.RECEIVED, message_type="text", text=text)
            elif kind < 0.80:
                self._add(Happening.RECEIVED, message_type="emoji")
            elif kind < 0.84:
                self._add(Happening.RECEIVED, message_type="image")
            elif kind < 0.94:
                self._add(Happening.RECEIVED, message_type="user_local_image")
            else:
                self._add(Happening.RECEIVED, message_type="user_local_video")
        if draw.chance(0.4):
            self._leave()
        if draw.chance(0.8):
            self._at += draw.log_between(10, 7_200)
            self._add(Happening.SENT, message_type="text", text=draw.pick(ANSWERS))

    def _leave(self) -> None:
        """Leave a phone number in a text or in a card, or a WeChat id."""
        draw, person = self._draw, self._people.person(self._number)
        how = draw.unit()
        if how < 0.45:
            text = draw.pick(LEAVING_PHONE).format(phone=person.phone)
            self._add(Happening.RECEIVED, message_type="text", text=text, left="phone")
        elif how < 0.75:
            self._add(Happening.RECEIVED, message_type="retain_consult_card", left="phone")
        else:
            text = draw.pick(LEAVING_WECHAT).format(wechat=person.wechat)
            self._add(Happening.RECEIVED, message_type="text", text=text, left="wechat")

    def consent(self, draw: DeterministicRng) -> tuple[float, float] | None:
        """Return since when and until when the customer allows messages: some of those who wrote do."""
        wrote = next((e.at_ms for e in self.events if e.happening is Happening.RECEIVED), None)
        if wrote is None or not draw.chance(0.5):
            return None
        since = round(wrote / 1_000 + draw.between(30, 3_600), 3)
        return since, since + draw.between(0.5, 30) * DAY_S if draw.chance(0.25) else math.inf

    def follows(self, draw: DeterministicRng) -> tuple[float, float] | None:
        """Return since when and until when the customer follows the account."""
        since = next((e.at_ms / 1_000 for e in self.events if e.happening is Happening.FOLLOWED), None)
        if since is None:
            return None
        return since, since + draw.between(1, 40) * DAY_S if draw.chance(0.15) else math.inf
