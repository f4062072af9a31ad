"""``douyin outreach``: plan, approve and send messages, tags and comment replies."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from apps.cli.console import (
    Grid,
    console,
    fail,
    maybe_said,
    open_runtime,
    said,
)
from apps.cli.opt_outs import people
from apps.cli.outreach_demo import demo

app = typer.Typer(
    help="Campaigns, tags and comment replies: plan, approve, send, and see what became of them.", no_args_is_help=True
)
app.add_typer(people, name="opt-out")
app.command()(demo)

_MOST = 2**63 - 1
"""The largest id in the ledger."""
_PlanId = Annotated[int, typer.Argument(min=1, max=_MOST, help="number of the plan")]


@app.command("list")
def list_() -> None:
    """List campaigns, and plans with the states of their lines."""
    from resources.state.ledger import read_lines
    from resources.state.plans import list_plans
    from services.outreach.campaigns import BadCampaign, load_campaigns

    with open_runtime(needs_credentials=True) as runtime:
        try:
            campaigns = load_campaigns(runtime.settings)
        except BadCampaign as error:
            fail(str(error), 2)
        grid = Grid()
        for column in ("campaign", "title", "audience", "when", "owner"):
            grid.add_column(column)
        for c in campaigns.values():
            when = (
                "daily at " + c.when.daily.strftime("%H:%M")
                if c.when.daily
                else "before live sessions"
                if c.when.live
                else "by hand"
            )
            grid.add_row(c.name, Text(c.title), c.audience, when, c.owner)
        console.print(grid)
        plans = list_plans(runtime.state)
        if plans:
            console.print()
            grid = Grid()
            for column in ("plan", "name", "occasion", "state", "approved by", "lines"):
                grid.add_column(column)
            for plan in plans[:30]:
                counts = Counter(str(line.state) for line in read_lines(runtime.state, plan_id=plan.id))
                grid.add_row(str(plan.id), plan.name, plan.occasion, plan.state, plan.approver or "", _counts(counts))
            console.print(grid)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none"


@app.command()
def plan(
    name: Annotated[str | None, typer.Argument(callback=maybe_said, help="name of the campaign")] = None,
    tags: Annotated[bool, typer.Option("--tags", help="plan what campaigns/tags.yaml describes")] = False,
) -> None:
    """Plan who gets which message, and who does not and why. Nothing is sent."""
    if (name is None) != tags:
        fail("say which campaign, or --tags", 2)
    from services.outreach.audiences import BadAudience
    from services.outreach.campaigns import BadCampaign, load_campaign, load_tags
    from services.outreach.planning import NothingDue, plan_campaign
    from services.outreach.tags import plan_tags

    with open_runtime(needs_credentials=True) as runtime:
        try:
            if name is None:
                made, skipped = plan_tags(runtime, load_tags(runtime.settings), runtime.clock.now())
                for account, why in skipped.items():
                    console.print(f"[yellow]![/yellow] the tags of {escape(account)} cannot be had: {escape(why)}")
            else:
                made = plan_campaign(runtime, load_campaign(runtime.settings, name), runtime.clock.now())
        except (BadCampaign, BadAudience, NothingDue) as error:
            fail(str(error), 2)
        show_plan(runtime, made, 20)


@app.command()
def show(plan_id: _PlanId, limit: Annotated[int, typer.Option(min=0, help="lines to list")] = 50) -> None:
    """Show a plan: who, why, what, through which scene, and who is left out and why. People and texts are masked."""
    from resources.state.plans import NotApproved, get_plan

    with open_runtime(needs_credentials=True) as runtime:
        try:
            found = get_plan(runtime.state, plan_id)
        except NotApproved as error:
            fail(str(error), 2)
        show_plan(runtime, found, limit)


def show_plan(runtime, plan, limit: int) -> None:
    """Print a plan; people and texts are masked."""
    from catalog.records import BEIJING
    from resources.state.ledger import read_lines, request_of
    from services.outreach.masking import mask_id, outline
    from services.outreach.planning import blocked_by, counts_of

    lines = read_lines(runtime.state, plan_id=plan.id)
    until = plan.good_until.astimezone(BEIJING)
    console.print(
        f"[bold]plan {plan.id}[/bold] {escape(plan.name)} ({escape(plan.occasion)}), {plan.state}, good "
        f"until {until:%Y-%m-%d %H:%M} Beijing, hash {plan.hash[:12]}"
    )
    if plan.approver:
        console.print(f"approved by {escape(plan.approver)}")
    console.print(_counts(counts_of(lines)))
    for why, n in blocked_by(lines).most_common():
        console.print(f"  {n} blocked: {escape(why)}")
    grid = Grid()
    for column in ("line", "account", "person", "why", "what", "through", "state"):
        grid.add_column(column)
    order = {"planned": 0, "unknown": 1, "sent": 2, "control": 3}
    for line in sorted(lines, key=lambda one: (order.get(one.state, 4), one.id))[:limit]:
        state = str(line.state) + (f": {line.why}" if line.why else "")
        what = (
            outline(request_of(runtime.state, line.id))
            if line.operation.startswith(("im_", "enterprise", "item_", "video_"))
            else f"{line.operation}: {line.campaign}"
        )
        grid.add_row(
            str(line.id),
            mask_id(line.open_id),
            mask_id(line.person_open_id),
            Text(line.reason),
            Text(what),
            str(line.scene or ""),
            Text(state),
        )
    console.print(grid)
    if len(lines) > limit:
        console.print(f"… {len(lines) - limit} more: `douyin outreach show {plan.id} --limit {len(lines)}`")
    if plan.state == "open":
        console.print(f"nothing is sent yet. Approve it: `douyin outreach approve {plan.id} --by NAME`")


@app.command()
def approve(plan_id: _PlanId, by: Annotated[str, typer.Option("--by", callback=said, help="who approves")]) -> None:
    """Approve a plan as it is now. A changed plan needs approval again."""
    from resources.state.plans import NotApproved
    from resources.state.plans import approve as approve_plan

    with open_runtime(needs_credentials=True) as runtime:
        try:
            done = approve_plan(runtime.state, plan_id, by, runtime.clock.now())
        except NotApproved as error:
            fail(str(error))
        console.print(
            f"[green]✓[/green] plan {plan_id} is approved by {escape(by)} (hash {done.hash[:12]}). Send it: "
            f"`douyin outreach send {plan_id}`"
        )


@app.command()
def send(
    plan_id: Annotated[
        int | None, typer.Argument(min=1, max=_MOST, help="number of the plan; default: all that are approved")
    ] = None,
) -> None:
    """Send the remaining lines of approved plans."""
    from resources.state.plans import NotApproved, list_plans
    from services.outreach.sending import SendSummary
    from services.outreach.work import send_one

    with open_runtime(needs_credentials=True) as runtime:
        chosen = (
            [plan_id]
            if plan_id is not None
            else [p.id for p in reversed(list_plans(runtime.state, ["approved"])) if p.good_until > runtime.clock.now()]
        )
        if not chosen:
            console.print("no plan is approved: `douyin outreach list`")
        failed = False
        for number in chosen:
            try:
                done: SendSummary = send_one(runtime, number)
            except NotApproved as error:
                fail(str(error))
            console.print(f"plan {number}: {_counts(done.states)}")
            for why, n in done.waiting.items():
                console.print(f"  {n} wait: {escape(why)}")
            if done.stopped:
                failed = True
                console.print(f"[red]✗[/red] stopped: {escape(done.stopped)}", soft_wrap=True)
            if done.states["unknown"]:
                console.print(
                    f"  {done.states['unknown']} unknown: events of our own messages will settle them, or see "
                    "`douyin outreach unknown`"
                )
        if failed:
            raise typer.Exit(1)


@app.command()
def unknown() -> None:
    """List lines that may or may not have been sent.

    Lines that delivery events confirm are resolved first.
    """
    from catalog.records import BEIJING
    from resources.state.ledger import read_lines
    from resources.state.lines import LineState
    from resources.state.resolving import recover, resolve
    from services.outreach.masking import mask_id
    from services.outreach.sending import UNSEEN_AFTER

    with open_runtime(needs_credentials=True) as runtime:
        now = runtime.clock.now()
        recover(runtime.state, now)
        found = resolve(runtime.state, now)
        if found:
            console.print(f"{len(found)} were found among the events of our own messages")
        left = read_lines(runtime.state, states=[LineState.UNKNOWN], client_keys=runtime.app_keys)
        if not left:
            console.print("nothing is unknown")
        grid = Grid()
        for column in ("line", "campaign", "account", "person", "called (Beijing)", "reason", ""):
            grid.add_column(column)
        for line in left:
            old = line.claimed_at is not None and now - line.claimed_at > UNSEEN_AFTER
            at = line.claimed_at.astimezone(BEIJING).strftime("%m-%d %H:%M:%S") if line.claimed_at else ""
            grid.add_row(
                str(line.id),
                line.campaign,
                mask_id(line.open_id),
                mask_id(line.person_open_id),
                at,
                Text(line.why or ""),
                "look at the chat" if old else "wait for its event",
            )
        if left:
            console.print(grid)
            console.print(
                "after looking: `douyin outreach resolve LINE --sent --by NAME` or `--not-sent`; `--plan N` "
                "for all lines of a plan"
            )


@app.command()
def resolve(
    sent: Annotated[bool, typer.Option("--sent/--not-sent", help="what a person saw in the chat")],
    by: Annotated[str, typer.Option("--by", help="who looked")],
    line: Annotated[int | None, typer.Argument(min=1, max=_MOST, help="number of the line")] = None,
    plan_id: Annotated[
        int | None, typer.Option("--plan", min=1, max=_MOST, help="instead of one line: all unknown lines of this plan")
    ] = None,
) -> None:
    """Settle an unknown line, or all of a plan, after looking at the chats."""
    from resources.state.resolving import settle

    if not by.strip():
        fail("say who looked: --by NAME", 2)
    if (line is None) == (plan_id is None):
        fail("say which line, or --plan N for all unknown lines of a plan", 2)
    with open_runtime(needs_credentials=True) as runtime:
        if plan_id is not None:
            _resolve_plan(runtime, plan_id, sent, by)
        elif line is not None:
            try:
                settle(runtime.state, line, was_sent=sent, by=by, now=runtime.clock.now())
            except LookupError as error:
                fail(str(error), 2)
            console.print(f"[green]✓[/green] line {line} counts as {'sent' if sent else 'not sent'}")


def _resolve_plan(runtime, plan_id: int, sent: bool, by: str) -> None:
    from resources.state.plans import NotApproved
    from services.outreach.work import resolve_plan

    try:
        done = resolve_plan(runtime, plan_id, was_sent=sent, by=by)
    except NotApproved as error:
        fail(str(error), 2)
    if done.found:
        console.print(f"{done.found} were found among the events of our own messages")
    console.print(f"[green]✓[/green] {done.settled} lines of plan {plan_id} count as {'sent' if sent else 'not sent'}")
    if done.waiting:
        console.print(
            f"  {done.waiting} were called within the last half hour: events may still say that they were "
            "sent; try again later"
        )


@app.command()
def recall(line: Annotated[int, typer.Argument(min=1, max=_MOST, help="number of the line that was sent")]) -> None:
    """Recall sent messages 撤回."""
    from resources.client.errors import CallFailed
    from services.outreach.work import recall_line

    with open_runtime(needs_credentials=True) as runtime:
        try:
            done = recall_line(runtime, line)
        except (LookupError, CallFailed) as error:
            fail(str(error))
        console.print(f"[green]✓[/green] {done} message(s) of line {line} recalled")


def _campaigns(runtime) -> list[str]:
    from services.outreach.campaigns import BadCampaign, load_campaigns

    try:
        return sorted(load_campaigns(runtime.settings))
    except BadCampaign as error:
        fail(str(error), 2)


@app.command()
def effect(
    name: Annotated[str | None, typer.Argument(callback=maybe_said, help="name of the campaign; default: all")] = None,
) -> None:
    """Show the effect of campaigns: sent, delivered, replied, and the comparison with the control group.

    From the mart campaign_effect.
    """
    import duckdb

    from services.outreach.audiences import BadAudience

    with open_runtime(needs_credentials=True) as runtime:
        try:
            with runtime.warehouse.connect() as connection:
                rows = connection.execute(
                    "SELECT * FROM marts.campaign_effect WHERE $1 IS NULL OR campaign = $1 ORDER BY campaign, occasion",
                    [name],
                )
                columns, values = [c[0] for c in rows.description], rows.fetchall()
        except (duckdb.Error, FileNotFoundError, BadAudience) as error:
            fail(f"{error}\npublish first: `douyin publish`")
        for row in values:
            one = dict(zip(columns, row, strict=True))
            console.print(f"[bold]{escape(one['campaign'])}[/bold] {escape(one['occasion'])}")
            for column in columns[3:]:
                value = one[column]
                console.print(f"  {column}: {f'{value:.4g}' if isinstance(value, float) else value}")
        if not values and name is not None and name not in (known := _campaigns(runtime)):
            fail(f"there is no campaign {name!r}; there are {', '.join(known) or 'none'}", 2)
        if not values:
            console.print("no campaign was sent yet, or nothing was published since")
