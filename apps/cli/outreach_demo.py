"""``douyin outreach demo``: run the repository's campaigns against the sandbox, from SQL to their effect."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from rich.markup import escape

from apps.cli.console import Grid, console, load_settings, open_runtime

BEGIN = datetime.fromisoformat("2026-11-22T18:00:00+08:00")
CAMPAIGNS = ("live_start", "confirm_review", "collect_profile", "benefits")
COLLECTED = ("lead_ids", "leads", "lead_events", "lead_actions", "im_consents")
RECEIVED = ("webhook_events", "im_messages", "im_entries", "im_people", "im_consent_events", "interactions")
ANSWERS = (("write", 0.35), ("enter", 0.2), ("leave_phone", 0.1), ("opt_out", 0.02))
DEEDS = ("write", "write", "consent", "enter", "write", "leave_phone")


def demo() -> None:
    """Run four campaigns on the sandbox: people write, audiences are chosen, plans approved and sent, replies counted.

    Needs no credentials and keeps no data.
    """
    from apps.cli.simulation import authorize_all, move_clock, running_sandbox, sandbox_settings
    from apps.receiver.serving import serving
    from sandbox.config import SandboxConfig

    settings = load_settings(has_own_home=True)
    config = SandboxConfig(
        seed=2, accounts=6, videos=12, most_fans=400_000, now=BEGIN, answers=ANSWERS, answer_delay_s=600
    )
    with tempfile.TemporaryDirectory(prefix="douyin-outreach-") as folder, running_sandbox(config) as url:
        home = Path(folder)
        here = sandbox_settings(
            settings,
            url,
            config,
            home=home,
            clock=BEGIN.isoformat(),
            start_date=BEGIN.date(),
            campaigns_dir=home / "campaigns",
        )
        with open_runtime(here) as runtime:
            accounts = authorize_all(runtime)
            _write_campaigns(settings, here, accounts)
            with serving(_receiver(runtime).app) as post:
                control = httpx.Client(base_url=f"{url}/_sandbox", trust_env=False, timeout=30)
                control.put(
                    "/webhooks", json={"url": f"{post}/webhook/{config.client_key}", "duplicates": 0.1}
                ).raise_for_status()
                move_clock(runtime, BEGIN + timedelta(minutes=30))
                _let_people_act(control, accounts)
                _settle(control)
                console.print(
                    f"[bold]1.[/bold] {len(accounts)} accounts; people write, open chats and consent: "
                    f"{_received(runtime)}"
                )
                _collect(runtime, (*COLLECTED, *RECEIVED))
                console.print(
                    "[bold]2.[/bold] leads, consents and events collected and published; audiences can be chosen "
                    "with SQL"
                )
                move_clock(runtime, BEGIN + timedelta(minutes=40))
                _run_campaigns(runtime)
                move_clock(runtime, BEGIN + timedelta(hours=2))
                _settle(control)
                _collect(runtime, RECEIVED)
                _show_effect(runtime)


def _write_campaigns(settings, here, accounts: list[str]) -> None:
    """Copy the campaigns, with a live session of the first account in the timetable."""
    from services.outreach.campaigns import campaign_files

    here.campaigns_dir.mkdir()
    for name, path in campaign_files(settings).items():
        shutil.copyfile(path, here.campaigns_dir / name)
    session = f"sessions:\n  - account: {accounts[0]}\n    starts_at: 2026-11-22 20:00\n    title: 周年庆专场\n"
    (here.campaigns_dir / "timetable.yaml").write_text(session, encoding="utf-8")


def _receiver(runtime):
    from apps.receiver.app import Receiver
    from resources.config.clock import Clock
    from resources.state.inbox import begin_receiving

    begin_receiving(runtime.state, runtime.app_keys, runtime.clock.now())
    clock = Clock(lambda: runtime.clock.now())
    return Receiver(runtime.settings.all_apps, runtime.state, clock, body_bytes=runtime.settings.webhook_body_bytes)


def _let_people_act(control: httpx.Client, accounts: list[str]) -> None:
    for account in accounts:
        people = control.get("/people", params={"account": account, "limit": 90}).raise_for_status().json()
        for n, one in enumerate(people):
            order = {"account": account, "person": one["person"], "does": DEEDS[n % len(DEEDS)]}
            control.post("/people", json=order).raise_for_status()


def _settle(control: httpx.Client, patience_s: float = 30) -> None:
    """Wait until every event was delivered."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if control.get("/webhooks").json()["pending"] == 0:
            return
        time.sleep(0.05)
    raise RuntimeError("the sandbox's events were not delivered in time")


