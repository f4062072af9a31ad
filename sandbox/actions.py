"""Let invented people act: each action becomes an event of the world and is delivered."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.apps import SandboxApp
from sandbox.config import SandboxConfig
from sandbox.events import consent_body, invented, webhook
from sandbox.hashing import DeterministicRng, mix, name
from sandbox.phrases import LEAVING_PHONE
from sandbox.world.accounts import SandboxAccount
from sandbox.world.lead_events import CustomerEvent, Happening
from sandbox.world.leads import Customer
from sandbox.world.overlay import ScheduledAction, SentMessage

DOES = (
    "write",
    "enter",
    "tap_card",
    "leave_phone",
    "follow",
    "like",
    "consent",
    "withdraw_consent",
    "opt_out",
    "unauthorize",
)


class PersonActions:
    """The people of one app: they act on order and react to messages at the configured rates."""

    def __init__(self, app: SandboxApp, config: SandboxConfig) -> None:
        self._app, self._world, self._config = app, app.world, config

    def someone(self, account: SandboxAccount, person: str | None, instant: float) -> Customer:
        """Return a customer by open_id, or the newest customer.

        Raises:
            ValueError: no customer of the account has that id, or it has no customers yet.
        """
        leads = self._world.leads
        if person is None:
            known = leads.known(account, instant)
            if not known:
                raise ValueError("the account has no customers yet")
            return known[-1]
        number = self._world.people.ids.read(person)
        customer = None if number is None else leads.customer(account, number, instant)
        if customer is None:
            raise ValueError("person is no customer of the account")
        return customer

    def act(self, account: SandboxAccount, customer: Customer, does: str, instant: float, text: str = "") -> dict:
        """Let a customer do something and return the body of the event.

        Raises:
            ValueError: ``does`` is unknown.
        """
        overlay, place = self._world.leads.overlay, (account.index, customer.number)
        person = self._world.people.person(customer.number)
        if does in ("consent", "withdraw_consent"):
            overlay.consents[place].append((instant, does == "consent"))
            return self._emit(
                consent_body(
                    self._app.client_key,
                    account,
                    person.open_id,
                    instant,
                    overlay.next_event_number(),
                    allows=does == "consent",
                )
            )
        if does == "follow":
            overlay.follows[place] = instant
        kinds: dict[str, tuple[Happening, dict[str, Any]]] = {
            "write": (Happening.RECEIVED, {"message_type": "text", "text": text or "在吗"}),
            "opt_out": (Happening.RECEIVED, {"message_type": "text", "text": "退订"}),
            "leave_phone": (
                Happening.RECEIVED,
                {"message_type": "text", "text": text or LEAVING_PHONE[0].format(phone=person.phone), "left": "phone"},
            ),
            "tap_card": (Happening.RECEIVED, {"message_type": "retain_consult_card", "left": "phone"}),
            "enter": (Happening.ENTERED, {}),
            "follow": (Happening.FOLLOWED, {}),
            "like": (Happening.LIKED, {"item_id": self._a_video(account, instant)}),
        }
        if does not in kinds:
            raise ValueError(f"does is none of {', '.join(DOES)}")
        happening, more = kinds[does]
        event = CustomerEvent(happening, int(instant * 1_000), customer.number, overlay.next_index(*place), **more)
        overlay.events[account.index].append(event)
        return self._emit(webhook(self._world, account, self._app.client_key, event))

    def unauthorize(self, account: SandboxAccount, instant: float) -> dict:
        """Withdraw the consent of the account's owner, which ends all its tokens, and return the event's body."""
        self._app.tokens.revoke(account.open_id)
        return self._emit(invented("unauthorize", self._world, self._app.client_key, account, "", instant, {}))

    def _a_video(self, account: SandboxAccount, instant: float) -> str:
        videos = self._world.video_store.listed(account, instant)
        return self._world.video_store.item_id(videos[-1]) if videos else ""

    def _emit(self, body: dict) -> dict:
        self._world.leads.overlay.emit(body)
        return body

    # ---- answering

    def answer(self, account: SandboxAccount, sent: SentMessage, instant: float) -> None:
        """Decide, from seed, person and message, how a person reacts to a sent message."""
        rates = dict(self._config.answers)
        if not any(rates.values()):
            return
        draw = DeterministicRng(self._world.seed, name("answer"), sent.number, mix(*map(name, sent.message_ids)))
        at = instant + self._config.answer_delay_s * draw.between(0.5, 1.5)
        for does in ("opt_out", "enter", "leave_phone", "write", "tap_card"):
            if draw.unit() < rates.get(does, 0.0):
                self._world.leads.overlay.scheduled.append(ScheduledAction(at, account.index, sent.number, does))
                if does == "opt_out":
                    return

    def pump(self, instant: float) -> int:
        """Carry out all scheduled actions until ``instant`` and return their number."""
        due = self._world.leads.overlay.due(instant)
        for one in due:
            account = self._world.accounts[one.account]
            customer = self._world.leads.customer(account, one.number, instant)
            if customer is not None:
                self.act(account, customer, one.does, max(one.at, 0), one.text)
        return len(due)


def fingerprint(body: dict) -> str:
    """Return the Msg-Id of an event: a hash of its body."""
    return f"{mix(name(orjson.dumps(body).decode())):016x}"
