"""Store plans 计划: intended writes to the platform, which a person must approve first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from resources.state.engine import State
from resources.state.lines import LineState
from resources.state.outbox import NewLine, SendingRules, insert_lines
from resources.state.statements import inserted_id
from resources.state.tables import outbox, plans


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, whose lines are in the outbox; ``hash`` covers all that would be sent, to whom and why."""

    id: int
    kind: str
    name: str
    occasion: str
    planned_at: datetime
    good_until: datetime
    hash: str
    state: str
    approved_hash: str | None
    approver: str | None
    approved_at: datetime | None
    rules: SendingRules
    effect_hours: int | None = None


class NotApproved(ValueError):
    """A plan cannot be approved or sent; the message says why and what to do."""


def create_plan(
    state: State,
    kind: str,
    name: str,
    occasion: str,
    lines: Sequence[NewLine],
    rules: SendingRules,
    now: datetime,
    good_until: datetime,
    effect_hours: int | None = None,
) -> Plan:
    """Store a plan with its lines.

    Earlier open or approved plans of the same kind and name become superseded, so that only one is valid.
    """
    with state.begin() as db:
        db.execute(
            update(plans)
            .where(plans.c.kind == kind, plans.c.name == name, plans.c.state.in_(("open", "approved")))
            .values(state="superseded")
        )
        plan_id = inserted_id(
            db.execute(
                insert(plans).values(
                    kind=kind,
                    name=name,
                    occasion=occasion,
                    planned_at=now.timestamp(),
                    good_until=good_until.timestamp(),
                    hash="",
                    state="open",
                    rules=rules.to_json(),
                    effect_hours=effect_hours,
                )
            )
        )
        insert_lines(state, db, (replace(line, plan_id=plan_id) for line in lines), now)
        db.execute(update(plans).where(plans.c.id == plan_id).values(hash=_hash(state, db, plan_id)))
        return _plan(db.execute(select(plans).where(plans.c.id == plan_id)).one())


def approve(state: State, plan_id: int, approver: str, now: datetime) -> Plan:
    """Record who approved the plan in its present form, and return it.

    Raises:
        NotApproved: the plan does not exist, is superseded, over or done, or no approver is named.
    """
    if not approver.strip():
        raise NotApproved("say who approves: --by NAME")
    with state.begin() as db:
        plan = _get(db, plan_id)
        if plan.state not in ("open", "approved"):
            raise NotApproved(f"plan {plan_id} is {plan.state}: plan again with `douyin outreach plan {plan.name}`")
        if now >= plan.good_until:
            raise NotApproved(
                f"plan {plan_id} was good until {plan.good_until:%Y-%m-%d %H:%M} UTC: plan again with "
                f"`douyin outreach plan {plan.name}`"
            )
        found = _hash(state, db, plan_id)
        db.execute(
            update(plans)
            .where(plans.c.id == plan_id)
            .values(
                state="approved",
                hash=found,
                approved_hash=found,
                approver=approver.strip(),
                approved_at=now.timestamp(),
            )
        )
        return _get(db, plan_id)


def check_approved(state: State, plan_id: int, now: datetime) -> Plan:
    """Return the plan if it is approved and unchanged since.

    Raises:
        NotApproved: the plan is not approved, was changed since, or is superseded, over or done.
    """
    with state.read() as db:
        plan = _get(db, plan_id)
        if plan.state != "approved" or plan.approved_hash is None:
            raise NotApproved(
                f"plan {plan_id} is {plan.state}, not approved: `douyin outreach approve {plan_id} --by NAME`"
            )
        if _hash(state, db, plan_id) != plan.approved_hash:
            raise NotApproved(f"plan {plan_id} was changed after it was approved: look at it and approve it again")
        if now >= plan.good_until:
            raise NotApproved(f"plan {plan_id} was good until {plan.good_until:%Y-%m-%d %H:%M} UTC: plan again")
    return plan


def end_plan(state: State, plan_id: int) -> bool:
    """Mark an approved plan as done if none of its lines is planned or claimed; return whether none is."""
    with state.begin() as db:
        waiting = db.execute(
            select(outbox.c.id)
            .where(outbox.c.plan_id == plan_id, outbox.c.state.in_((LineState.PLANNED.value, LineState.CLAIMED.value)))
            .limit(1)
        ).first()
        if waiting is None:
            db.execute(update(plans).where(plans.c.id == plan_id, plans.c.state == "approved").values(state="done"))
        return waiting is None


def get_plan(state: State, plan_id: int) -> Plan:
    """Return a plan.

    Raises:
        NotApproved: there is no such plan.
    """
    with state.read() as db:
        return _get(db, plan_id)


def list_plans(state: State, states: Iterable[str] | None = None) -> list[Plan]:
    """Return plans, optionally only those in given states, newest first."""
    query = select(plans).order_by(plans.c.id.desc())
    if states is not None:
        query = query.where(plans.c.state.in_(list(states)))
    with state.read() as db:
        return [_plan(row) for row in db.execute(query)]


def _get(db: Connection, plan_id: int) -> Plan:
    row = db.execute(select(plans).where(plans.c.id == plan_id)).one_or_none()
    if row is None:
        raise NotApproved(f"there is no plan {plan_id}: see `douyin outreach list`")
    return _plan(row)


def _hash(state: State, db: Connection, plan_id: int) -> str:
    """Hash what a person approves: every line that would be sent, with its content, and the control group.

    Lines blocked at planning are not included; later changes of the other lines' state do not change the hash.
    """
    plan = db.execute(
        select(plans.c.kind, plans.c.name, plans.c.occasion, plans.c.rules).where(plans.c.id == plan_id)
    ).one()
    digest = hashlib.sha256(orjson.dumps(list(plan)))
    for row in db.execute(select(outbox).where(outbox.c.plan_id == plan_id).order_by(outbox.c.id)):
        if row.state == LineState.BLOCKED and row.ended_at is None:
            continue
        request = orjson.dumps(orjson.loads(state.vault.open(row.request)), option=orjson.OPT_SORT_KEYS).decode()
        said = [
            row.operation,
            row.campaign,
            row.client_key,
            row.open_id,
            row.person_open_id,
            row.reason,
            row.scene,
            row.messages,
            request,
            row.key,
        ]
        digest.update(orjson.dumps([*said, row.state == LineState.CONTROL]))
    return digest.hexdigest()


def _plan(row: Row[Any]) -> Plan:
    def instant(value: float | None) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value, UTC)

    return Plan(
        row.id,
        row.kind,
        row.name,
        row.occasion,
        datetime.fromtimestamp(row.planned_at, UTC),
        datetime.fromtimestamp(row.good_until, UTC),
        row.hash,
        row.state,
        row.approved_hash,
        row.approver,
        instant(row.approved_at),
        SendingRules.from_json(row.rules),
        row.effect_hours,
    )
