"""``douyin outreach`` and ``douyin receive`` as users call them; errors say what to do."""

from __future__ import annotations

import re
import shutil
import signal
import time
from pathlib import Path

import httpx
import pytest
from patience import scaled

from apps.cli.develop import environment
from apps.receiver.app import signature_of
from resources.client.errors import Skipped
from resources.state.chats import said, write_notes

ROOT = Path(__file__).resolve().parents[2]
EVENING = "2026-11-16T20:00:00+08:00"


PLATFORM = {"seed": 31, "accounts": 2, "videos": 12, "most_fans": 300_000}


@pytest.fixture(scope="module")
def template(platforms, tmp_path_factory):
    """A closed installation, of which each test gets a copy.

    Leads are collected and published, and all of them wrote.
    """
    from installation import World

    from services.marts.publishing import publish

    world = World(*platforms(**PLATFORM), home=tmp_path_factory.mktemp("outreach") / "template", options={})
    world.clear()
    world.open().authorize().at(EVENING)
    for table in ("lead_ids", "leads", "lead_events", "im_consents"):
        world.ingest(table)
    people = world.rows("leads", world.runtime.clock.today())
    with world.runtime.state.begin() as db:
        write_notes(db, everybody_writes(world, people))
    publish(world.runtime)
    world.runtime.close()
    return world, people


@pytest.fixture
def world(template, make_world, tmp_path):
    first, people = template
    shutil.copytree(first.home, tmp_path / "home")
    world = make_world(platform=PLATFORM, authorize=False).at(EVENING)
    world.accounts = first.accounts
    everybody_writes(world, people)
    return world


@pytest.fixture(scope="module")
def one_world(template, platforms, tmp_path_factory):
    """The same for tests that change nothing."""
    from installation import World

    first, people = template
    home = tmp_path_factory.mktemp("outreach") / "home"
    shutil.copytree(first.home, home)
    world = World(*platforms(**PLATFORM), home=home, options={})
    world.open().at(EVENING)
    world.accounts = first.accounts
    everybody_writes(world, people)
    yield world
    world.runtime.close()


def everybody_writes(world, people: list[dict]) -> list:
    """Let every person on a list write, in a platform without other records of them.

    Returns:
        The events that a receiver records.
    """
    world._ok("DELETE", "people")
    notes = []
    for row in people:
        event = world._ok("POST", "people", {"account": row["open_id"], "person": row["lead_open_id"], "does": "write"})
        content = (
            event["content"]
            if isinstance(event["content"], dict)
            else httpx.Response(200, text=event["content"]).json()
        )
        notes.append(
            said(
                event["client_key"],
                row["open_id"],
                row["lead_open_id"],
                content["create_time"] / 1000,
                content["server_message_id"],
                content["conversation_short_id"],
            )
        )
    return notes


@pytest.fixture
def here(world, douyin, tmp_path):
    """Run the command on that installation, with campaigns of its own, and return the output."""
    return command_on(world, douyin, tmp_path)


@pytest.fixture
def there(one_world, douyin, tmp_path):
    return command_on(one_world, douyin, tmp_path)


def command_on(world, douyin, tmp_path):
    shutil.copytree(ROOT / "campaigns", tmp_path / "campaigns")
    settings = {k: v for k, v in environment(world.runtime.settings).items() if k.startswith("DOUYIN_")}
    settings |= {"DOUYIN_CAMPAIGNS_DIR": str(tmp_path / "campaigns")}

    def run(*words: str, code: int = 0, clock: str = EVENING) -> str:
        done = douyin(*words, **settings | {"DOUYIN_CLOCK": clock})
        assert done.exit_code == code, done.output
        return done.output + done.stderr

    return run


def test_a_campaign_from_the_plan_to_what_was_sent(here, world):
    planned = here("outreach", "plan", "benefits")
    assert "nothing is sent yet" in planned
    for row in world.rows("leads", world.runtime.clock.today()):
        assert row["lead_open_id"] not in planned
        assert not row["telephone"] or row["telephone"] not in planned
    assert "plan 1 is open, not approved" in here("outreach", "send", "1", code=1)
    assert "approved by 王编辑" in here("outreach", "approve", "1", "--by", "王编辑")
    sent = int(re.search(r"(\d+) sent", here("outreach", "send", "1"))[1])
    assert sent == len(world._ok("GET", "messages")) > 0
    assert f"{sent} sent" in here("outreach", "show", "1")
    listed = here("outreach", "list")
    assert "福利发放" in listed
    assert re.search(r"1 +benefits .* done +王编辑", listed)
    assert "nothing is unknown" in here("outreach", "unknown")
    here("publish")
    assert f"people_sent: {sent}" in here("outreach", "effect", "benefits")


