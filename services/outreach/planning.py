"""Plan a campaign: decide who gets what through which scene, and who does not and why. Nothing is sent.

The warehouse only selects people. They are checked against the state database, where consents, windows and sent
messages are current to the second.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from catalog.messages import SCENES, Scene, content_of
from catalog.records import BEIJING, beijing_day
from resources.runtime import Runtime
from resources.state.accounts import Account, AccountStatus, list_accounts
from resources.state.chats import Chat, all_chats
from resources.state.inbox import fingerprint
from resources.state.ledger import keys_done, sent_today
from resources.state.lines import DONE, LineState
from resources.state.outbox import NewLine, SendingRules, consent_used, window_forbids
from resources.state.people import is_opted_out
from resources.state.plans import Plan, create_plan
from resources.state.tables import outbox
from services.outreach.audiences import Member, read_audience
from services.outreach.campaigns import BadCampaign, Campaign, CampaignKind, Session, load_timetable
from services.outreach.templates import BadTemplate, fill, needed_by


class NothingDue(ValueError):
    """A campaign has no occasion now; the message says when the next one is."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a plan is for: its name, until when it may be sent, and the live sessions by account, if any."""

    name: str
    good_until: datetime
    sessions: dict[str, Session] | None = None


def occasion_of(runtime: Runtime, campaign: Campaign, now: datetime, accounts: Iterable[Account]) -> Occasion:
    """Return the occasion at ``now``.

    Raises:
        NothingDue: no live session of the campaign begins soon.
        BadCampaign: the timetable is unusable or names an unknown account.
    """
    local = now.astimezone(BEIJING)
    live = campaign.when.live
    if live is None:
        name = local.strftime("%Y-%m-%d") if campaign.when.daily else local.strftime("%Y-%m-%d %H:%M")
        return Occasion(name, now + campaign.good_for)
    sessions = load_timetable(runtime.settings, live.timetable)
    names = {a.name: a.open_id for a in accounts if a.name} | {a.open_id: a.open_id for a in accounts}
    if unknown := sorted({s.account for s in sessions} - names.keys()):
        raise BadCampaign(f"{live.timetable}: no account is called {', '.join(unknown)}: see `douyin accounts list`")
    due: dict[str, Session] = {}
    for session in sessions:
        if session.starts_at - live.before <= now < session.starts_at:
            due.setdefault(names[session.account], session)
    if not due:
        coming = next((s for s in sessions if s.starts_at > now), None)
        when = (
            (
                f"the next one begins at {coming.starts_at.astimezone(BEIJING):%Y-%m-%d %H:%M}, and is "
                f"planned {live.before} before"
            )
            if coming
            else "none is to come"
        )
        raise NothingDue(f"{campaign.name}: no live session begins soon; {when}")
    first = min(s.starts_at for s in due.values())
    return Occasion(
        " ".join(f"{s.starts_at.astimezone(BEIJING):%Y-%m-%d %H:%M} {a}" for a, s in sorted(due.items())), first, due
    )


def is_due(campaign: Campaign, now: datetime, planned: Iterable[Plan]) -> bool:
    """Return whether a schedule should plan the campaign: its time has come, and there is no plan of today yet.

    Live campaigns are always due; :func:`occasion_of` decides whether a session begins soon.
    """
    if campaign.when.live is not None:
        return True
    if campaign.when.daily is None:
        return False
    today = beijing_day(now)
    reached = now >= datetime.combine(today, campaign.when.daily, BEIJING)
    return reached and not any(p.name == campaign.name and beijing_day(p.planned_at) == today for p in planned)


