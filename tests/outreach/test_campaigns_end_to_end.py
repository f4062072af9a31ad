"""The campaigns of the repository, from SQL over plan, approval and sending to the sandbox."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from installation import START, TODAY, World
from receiving import Post, receiving

from resources.state.ledger import read_lines
from resources.state.lines import LineState
from resources.state.people import add_opt_out
from resources.state.plans import NotApproved, approve, list_plans
from resources.state.resolving import resolve
from services.marts.publishing import publish
from services.outreach.campaigns import Session, campaign_files, load_campaign
from services.outreach.planning import plan_campaign
from services.outreach.work import plan_due, recall_line, send_one

COLLECTED = ("lead_ids", "leads", "lead_events", "im_consents")
EVENING = "2026-11-16T21:00:00+08:00"
MESSAGES = ("benefits", "collect_profile", "confirm_review")
ANSWERS = (("write", 0.4), ("enter", 0.3), ("leave_phone", 0.2))


PLATFORM = {"seed": 5, "accounts": 3, "videos": 12, "most_fans": 300_000, "answers": ANSWERS}


def _the_day(world: World, post: Post) -> None:
    """Play the same day until the evening; the people follow from the seed."""
    post.order("DELETE", "people")
    world.at(EVENING)
    post.settle()


@pytest.fixture(scope="module")
def collected(platforms, tmp_path_factory):
    """A day of received webhooks, collected and published.

    Made once, since it takes a second. Tests must not modify it.
    """
    world = World(*platforms(**PLATFORM), home=tmp_path_factory.mktemp("evening") / "home", options={})
    world.clear()
    world.open().at(START).authorize()
    with receiving(world) as post:
        _the_day(world, post)
        for table in COLLECTED:
            world.ingest(table)
        buyers = [row for row in world.rows("leads", TODAY) if row["leads_level"] == 10][:3]
        for row in buyers:
            post.person_does(world.accounts.index(row["open_id"]), "write", row["lead_open_id"], "货到了吗")
        post.settle()
        publish(world.runtime)
    world.runtime.close()
    return world, buyers


@pytest.fixture
def evening(collected, make_world, tmp_path):
    """The warehouse of that day in a copy of its home, on a platform with the same history."""
    before, buyers = collected
    shutil.copytree(before.home, tmp_path / "home")
    world = make_world(platform=PLATFORM, authorize=False)
    world.accounts = before.accounts
    with receiving(world) as post:
        _the_day(world, post)
        for row in buyers:
            post.person_does(world.accounts.index(row["open_id"]), "write", row["lead_open_id"], "货到了吗")
        post.settle()
        yield post


def lines_of(post: Post, plan_id: int) -> list:
    return read_lines(post.world.runtime.state, plan_id=plan_id)


def plan(post: Post, name: str):
    runtime = post.world.runtime
    return plan_campaign(runtime, load_campaign(runtime.settings, name), runtime.clock.now())


def approved(post: Post, name: str):
    return approve(post.world.runtime.state, plan(post, name).id, "an operator", post.world.runtime.clock.now())


def test_nothing_is_sent_without_approval(evening):
    made = plan(evening, "benefits")
    with pytest.raises(NotApproved, match="approve"):
        send_one(evening.world.runtime, made.id)
    before = len(evening.messages())
    approve(evening.world.runtime.state, made.id, "an operator", evening.world.runtime.clock.now())
    assert send_one(evening.world.runtime, made.id).states["sent"] == len(evening.messages()) - before > 0


@pytest.mark.parametrize("name", MESSAGES)
def test_a_campaign_reaches_exactly_those_who_were_planned(evening, name: str):
    runtime, before = evening.world.runtime, len(evening.messages())
    done = approved(evening, name)
    planned = {
        (line.open_id, line.person_open_id) for line in lines_of(evening, done.id) if line.state is LineState.PLANNED
    }
    assert planned
    send_one(runtime, done.id)
    sent = Counter((m["account"], m["person"]) for m in evening.messages()[before:])
    assert set(sent) == planned
    assert set(sent.values()) == {1}
    assert send_one_again(evening, name) == 0
    evening.settle()
    assert {line.state for line in lines_of(evening, done.id) if (line.open_id, line.person_open_id) in planned} == {
        LineState.SENT
    }
    assert all(line.delivered_at for line in lines_of(evening, done.id) if line.state is LineState.SENT), (
        "events report their arrival"
    )


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["late", "cut", "http_502"])
def test_a_call_whose_answer_is_lost_is_not_made_again(evening, fault: str):
    """Executed calls are found among the events; calls without an event stay unknown."""
    runtime, before = evening.world.runtime, len(evening.messages())
    done = approved(evening, "benefits")
    evening.world.fault("im_send_msg", fault, times=3)
    assert send_one(runtime, done.id).states["unknown"] == 3
    evening.settle()
    resolve(runtime.state, runtime.clock.now())
    assert set(Counter((m["account"], m["person"]) for m in evening.messages()[before:]).values()) <= {1}
    unknown = sum(line.state is LineState.UNKNOWN for line in lines_of(evening, done.id))
    assert unknown == (3 if fault == "http_502" else 0)
    assert send_one_again(evening, "benefits") == 0


def send_one_again(post: Post, name: str) -> int:
    """Count the people who would get the campaign again on the same evening."""
    made = plan(post, name)
    return sum(line.state is LineState.PLANNED for line in lines_of(post, made.id))


def test_a_campaign_before_a_live_session(evening, tmp_path, monkeypatch):
    """Through the open scene: a reply, or a proactive message where the person consents."""
    world = evening.world
    campaign = load_campaign(world.runtime.settings, "live_start")
    session = Session(
        account=world.accounts[0], starts_at=datetime.fromisoformat("2026-11-16T22:00:00+08:00"), title="周年庆专场"
    )
    monkeypatch.setattr("services.outreach.planning.load_timetable", lambda settings, name: [session])
    made = plan_campaign(world.runtime, campaign, world.runtime.clock.now())
    lines = lines_of(evening, made.id)
    assert {line.open_id for line in lines} == {world.accounts[0]}
    scenes = Counter(str(line.scene) for line in lines if line.state is LineState.PLANNED)
    assert set(scenes) == {"im_reply_msg", "im_authorize_message"}
    approve(world.runtime.state, made.id, "an operator", world.runtime.clock.now())
    before = len(evening.messages())
    assert send_one(world.runtime, made.id).states["sent"] == scenes.total()
    assert Counter(m["scene"] for m in evening.messages()[before:]) == scenes
    assert plan_due(world.runtime).plans == [] or all(p.name != "live_start" for p in plan_due(world.runtime).plans), (
        "it has its plan"
    )


def test_whoever_opted_out_is_left_alone_also_after_the_approval(evening):
    done = approved(evening, "benefits")
    state, now = evening.world.runtime.state, evening.world.runtime.clock.now()
    line = next(line for line in lines_of(evening, done.id) if line.state is LineState.PLANNED)
    add_opt_out(state, line.client_key, "", line.person_open_id, "by hand", now)
    before = len(evening.messages())
    send_one(evening.world.runtime, done.id)
    assert line.person_open_id not in {m["person"] for m in evening.messages()[before:]}
    assert next(one for one in lines_of(evening, done.id) if one.id == line.id).why == "opted out"
    again = plan(evening, "benefits")
    assert any(
        one.why == "opted out" for one in lines_of(evening, again.id) if one.person_open_id == line.person_open_id
    )


def test_a_plan_that_was_changed_needs_approval_again(evening):
    from sqlalchemy import update

    from resources.state.tables import outbox

    done = approved(evening, "benefits")
    state = evening.world.runtime.state
    with state.begin() as db:
        db.execute(update(outbox).where(outbox.c.plan_id == done.id).values(person_open_id="another person"))
    with pytest.raises(NotApproved, match="changed after it was approved"):
        send_one(evening.world.runtime, done.id)


def test_a_new_plan_supersedes_the_old_one(evening):
    first = approved(evening, "benefits")
    plan(evening, "benefits")
    with pytest.raises(NotApproved, match="superseded"):
        send_one(evening.world.runtime, first.id)


def test_the_control_group_gets_nothing_and_stays_the_same(evening):
    made = plan(evening, "benefits")
    control = {line.person_open_id for line in lines_of(evening, made.id) if line.state is LineState.CONTROL}
    again = plan(evening, "benefits")
    assert {line.person_open_id for line in lines_of(evening, again.id) if line.state is LineState.CONTROL} == control
    assert control
    approve(evening.world.runtime.state, again.id, "an operator", evening.world.runtime.clock.now())
    before = len(evening.messages())
    send_one(evening.world.runtime, again.id)
    assert not control & {m["person"] for m in evening.messages()[before:]}


def test_quiet_hours_stop_sending_and_change_nothing(evening):
    done = approved(evening, "benefits")
    evening.world.at("2026-11-16T23:00:00+08:00")
    outcome = send_one(evening.world.runtime, done.id)
    assert outcome.states.total() == 0
    assert set(outcome.waiting) == {"quiet hours"}


def test_a_message_can_be_recalled(evening):
    done = approved(evening, "benefits")
    send_one(evening.world.runtime, done.id)
    evening.settle()
    line = next(line for line in lines_of(evening, done.id) if line.state is LineState.SENT)
    assert recall_line(evening.world.runtime, line.id) == 2
    recalled = [m for m in evening.messages() if m["recalled"]]
    assert [m["person"] for m in recalled[-1:]] == [line.person_open_id]


def test_schedules_plan_what_is_due_once_a_day(evening):
    runtime = evening.world.runtime
    names = {p.name for p in plan_due(runtime).plans}
    assert names == set(MESSAGES)
    assert plan_due(runtime).plans == []
    assert {p.state for p in list_plans(runtime.state)} == {"open"}


def own_campaigns(post: Post, tmp_path) -> Path:
    """Give the installation a copy of the campaigns; return the folder."""
    folder = tmp_path / "own"
    folder.mkdir()
    for name, path in campaign_files(post.world.runtime.settings).items():
        shutil.copyfile(path, folder / name)
    post.world.runtime.__dict__["settings"] = post.world.runtime.settings.model_copy(update={"campaigns_dir": folder})
    return folder


def test_one_wrong_file_does_not_stop_the_other_campaigns(evening, tmp_path):
    (own_campaigns(evening, tmp_path) / "benefits.yaml").write_text("name: benefits\n", encoding="utf-8")
    done = plan_due(evening.world.runtime)
    assert {p.name for p in done.plans} == {"collect_profile", "confirm_review"}
    assert set(done.failed) == {"benefits"}
    assert "Field required" in done.failed["benefits"]


def test_an_audience_that_the_warehouse_refuses_does_not_stop_the_other_campaigns(evening, monkeypatch):
    def refuse(runtime, campaign, now):
        if campaign.name == "benefits":
            raise duckdb.CatalogException("Table with name im_consents does not exist")
        return plan_campaign(runtime, campaign, now)

    monkeypatch.setattr("services.outreach.work.plan_campaign", refuse)
    done = plan_due(evening.world.runtime)
    assert {p.name for p in done.plans} == {"collect_profile", "confirm_review"}
    assert done.failed == {"benefits": "Table with name im_consents does not exist"}


def test_whoever_has_nothing_for_a_name_is_left_out(evening):
    from sqlalchemy import update

    from resources.state.tables import accounts

    with evening.world.runtime.state.begin() as db:
        db.execute(update(accounts).values(name=None))
    lines = lines_of(evening, plan(evening, "benefits").id)
    assert {line.state for line in lines} == {LineState.BLOCKED}
    assert any(line.why == "nothing to put in for account_name" for line in lines)
