"""What commands and jobs do with plans: make those that are due, send those that are approved, take messages back."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalog.operations import OTHER_OPERATIONS
from resources.runtime import Runtime
from resources.state.lines import LineState
from resources.state.outbox import get_line, read_lines
from resources.state.plans import Plan, get_plan, list_plans
from resources.state.resolving import conversations_of, recover, resolve, settle_plan
from services.outreach.campaigns import load_campaigns
from services.outreach.planning import NothingDue, is_due, plan_campaign
from services.outreach.sending import UNSEEN_AFTER, SendSummary, send_plan
from services.outreach.tags import TagIds


@dataclass
class PlanSummary:
    """Plans that were made, and campaigns that could not be planned with the reason."""

    plans: list[Plan] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def plan_due(runtime: Runtime) -> PlanSummary:
    """Plan every campaign whose time has come. Each is for itself: one that is wrong does not stop the others."""
    now, done = runtime.clock.now(), PlanSummary()
    made = list_plans(runtime.state)
    for campaign in load_campaigns(runtime.settings, done.failed).values():
        if not is_due(campaign, now, made):
            continue
        try:
            plan = plan_campaign(runtime, campaign, now) if not _has_plan(runtime, campaign, made) else None
        except NothingDue:
            continue
        except ValueError as error:
            done.failed[campaign.name] = str(error)
            continue
        if plan is not None:
            done.plans.append(plan)
    return done


def _has_plan(runtime: Runtime, campaign, made: list[Plan]) -> bool:
    """Whether a live campaign has a plan for the session that begins soon: planning again would take its approval away."""
    if campaign.when.live is None:
        return False
    now = runtime.clock.now()
    return any(p.name == campaign.name and p.state in ("open", "approved", "done") and p.good_until > now for p in made)


def send_one(runtime: Runtime, plan_id: int) -> SendSummary:
    """Send a plan, whatever its kind.

    Raises:
        NotApproved: it is not approved as it is.
    """
    plan = get_plan(runtime.state, plan_id)
    return send_plan(runtime, plan_id, TagIds().complete if plan.kind == "tags" else None, in_order=plan.kind == "tags")


def send_approved(runtime: Runtime) -> dict[int, SendSummary]:
    """Send every approved plan that is not over."""
    now = runtime.clock.now()
    return {
        p.id: send_one(runtime, p.id) for p in reversed(list_plans(runtime.state, ["approved"])) if p.good_until > now
    }


@dataclass(frozen=True, slots=True)
class SettledLines:
    """What became of a plan's unknown lines, in numbers of lines: ``found`` among events, ``settled`` by a person, ``waiting`` for events."""

    found: int
    settled: int
    waiting: int


def resolve_plan(runtime: Runtime, plan_id: int, *, was_sent: bool, by: str) -> SettledLines:
    """Settle all unknown lines of a plan; first those that events tell about are found.

    What was sent may still be told by an event within half an hour: lines so young do not count as not sent, since the
    next plan may have their people again.

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
    """Take the messages of a sent line back; gives their number.

    Raises:
        LookupError: the line was not sent, or is no private message.
        CallFailed: the platform refuses.
    """
    line = get_line(runtime.state, line_id)
    if line.state is not LineState.SENT or line.operation != "im_send_msg" or not line.message_ids:
        raise LookupError(f"line {line_id} is {line.state}; only private messages that were sent can be recalled")
    conversations = conversations_of(runtime.state, line)
    if lacking := [m for m in line.message_ids if not conversations.get(m)]:
        raise LookupError(
            f"no event told yet in which conversation line {line_id} arrived ({len(lacking)} message(s)): "
            "try again later"
        )
    client = runtime.client(line.client_key)
    for message_id in line.message_ids:
        params = {"msg_id": message_id, "conversation_id": conversations[message_id], "conversation_type": 1}
        runtime.run(client.write(OTHER_OPERATIONS["im_recall_msg"], params, line.open_id))
    return len(line.message_ids)