def test_unknown_lines_are_shown_and_settled(here, world):
    here("outreach", "plan", "benefits")
    here("outreach", "approve", "1", "--by", "an operator")
    world.fault("im_send_msg", "http_502", times=1)
    assert "1 unknown" in here("outreach", "send", "1")
    line = re.search(r"^ *(\d+) +benefits", here("outreach", "unknown"), re.MULTILINE)[1]
    assert "counts as not sent" in here("outreach", "resolve", line, "--not-sent", "--by", "an operator")
    assert f"line {line} is not_sent, not unknown" in here(
        "outreach", "resolve", line, "--sent", "--by", "an operator", code=2
    )
    again = here("outreach", "plan", "benefits")
    assert "1 planned" in again, "whoever did not get it may get it now"


def test_the_unknown_lines_of_a_plan_are_settled_together(here, world):
    here("outreach", "plan", "benefits")
    here("outreach", "approve", "1", "--by", "an operator")
    world.fault("im_send_msg", "http_502", times=3)
    assert "3 unknown" in here("outreach", "send", "1")
    for _ in range(2):
        early = here("outreach", "resolve", "--plan", "1", "--not-sent", "--by", "an operator")
        assert "0 lines of plan 1 count as not sent" in early
        assert "3 were called within the last half hour" in early
    later = "2026-11-16T20:31:00+08:00"
    assert "3 lines of plan 1 count as not sent" in here(
        "outreach", "resolve", "--plan", "1", "--not-sent", "--by", "an operator", clock=later
    )
    assert "nothing is unknown" in here("outreach", "unknown", clock=later)
    assert "3 planned" in here("outreach", "plan", "benefits", clock=later), "whoever did not get it may get it now"


def test_unknown_lines_that_were_sent_need_no_wait(here, world):
    here("outreach", "plan", "benefits")
    here("outreach", "approve", "1", "--by", "an operator")
    world.fault("im_send_msg", "late", times=2)
    assert "2 unknown" in here("outreach", "send", "1")
    assert "2 lines of plan 1 count as sent" in here(
        "outreach", "resolve", "--plan", "1", "--sent", "--by", "an operator", clock="2026-11-16T20:00:01+08:00"
    )
    assert "planned" not in here("outreach", "plan", "benefits"), "no person gets it twice"


@pytest.mark.slow
def test_tags_follow_their_audiences(here, world):
    from catalog import ENDPOINTS

    first = here("outreach", "plan", "--tags")
    assert "leads_tag_create: 高意向" in first
    here("outreach", "approve", "1", "--by", "an operator")
    assert re.search(r"plan 1: \d+ sent$", here("outreach", "send", "1"), re.MULTILINE)
    client = world.runtime.client(world.config.client_key)
    found = {}
    for account in world.accounts:
        try:
            answer = world.runtime.run(client.fetch(ENDPOINTS["leads_tag_list"], {"cursor": 0}, account))
        except Skipped:  # no enterprise account
            continue
        found |= {row["tag_name"]: row["tag_id"] for row in answer.document["data"]["list"]}
    assert {"高意向", "已成交"} & set(found)
    assert "none" in here("outreach", "plan", "--tags"), "nothing is left to do"


