"""Messages other than private ones: groups, the older enterprise messages, replies to comments.

Their senders are killed, too.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from installation import TODAY

from resources.state.ledger import read_lines
from resources.state.lines import LineState, set_line
from resources.state.outbox import SendingRules, claim
from resources.state.plans import approve
from resources.state.resolving import recover
from services.marts.publishing import publish
from services.outreach.campaigns import load_campaign
from services.outreach.planning import plan_campaign
from services.outreach.work import send_one

HEAD = "-- for a test\n"
FIRST_LEADS = (
    f"{HEAD}SELECT open_id AS account, lead_open_id AS open_id, 'test' AS reason FROM leads_latest QUALIFY "
    "row_number() OVER (PARTITION BY open_id ORDER BY lead_open_id) <= 3"
)
GROUPS = f"{HEAD}SELECT DISTINCT open_id AS account, 'group-1' AS open_id, 'test' AS reason FROM leads_latest"


@pytest.fixture
def world(make_world, tmp_path: Path):
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "audiences").mkdir()
    made = make_world(
        platform={"seed": 41, "accounts": 2, "videos": 12, "most_fans": 300_000},
        campaigns_dir=tmp_path / "campaigns",
        audiences_dir=tmp_path / "audiences",
    )
    made._ok("DELETE", "people")
    for table in ("lead_ids", "leads"):
        made.ingest(table)
    publish(made.runtime)
    return made


def campaign(world, audience: str, text: str):
    folder = world.runtime.settings
    (folder.audiences_dir / "them.sql").write_text(audience, encoding="utf-8")
    (folder.campaigns_dir / "way.yaml").write_text(
        f"name: way\ntitle: 试验\nowner: test\naudience: them\n{text}\n", encoding="utf-8"
    )
    plan = plan_campaign(world.runtime, load_campaign(folder, "way"), world.runtime.clock.now())
    return approve(world.runtime.state, plan.id, "an operator", world.runtime.clock.now())


@pytest.mark.slow
def test_a_message_to_groups(world):
    plan = campaign(world, GROUPS, "messages: [{type: text, text: 大家好}]\nscenes: [group]")
    done = send_one(world.runtime, plan.id)
    sent = world._ok("GET", "messages")
    assert done.states["sent"] == len(sent) > 0
    assert {m["scene"] for m in sent} == {"group"}


@pytest.mark.slow
def test_the_older_operation_sends_once_also_where_its_answer_is_lost(world):
    """Its id makes a second call harmless: after a lost response it is sent again, and arrives once."""
    plan = campaign(world, FIRST_LEADS, "messages: [{type: text, text: 您好}]\nscenes: [enterprise]")
    world.fault("enterprise_im_message_send", "late", times=2)
    done = send_one(world.runtime, plan.id)
    sent = world._ok("GET", "messages")
    people = [m["person"] for m in sent]
    assert done.states["sent"] == len(people) == len(set(people)) > 0
    assert world.calls("enterprise_im_message_send") == len(people) + 2 + done.states["failed"]


@pytest.mark.slow
def test_a_dead_sender_of_what_may_be_repeated_leaves_it_planned(world):
    plan = campaign(world, FIRST_LEADS, "messages: [{type: text, text: 您好}]\nscenes: [enterprise]")
    state, now = world.runtime.state, world.runtime.clock.now()
    line = read_lines(state, plan_id=plan.id, states=[LineState.PLANNED])[0]
    claim(state, line.id, SendingRules(), now)
    with state.begin() as db:
        set_line(db, line.id, claimed_by=None)
    assert [(one.id, one.state) for one in recover(state, now)] == [(line.id, LineState.PLANNED)]


@pytest.mark.slow
@pytest.mark.parametrize("door", ["item", "video"])
def test_comments_that_ask_are_answered_once(make_world, door: str):
    world = make_world(platform={"seed": 43, "accounts": 2, "videos": 12, "most_fans": 60_000})
    for table in ("videos", "video_totals", "comments"):
        world.ingest(table)
    publish(world.runtime)
    found = load_campaign(world.runtime.settings, "answer_questions").model_copy(update={"door": door})
    plan = plan_campaign(world.runtime, found, world.runtime.clock.now())
    lines = [line for line in read_lines(world.runtime.state, plan_id=plan.id) if line.state is LineState.PLANNED]
    assert lines
    approve(world.runtime.state, plan.id, "an operator", world.runtime.clock.now())
    done = send_one(world.runtime, plan.id)
    assert done.states["sent"] > 0
    assert done.states["sent"] + done.states["failed"] == len(lines)
    again = plan_campaign(world.runtime, found, world.runtime.clock.now())
    reported = {line.key: line.why for line in read_lines(world.runtime.state, plan_id=again.id)}
    answered = [line.key for line in read_lines(world.runtime.state, plan_id=plan.id) if line.state is LineState.SENT]
    assert {reported[key] for key in answered} == {"already sent"}
    assert world.runtime.clock.today() == TODAY