def plan_campaign(runtime: Runtime, campaign: Campaign, now: datetime) -> Plan:
    """Build and store the plan of a campaign.

    Raises:
        BadAudience: its audience is unusable.
        BadCampaign: a text needs a name that the audience does not have.
        NothingDue: no live session of the campaign begins soon.
    """
    accounts = {a.open_id: a for app in runtime.app_keys for a in list_accounts(runtime.state, app)}
    occasion = occasion_of(runtime, campaign, now, accounts.values())
    needs = ("item_id", "comment_id") if campaign.kind is CampaignKind.COMMENT else ()
    members = read_audience(
        runtime, campaign.audience, {a.open_id: a.client_key for a in accounts.values()}, needs=needs
    )
    if occasion.sessions is not None:
        members = [m for m in members if m.account in occasion.sessions]
    rules = SendingRules(campaign.caps.per_person_per_day, campaign.caps.per_account_per_day, campaign.quiet_hours)
    maker = _Comments if campaign.kind is CampaignKind.COMMENT else _Messages
    with runtime.state.read() as db:
        lines = list(maker(runtime, campaign, occasion, accounts, now).lines(db, members))
    kind = "comments" if campaign.kind is CampaignKind.COMMENT else "messages"
    return create_plan(
        runtime.state, kind, campaign.name, occasion.name, lines, rules, now, occasion.good_until, campaign.effect_hours
    )


def in_control(campaign: Campaign, member: Member) -> bool:
    """Return whether a person is in the control group; the result is random but always the same for a person."""
    drawn = hashlib.sha256(f"{campaign.name}\n{member.client_key}\n{member.open_id}".encode()).digest()
    return int.from_bytes(drawn[:8]) / 2**64 < campaign.control_share


class _Maker:
    """Builder of the lines of one plan."""

    def __init__(
        self, runtime: Runtime, campaign: Campaign, occasion: Occasion, accounts: dict[str, Account], now: datetime
    ) -> None:
        self.runtime, self.campaign, self.occasion, self.accounts, self.now = runtime, campaign, occasion, accounts, now
        self.per_person: Counter[tuple[str, str]] = Counter()
        self.planned = 0

    def key_of(self, member: Member) -> str:
        """Return the key of what must be sent only once."""
        parts = ["campaign", self.campaign.name, member.client_key, member.account, member.open_id]
        if self.occasion.sessions is not None:
            parts.append(self.occasion.sessions[member.account].starts_at.isoformat())
        elif self.campaign.again_after is not None:
            parts.append(self.occasion.name)
        return "/".join(parts)

    def names_of(self, member: Member) -> dict[str, object]:
        """Collect the names for texts: the audience's columns, the account, and the live session."""
        names: dict[str, object] = {
            **member.more,
            "reason": member.reason,
            "account_name": self.accounts[member.account].name or "",
        }
        if self.occasion.sessions is not None:
            session = self.occasion.sessions[member.account]
            names |= {"live_title": session.title, "live_time": session.starts_at.astimezone(BEIJING).strftime("%H:%M")}
        return names

    def lines(self, db: Connection, members: list[Member]) -> Iterator[NewLine]:
        """Yield a line for each member: planned, control or blocked."""
        keys = {id(m): self.key_of(m) for m in members}
        done = keys_done(db, keys.values())
        lately = _got_lately(db, self.campaign, self.now)
        today: dict[tuple[str, str], int] = {}
        for app in {m.client_key for m in members}:
            today |= {
                (app, p): n
                for p, n in sent_today(db, app, [m.open_id for m in members if m.client_key == app], self.now).items()
            }
        for member in members:
            key = keys[id(member)]
            why = self._common(
                db, member, key in done, (member.client_key, member.account, member.open_id) in lately, today
            )
            yield self.line(db, member, key, why)

    def _common(
        self, db: Connection, member: Member, is_done: bool, was_lately: bool, today: dict[tuple[str, str], int]
    ) -> str | None:
        """Return why a person cannot be contacted through any scene, or None."""
        account, caps, person = self.accounts[member.account], self.campaign.caps, (member.client_key, member.open_id)
        if account.status not in (AccountStatus.ACTIVE, AccountStatus.NEEDS_CONSENT):
            return f"the account is {account.status}"
        if is_opted_out(db, member.client_key, member.account, member.open_id):
            return "opted out"
        if is_done:
            return "already sent"
        if was_lately:
            return f"got it within the last {self.campaign.again_after}"
        if today.get(person, 0) + self.per_person[person] >= caps.per_person_per_day:
            return f"cap of {caps.per_person_per_day} a person and day"
        return None

    def line(self, db: Connection, member: Member, key: str, why: str | None) -> NewLine:
        """Build the line of a member; ``why`` is set if it is blocked."""
        raise NotImplementedError

    def settled(self, line: NewLine, member: Member, why: str | None) -> NewLine:
        """Set the state of a line: blocked, control group, or planned."""
        if why is None and self.campaign.caps.per_plan is not None and self.planned >= self.campaign.caps.per_plan:
            why = f"cap of {self.campaign.caps.per_plan} a plan"
        if why is not None:
            return replace(line, state=LineState.BLOCKED, why=why)
        if in_control(self.campaign, member):
            return replace(line, state=LineState.CONTROL, why="control group")
        self.planned += 1
        self.per_person[member.client_key, member.open_id] += 1
        return line

    def filled(self, value: Any, member: Member) -> tuple[Any, str | None]:
        """Fill in texts; if this member lacks a name, return them unchanged with the reason.

        Raises:
            BadCampaign: no member has the name.
        """
        names = self.names_of(member)
        if unknown := needed_by(value) - names.keys():
            raise BadCampaign(
                f"campaign {self.campaign.name}: nothing to put in for {', '.join(sorted(unknown))} (the "
                f"audience {self.campaign.audience} gives {', '.join(sorted(names))})"
            )
        try:
            return fill(value, names), None
        except BadTemplate as error:
            return value, str(error)