def _received(runtime) -> str:
    from resources.state.inbox import count_received

    counted: Counter[str] = Counter()
    for (_, event), n in count_received(runtime.state).items():
        counted[event] += n
    return ", ".join(f"{n} {event}" for event, n in counted.most_common(4))


def _collect(runtime, tables: tuple[str, ...]) -> None:
    from catalog import TABLES
    from services.ingest.run import ingest
    from services.marts.publishing import publish

    for name in tables:
        ingest(runtime, TABLES[name], [runtime.clock.today()])
    publish(runtime)


def _run_campaigns(runtime) -> None:
    from apps.cli.outreach import show_plan
    from resources.state.ledger import read_lines
    from resources.state.plans import approve
    from services.outreach.campaigns import load_campaign
    from services.outreach.planning import blocked_by, counts_of, plan_campaign
    from services.outreach.work import send_one

    for number, name in enumerate(CAMPAIGNS):
        campaign = load_campaign(runtime.settings, name)
        plan = plan_campaign(runtime, campaign, runtime.clock.now())
        lines = read_lines(runtime.state, plan_id=plan.id)
        if number == 0:
            console.print(
                "[bold]3.[/bold] the first plan, as a person sees it before approving (people and words are masked):\n"
            )
            show_plan(runtime, plan, 8)
            console.print()
        approve(runtime.state, plan.id, "demo", runtime.clock.now())
        done = send_one(runtime, plan.id)
        blocked = "; ".join(f"{n} {why}" for why, n in blocked_by(lines).most_common(2))
        planned = counts_of(lines)
        console.print(
            f"[bold]{number + 4}.[/bold] {escape(campaign.title)} {name}: {planned['planned']} planned, "
            f"{planned['control']} in the control group, "
            f"{planned['blocked']} blocked ({escape(blocked)}); sent {done.states['sent']}, failed "
            f"{done.states['failed']}, unknown {done.states['unknown']}",
            soft_wrap=True,
        )


def _show_effect(runtime) -> None:
    with runtime.warehouse.connect() as connection:
        rows = connection.execute(
            """
            SELECT campaign, people_sent, delivered, responded, response_ratio, response_low, response_high,
                people_control, control_ratio,
                   uplift, uplift_low, uplift_high
            FROM marts.campaign_effect ORDER BY plan_id
            """
        ).fetchall()
    console.print(
        "\n[bold]8.[/bold] an hour and a half later, marts.campaign_effect (95 % intervals; no uplift is "
        "claimed without a control group):"
    )
    grid = Grid()
    for column in ("campaign", "sent", "delivered", "responded", "of sent", "control", "of control", "uplift"):
        grid.add_column(column, justify="left" if column == "campaign" else "right")
    for campaign, sent, delivered, responded, share, low, high, control, other, uplift, up_low, up_high in rows:
        grid.add_row(
            campaign,
            str(sent),
            str(delivered),
            str(responded),
            _interval(share, low, high),
            str(control),
            "–" if other is None else f"{other:.0%}",
            "–" if uplift is None else _interval(uplift, up_low, up_high),
        )
    console.print(grid)


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    return "–" if value is None else f"{value:.0%} ({low:.0%} to {high:.0%})"