def test_who_wants_to_be_left_alone(here, world):
    person = world.rows("leads", world.runtime.clock.today())[0]["lead_open_id"]
    assert "1 of 1 are new" in here("outreach", "opt-out", "add", person)
    listed = here("outreach", "opt-out", "list")
    assert person not in listed
    assert f"{person[:4]}…{person[-4:]}" in listed
    assert "1 taken off" in here("outreach", "opt-out", "remove", person)
    for account in (world.accounts[0], world.accounts[0][:12]):
        assert "1 of 1 are new" in here("outreach", "opt-out", "add", person, "--account", account)
        assert "1 taken off" in here("outreach", "opt-out", "remove", person, "--account", account)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("outreach", "plan", "nonsense"), 2, "no campaign is called 'nonsense'"),
        (("outreach", "plan"), 2, "say which campaign, or --tags"),
        (("outreach", "plan", "live_start"), 2, "no live session begins soon"),
        (("outreach", "approve", "9", "--by", "x"), 1, "there is no plan 9: see `douyin outreach list`"),
        (("outreach", "show", "9"), 2, "there is no plan 9"),
        (("outreach", "resolve", "9", "--sent", "--by", "x"), 2, "line 9 is not there, not unknown"),
        (("outreach", "resolve", "9", "--sent", "--by", " "), 2, "say who looked: --by NAME"),
        (
            ("outreach", "resolve", "--plan", "9", "--sent", "--by", "x"),
            2,
            "there is no plan 9: see `douyin outreach list`",
        ),
        (("outreach", "resolve", "--sent", "--by", "x"), 2, "say which line, or --plan N"),
        (("outreach", "resolve", "1", "--plan", "1", "--sent", "--by", "x"), 2, "say which line, or --plan N"),
        (("outreach", "approve", "1", "--by", " "), 2, "Invalid value for '--by': it is empty"),
        (("outreach", "recall", "9"), 1, "there is no line 9: see `douyin outreach show PLAN`"),
        (
            ("outreach", "opt-out", "add", "an operator", "--account", "unknown"),
            2,
            "no account is 'unknown': see `douyin accounts list`",
        ),
        (("receive", "subscribe", "nonsense"), 2, "no event is called nonsense"),
    ],
)
def test_what_is_wrong_says_what_to_do(there, words, code: int, says: str):
    assert says in there(*words, code=code)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("benefits.yaml", "title: 福利发放", "titel: 福利发放", "titel: Extra inputs are not permitted"),
        (
            "benefits.yaml",
            "activity_id: 1001",
            "activity_id: many",
            "activity_id of a message of type coupon is a whole number",
        ),
        ("benefits.yaml", "type: coupon", "type: voucher", "type 'voucher' is none of text"),
        (
            "benefits.yaml",
            "scenes: [im_reply_msg]",
            "scenes: [im_authorize_message]",
            "must contain a message of type mini_app_card",
        ),
        ("benefits.yaml", 'daily: "11:00"', 'daily: "25:00"', "'25:00' is no time of day"),
        ("benefits.yaml", "again_after: 14d", "again_after: two weeks", "'two weeks' is no length of time"),
        ("benefits.yaml", "{account_name}", "{nickname}", "nothing to put in for nickname"),
        ("benefits.yaml", "name: benefits", "name: gifts", "it must be that of the file"),
        ("benefits.yaml", "name: benefits", "name: [", "is no YAML"),
        ("benefits.yaml", "audience: benefit_fans", "audience: nobody_knows", "nobody_knows.sql: cannot be read"),
    ],
)
def test_a_wrong_campaign_is_reported_with_file_and_place(there, tmp_path, file: str, old: str, new: str, says: str):
    path = tmp_path / "campaigns" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert says in there("outreach", "plan", "benefits", code=2)


def test_a_folder_of_campaigns_that_is_not_there(there, tmp_path):
    """An empty list would look as if nothing were due."""
    shutil.rmtree(tmp_path / "campaigns")
    for words in (("list",), ("plan", "benefits")):
        assert "there is no such folder: set DOUYIN_CAMPAIGNS_DIR" in there("outreach", *words, code=2)


def test_without_a_warehouse_and_without_credentials(douyin, tmp_path):
    from apps.cli.simulation import SANDBOX_TOKEN_KEY

    for words in (("list",), ("plan", "benefits"), ("send",), ("unknown",)):
        reported = douyin("outreach", *words)
        assert reported.exit_code == 1
        assert "No credentials are configured" in reported.stderr
    given = {
        "DOUYIN_CLIENT_KEY": "k",
        "DOUYIN_CLIENT_SECRET": "a-secret-for-this",
        "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
    }
    reported = douyin("outreach", "plan", "benefits", **given)
    assert reported.exit_code == 2
    assert "benefit_fans.sql: there is no warehouse yet: run `douyin run`" in reported.stderr
    reported = douyin("outreach", "effect", **given)
    assert reported.exit_code == 1
    assert "publish first: `douyin publish`" in reported.stderr
    assert "no plan is approved" in douyin("outreach", "send", **given).stdout


def test_subscriptions_are_brought_back(here, world):
    assert "cancelled: im_receive_msg" in here("receive", "subscribe", "im_receive_msg", "--off")
    assert "im_receive_msg" in here("receive", "subscribe")


def test_the_receiver_is_a_process_that_ends_politely(command, tmp_path):
    from apps.cli.simulation import SANDBOX_TOKEN_KEY

    command.environment |= {
        "DOUYIN_CLIENT_KEY": "k",
        "DOUYIN_CLIENT_SECRET": "a-secret-for-this",
        "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
    }
    process = command.start("receive", "--port", "18787", "--metrics-port", "18788")
    try:
        url, deadline = "http://127.0.0.1:18787", time.monotonic() + scaled(30)
        while True:
            try:
                assert httpx.get("http://127.0.0.1:18788/healthz", trust_env=False).json() == {
                    "status": "ok",
                    "apps": 1,
                }
                break
            except httpx.ConnectError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        raw = b'{"event":"new_follow_action","client_key":"k","from_user_id":"p","to_user_id":"a","content":"{}"}'
        answer = httpx.post(
            f"{url}/webhook/k",
            content=raw,
            headers={"X-Douyin-Signature": signature_of("a-secret-for-this", raw)},
            trust_env=False,
        )
        assert answer.status_code == 200
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said_ = process.communicate(timeout=scaled(20))[0]
        assert time.monotonic() - began < scaled(5)
        assert "http://127.0.0.1:18787/webhook/k" in said_
        assert "a-secret-for-this" not in said_
    finally:
        process.kill()
    assert "new_follow_action" in command("receive", "status").stdout
