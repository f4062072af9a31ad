"""Plan tags 标签 that follow audiences: the difference between audiences and the platform's tags, as a plan.

The platform's present tags are requested when a plan is made. Tags that people got by hand stay, unless an audience
manages them. Both together respect the limits: 100 tags per account, 5 per person.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from catalog import ENDPOINTS
from catalog.messages import TAGS_PER_ACCOUNT, TAGS_PER_PERSON
from resources.client.client import DouyinClient
from resources.client.errors import CallFailed
from resources.client.paging import pages
from resources.runtime import Runtime
from resources.state.accounts import Account, AccountStatus, list_accounts
from resources.state.lines import LineState
from resources.state.outbox import ClaimedLine, NewLine, SendingRules
from resources.state.people import is_opted_out
from resources.state.plans import Plan, create_plan
from services.outreach.audiences import read_audience
from services.outreach.campaigns import Tags
from services.outreach.sending import StopSending

NAME = "tags"
_GOOD_FOR = timedelta(hours=24)


@dataclass
class Present:
    """Tags of an account on the platform: ids by name, people by tag id."""

    ids: dict[str, str] = field(default_factory=dict)
    people: dict[str, set[str]] = field(default_factory=dict)

    def tags_of(self) -> dict[str, set[str]]:
        """Map each person to the ids of their tags."""
        found: dict[str, set[str]] = defaultdict(set)
        for tag_id, people in self.people.items():
            for person in people:
                found[person].add(tag_id)
        return found


async def present_tags(client: DouyinClient, open_id: str, *, with_people: bool = True) -> Present:
    """Request the platform's present tags of an account.

    Raises:
        CallFailed: they are not available, e.g. because the account is no enterprise account.
    """
    present = Present()
    async for answer in pages(client, ENDPOINTS["leads_tag_list"], {}, open_id):
        for row in answer.document["data"].get("list") or []:
            present.ids[str(row["tag_name"])] = str(row["tag_id"])
    for tag_id in present.ids.values() if with_people else ():
        people = present.people.setdefault(tag_id, set())
        async for answer in pages(client, ENDPOINTS["leads_tag_user_list"], {"tag_id": tag_id}, open_id):
            people.update(str(person) for person in answer.document["data"].get("list") or [])
    return present


def plan_tags(runtime: Runtime, tags: Tags, now: datetime) -> tuple[Plan, dict[str, str]]:
    """Build and store the plan; also return the accounts without available tags, with the reason.

    Raises:
        BadAudience: an audience is unusable.
    """
    accounts = {a.open_id: a for app in runtime.app_keys for a in list_accounts(runtime.state, app)}
    apps = {a.open_id: a.client_key for a in accounts.values()}
    wanted: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for tag in tags.tags:
        for member in read_audience(runtime, tag.audience, apps):
            wanted[member.account][tag.name][member.open_id] = member.reason
    lines: list[NewLine] = []
    skipped: dict[str, str] = {}
    for account in sorted(accounts.values(), key=lambda a: (a.client_key, a.open_id)):
        if account.status is not AccountStatus.ACTIVE:
            continue
        try:
            present = runtime.run(present_tags(runtime.client(account.client_key), account.open_id))
        except CallFailed as error:
            if account.open_id in wanted:
                skipped[account.open_id] = error.reason
            continue
        lines += _difference(runtime, account, tags, wanted.get(account.open_id, {}), present)
    stamp = now.isoformat(timespec="minutes")
    lines = [replace(line, key=f"{line.key}/{stamp}") for line in lines]
    return create_plan(runtime.state, "tags", NAME, stamp, lines, SendingRules(), now, now + _GOOD_FOR), skipped


def _difference(
    runtime: Runtime, account: Account, tags: Tags, wanted: dict[str, dict[str, str]], present: Present
) -> list[NewLine]:
    """Build the lines in order of execution: rename and delete first (to free places), then create, then people."""

    def line(operation: str, request: dict[str, Any], person: str, reason: str, what: str) -> NewLine:
        """Build one line of the account."""
        return NewLine(
            operation,
            what,
            account.client_key,
            account.open_id,
            person,
            request,
            "/".join(["tag", operation, account.open_id, person, what]),
            reason,
        )

    lines: list[NewLine] = []
    ids, renamed = dict(present.ids), {}
    for tag in tags.tags:
        if tag.was and tag.was in ids and tag.name not in ids:
            lines.append(
                line(
                    "leads_tag_update",
                    {"tag_id": int(ids[tag.was]), "tag_name": tag.name},
                    "",
                    f"was {tag.was}",
                    tag.name,
                )
            )
            renamed[tag.was] = ids[tag.name] = ids.pop(tag.was)
    gone = {name: ids.pop(name) for name in tags.remove if name in ids}
    lines += [
        line("leads_tag_delete", {"tag_id": int(tag_id)}, "", "named under remove", name)
        for name, tag_id in gone.items()
    ]
    carried = present.tags_of()
    for person in carried:
        carried[person] -= set(gone.values())
    takes, gives = [], []
    for tag in tags.tags:
        people = wanted.get(tag.name, {})
        tag_id = ids.get(tag.name, "")
        if not tag_id and people:
            create = line("leads_tag_create", {"tag_name": tag.name}, "", f"audience {tag.audience}", tag.name)
            if len(ids) >= TAGS_PER_ACCOUNT:
                lines.append(
                    replace(create, state=LineState.BLOCKED, why=f"tag limit: the account has {TAGS_PER_ACCOUNT} tags")
                )
                continue
            lines.append(create)
            ids[tag.name] = tag_id = f"new {tag.name}"
        have = present.people.get(tag_id, set())
        for person in sorted(have - people.keys()):
            takes.append(
                line(
                    "leads_tag_user_update",
                    {"tag_name": tag.name, "user_id": person, "bind": False},
                    person,
                    f"no longer in {tag.audience}",
                    tag.name,
                )
            )
            carried[person].discard(tag_id)
        gives += [(tag, tag_id, person, people[person]) for person in sorted(people.keys() - have)]
    lines += takes
    with runtime.state.read() as db:
        for tag, tag_id, person, reason in gives:
            bind = line(
                "leads_tag_user_update",
                {"tag_name": tag.name, "user_id": person, "bind": True},
                person,
                reason,
                tag.name,
            )
            if is_opted_out(db, account.client_key, account.open_id, person):
                bind = replace(bind, state=LineState.BLOCKED, why="opted out")
            elif len(carried[person]) >= TAGS_PER_PERSON:
                bind = replace(bind, state=LineState.BLOCKED, why=f"tag limit: the person has {TAGS_PER_PERSON} tags")
            else:
                carried[person].add(tag_id)
            lines.append(bind)
    return lines


class TagIds:
    """Looks up the ids of tags for calls: a new tag gets its id only from the platform."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, str]] = {}

    async def complete(self, client: DouyinClient, claimed: ClaimedLine) -> dict[str, Any]:
        """Return the parameters with the tag's id.

        Raises:
            StopSending: the account has no such tag.
        """
        params, account = dict(claimed.params), claimed.line.open_id
        if claimed.line.operation != "leads_tag_user_update":
            return params
        name = params.pop("tag_name")
        if name not in self._ids.get(account, {}):
            self._ids[account] = (await present_tags(client, account, with_people=False)).ids
        if name not in self._ids[account]:
            raise StopSending(
                f"the account {account} has no tag {name!r}: plan again with `douyin outreach plan --tags`"
            )
        return {"tag_id": int(self._ids[account][name]), **params}