class _Messages(_Maker):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._chats: dict[tuple[str, str], dict[str, Chat]] = {}
        self._consents: dict[str, dict[tuple[str, str], datetime]] = {}

    def line(self, db: Connection, member: Member, key: str, why: str | None) -> NewLine:
        """Build a line that sends messages."""
        campaign = self.campaign
        filled, lacking = self.filled(campaign.messages, member)
        contents = [content_of(m) for m in filled]
        scene, no_way = self._way(db, member, len(contents))
        looks = ",".join(fingerprint(c["msg_type"], c.get("text", {}).get("text", "")) for c in contents)
        return self.settled(
            NewLine(
                _OPERATIONS.get(scene, "im_send_msg"),
                campaign.name,
                member.client_key,
                member.account,
                member.open_id,
                _request(scene, member, contents, key),
                key,
                member.reason,
                scene,
                len(contents),
                looks,
            ),
            member,
            why or lacking or no_way,
        )

    def _way(self, db: Connection, member: Member, messages: int) -> tuple[Scene, str | None]:
        """Return the first scene that is open to the person; if none is, the first scene and the reasons."""
        reasons = []
        for scene in self.campaign.usable_scenes:
            why = self._closed(db, member, scene, messages)
            if why is None:
                return scene, None
            reasons.append(f"{SCENES[scene].en}: {why}" if len(self.campaign.usable_scenes) > 1 else why)
        return self.campaign.usable_scenes[0], "; ".join(reasons)

    def _closed(self, db: Connection, member: Member, scene: Scene, messages: int) -> str | None:
        chat = self._chat(member)
        if scene in (Scene.REPLY, Scene.ENTER):
            window = None if chat is None else chat.reply if scene is Scene.REPLY else chat.entry
            refused = window_forbids(db, member.client_key, window, messages, self.now)
            return None if refused is None else refused.why
        if scene is Scene.CONSENT:
            if not self._consents_to(member, chat):
                return "no consent"
            if consent_used(db, member.client_key, member.account, member.open_id, self.now):
                return "a proactive message was sent today"
        return None

    def _chat(self, member: Member) -> Chat | None:
        place = (member.client_key, member.account)
        if place not in self._chats:
            self._chats[place] = all_chats(self.runtime.state, *place)
        return self._chats[place].get(member.open_id)

    def _consents_to(self, member: Member, chat: Chat | None) -> bool:
        """Return whether the person consents, by the newest information: an event, or the platform's own list."""
        if member.client_key not in self._consents:
            self._consents[member.client_key] = _listed_consents(self.runtime, member.client_key)
        listed_at = self._consents[member.client_key].get((member.account, member.open_id))
        if chat is None or chat.consents is None:
            return listed_at is not None
        if listed_at is not None and (chat.consents_at is None or listed_at > chat.consents_at):
            return True
        return chat.consents


