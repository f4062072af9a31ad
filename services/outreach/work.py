"""Run plans for commands and jobs: make those that are due, send approved ones, recall messages."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb

from catalog.operations import OTHER_OPERATIONS
from resources.client.exchange import Params
from resources.runtime import Runtime
from resources.state.ledger import get_line, read_lines
from resources.state.lines import LineState
from resources.state.plans import Plan, get_plan, list_plans
from resources.state.resolving import conversations_of, recover, resolve, settle_plan
from services.outreach.campaigns import load_campaigns
from services.outreach.planning import NothingDue, is_due, plan_campaign
from services.outreach.sending import UNSEEN_AFTER, SendSummary, send_plan
from services.outreach.tags import TagIds


@dataclass
class PlanSummary:
    """Plans that were made, and campaigns that could not be planned, with the reason."""

    plans: list[Plan] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def plan_due(runtime: Runtime) -> PlanSummary:
    """Plan every campaign that is due; an invalid campaign does not stop the others."""
    now, done = runtime.clock.now(), PlanSummary()
    made = list_plans(runtime.state)
    for campaign in load_campaigns(runtime.settings, done.failed).values():
        if not is_due(campaign, now, made):
            continue
        try:
            plan = plan_campaign(runtime, campaign, now) if not _has_plan(runtime, campaign, made) else None
        except NothingDue:
            continue
        except (ValueError, duckdb.Error) as error:
            done.failed[campaign.name] = str(error)
            continue
        if plan is not None:
            done.plans.append(plan)
    return done


def _has_plan(runtime: Runtime, campaign, made: list[Plan]) -> bool:
    """Return whether a live campaign has a plan for the next session; a new plan would revoke its approval."""
    if campaign.when.live is None:
        return False
    now = runtime.clock.now()
    return any(p.name == campaign.name and p.state in ("open", "approved", "done") and p.good_until > now for p in made)


def send_one(runtime: Runtime, plan_id: int) -> SendSummary:
    """Send a plan of any kind.

    Raises:
        NotApproved: it is not approved in its present form.
    """
    plan = get_plan(runtime.state, plan_id)
    return send_plan(runtime, plan_id, TagIds().complete if plan.kind == "tags" else None, in_order=plan.kind == "tags")


def send_approved(runtime: Runtime) -> dict[int, SendSummary]:
    """Send every approved plan that has not expired; return the results by plan."""
    now = runtime.clock.now()
    return {
        p.id: send_one(runtime, p.id) for p in reversed(list_plans(runtime.state, ["approved"])) if p.good_until > now
    }


@dataclass(frozen=True, slots=True)
class SettledLines:
    """Numbers of a plan's unknown lines: ``found`` among events, ``settled`` by a person, ``waiting`` for events."""

    found: int
    settled: int
    waiting: int


def resolve_plan(runtime: Runtime, plan_id: int, *, was_sent: bool, by: str) -> SettledLines:
    """Settle all unknown lines of a plan; lines that events confirm are resolved first.

    An event may confirm a message within half an hour. So younger lines cannot be settled as not sent, since the next
    plan may contain their people again.

    Raises:
        NotApproved: there is no such plan.
    """
    get_plan(runtime.state, plan_id)
    now = runtime.clock.now()
    recover(runtime.state, now)
    found = sum(line.plan_id == plan_id for line in resolve(runtime.state, now))
    settled = settle_plan(
        runtime.state, plan_id, was_sent=was_sent, by=by, now=now, called_before=now if was_sent else now - UNSEEN_AFTER
    )
    return SettledLines(
        found, len(settled), len(read_lines(runtime.state, plan_id=plan_id, states=[LineState.UNKNOWN]))
    )


def recall_line(runtime: Runtime, line_id: int) -> int:
    """Recall the messages of a sent line; return their number.

    Raises:
        LookupError: the line was not sent, is no private message, or its conversation is not known yet.
        CallFailed: the platform refuses.
    """
    line = get_line(runtime.state, line_id)
    if line.state is not LineState.SENT or line.operation != "im_send_msg" or not line.message_ids:
        raise LookupError(f"line {line_id} is {line.state}; only private messages that were sent can be recalled")
    conversations = conversations_of(runtime.state, line)
    if lacking := [m for m in line.message_ids if not conversations.get(m)]:
        raise LookupError(
            f"no event has named yet the conversation in which line {line_id} arrived ({len(lacking)} message(s)): "
            "try again later"
        )
    client = runtime.client(line.client_key)
    for message_id in line.message_ids:
        params: Params = {"msg_id": message_id, "conversation_id": conversations[message_id], "conversation_type": 1}
        runtime.run(client.write(OTHER_OPERATIONS["im_recall_msg"], params, line.open_id))
    return len(line.message_ids)