class _Comments(_Maker):
    def key_of(self, member: Member) -> str:
        """Return a key by which a comment is answered once across campaigns."""
        return "/".join(["comment", member.client_key, member.account, str(member.more["comment_id"])])

    def line(self, db: Connection, member: Member, key: str, why: str | None) -> NewLine:
        """Build a line that replies to a comment."""
        text, lacking = self.filled(self.campaign.text, member)
        request = {"item_id": member.more["item_id"], "comment_id": member.more["comment_id"], "content": text}
        operation = f"{self.campaign.door}_comment_reply"
        line = NewLine(
            operation,
            self.campaign.name,
            member.client_key,
            member.account,
            member.open_id,
            request,
            key,
            member.reason,
        )
        return self.settled(line, member, why or lacking)


_OPERATIONS = {Scene.GROUP: "im_send_msg_group", Scene.ENTERPRISE: "enterprise_im_message_send"}


def _request(scene: Scene, member: Member, contents: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Build the request parameters, except for the account, the scene and the parameters of the window."""
    if scene is Scene.GROUP:
        return {"group_id": member.open_id, "content": contents[0]}
    if scene is Scene.ENTERPRISE:
        number = contents[0]["msg_type"]
        name, inner = ("text", "text") if number == 1 else ("image", "image")
        # The old API identifies a message by the caller's id: a repeated request sends it once.
        sent_id = hashlib.sha256(key.encode()).hexdigest()[:32]
        return {
            "to_user_id": member.open_id,
            "message_type": name,
            "content": orjson.dumps(contents[0][inner]).decode(),
            "client_msg_id": sent_id,
        }
    more = {"scene": scene.value} if scene is Scene.BUSINESS else {}
    return {
        "to_user_id": member.open_id,
        **more,
        **({"content": contents[0]} if len(contents) == 1 else {"content_list": contents}),
    }


def _got_lately(db: Connection, campaign: Campaign, now: datetime) -> set[tuple[str, str, str]]:
    """Return the (app, account, person) triples that got the campaign within ``again_after``."""
    if campaign.again_after is None or campaign.when.live is not None:
        return set()
    query = select(outbox.c.client_key, outbox.c.open_id, outbox.c.person_open_id).where(
        outbox.c.campaign == campaign.name,
        outbox.c.claimed_at >= (now - campaign.again_after).timestamp(),
        outbox.c.state.in_(DONE),
    )
    return set(db.execute(query).tuples())


def _listed_consents(runtime: Runtime, client_key: str) -> dict[tuple[str, str], datetime]:
    """Map (account, person) to the time at which the account's newest consent list named them."""
    if not runtime.warehouse.path.exists():
        return {}
    with runtime.warehouse.connect() as connection:
        rows = connection.execute(
            """
            SELECT open_id, target_open_id, observed_at FROM im_consents
            WHERE client_key = $1 AND dt = (
                SELECT max(dt) FROM im_consents AS newest
                WHERE newest.client_key = $1 AND newest.open_id = im_consents.open_id)
            """,
            [client_key],
        ).fetchall()
    return {(account, person): at for account, person, at in rows}


def counts_of(lines: Iterable[Any]) -> Counter[str]:
    """Count lines by state."""
    return Counter(str(line.state) for line in lines)


def blocked_by(lines: Iterable[Any]) -> Counter[str]:
    """Count blocked lines by reason."""
    return Counter(line.why or "no reason" for line in lines if line.state is LineState.BLOCKED)
