"""People act on orders and react to messages: the world shows it, and it becomes an event."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from people_requests import leads, log
from sandbox_platform import NOW, code_of
from sandbox_receiver import wait_until
from test_sandbox_im import consenting
from test_sandbox_messages import CARD, answer_to, text
from test_sandbox_webhooks import departures

from sandbox.config import SandboxConfig

START = datetime.fromisoformat(NOW)
DEEDS = {
    "write": "im_receive_msg",
    "enter": "im_enter_direct_msg",
    "tap_card": "im_receive_msg",
    "leave_phone": "im_receive_msg",
    "opt_out": "im_receive_msg",
    "follow": "new_follow_action",
    "like": "new_video_digg",
    "consent": "im_authorize",
    "withdraw_consent": "im_authorize",
    "unauthorize": "unauthorize",
}


def detail(platform, person: str) -> dict:
    return platform.data("leads_user_detail", user_id=person)


def later(platform, seconds: float = 1) -> None:
    platform.at(START + timedelta(seconds=seconds))


def done(platform, person: str | None = None) -> list[dict]:
    """Return rows of the log since START, without the world's own events."""
    world = platform.app.world
    course = world.leads.foreseen(world.accounts[0], START.timestamp() - 60, START.timestamp() + 86_400)
    known = {(e.happening.value, str(e.at_ms)) for e in course}
    rows = [r for r in log(platform, days=0.1) if int(r["event_time"]) >= START.timestamp() * 1_000]
    return [r for r in rows if (r["event"], str(r["event_time"])) not in known and person in (None, r["open_id"])]


# ---- deeds


@pytest.mark.parametrize(("deed", "event"), DEEDS.items())
def test_each_deed_is_an_event(fresh, deed, event):
    reported = fresh.order("POST", "people", does=deed)
    assert reported["event"] == event
    assert departures(reported) == []
    account, person = fresh.open_id(), fresh.people()[-1]["person"]
    assert (reported["from_user_id"], reported["to_user_id"]) == (
        (account, "") if deed == "unauthorize" else (person, account)
    )
    later(fresh)
    assert [r["webhook"] for r in done(fresh)] == ([] if event in ("im_authorize", "unauthorize") else [reported])


def test_texts_are_given_or_made_up(fresh):
    person = fresh.people()[-1]["person"]
    assert fresh.does("write", person, text="几点开门")["content"]["text"] == "几点开门"
    assert fresh.does("write", person)["content"]["text"]
    assert fresh.does("opt_out", person)["content"]["text"] == "退订"
    assert "1380000" in fresh.does("leave_phone", person)["content"]["text"]
    fields = {f["label"]: f["value"] for f in fresh.does("tap_card", person)["content"]["card_data"]}
    assert fields["手机号"].startswith("1380000")


def test_a_lead_shows_what_it_did(fresh):
    person = next(
        p
        for p in leads(fresh, days=14)
        if not detail(fresh, p)["telephone"]
        and not detail(fresh, p)["is_follow"]
        and detail(fresh, p)["leads_level"] in (0, 1)
    )
    fresh.does("leave_phone", person)
    fresh.does("follow", person)
    later(fresh)
    now = detail(fresh, person)
    assert now["telephone"].startswith("1380000")
    assert now["is_follow"]
    assert now["leads_level"] == 2
    actions = fresh.data("leads_user_action_list", user_id=person, count=2, action_type=0)["list"]
    assert {(a["action_type"], a["action_flag"]) for a in actions} == {(1, 1), (3, 102)}
    assert leads(fresh, days=0.01) == [person]


def test_consents_show_at_once_whatever_was_to_come(fresh):
    """Also those of people who, in the world's own course, would consent or follow only later."""
    fresh.at(START - timedelta(minutes=30))
    world, instant = fresh.app.world, START.timestamp() - 1_800
    account = world.accounts[0]
    known = world.leads.known(account, instant)
    to_come = [c for c in known if c.consent and c.consent[0] > instant] or [c for c in known if c.consent is None]
    for customer in (
        to_come[0],
        next(c for c in known if c.consents(instant)),
        next(c for c in known if c.consent is None),
    ):
        person = world.people.ids.write(customer.number)
        for deed in ("consent", "withdraw_consent", "consent", "consent", "withdraw_consent", "withdraw_consent"):
            fresh.does(deed, person)
            assert int(fresh.data("im_authorize_status", c_open_id=person)["status"]) == (deed == "consent")
            assert (person in consenting(fresh)) == (deed == "consent")
        assert not next(p for p in fresh.people(limit=5_000) if p["person"] == person)["consents"]
    follower = next(
        c for c in known if (c.follows and c.follows[0] > instant) or (c.follows and c.follows[1] < instant)
    )
    person = world.people.ids.write(follower.number)
    assert not follower.is_following(instant)
    fresh.does("follow", person)
    assert next(p for p in fresh.people(limit=5_000) if p["person"] == person)["follows"]


def test_equal_deeds_of_one_instant_are_different_events(fresh):
    for deed in DEEDS:
        assert fresh.order("POST", "people", does=deed) != fresh.order("POST", "people", does=deed)


def test_who_withdraws_the_authorization_has_no_token_any_more(fresh):
    tokens, business = fresh.tokens(0), fresh.business_token(0)
    other = fresh.tokens(1)
    fresh.does("unauthorize")
    assert fresh.refusal("leads_tag_create", tag_name="新") in (28001003, 2190002)
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert code_of(fresh.oauth("oauth_refresh_token", **fresh.app_keys, **refresh)) == 10010
    assert (
        code_of(fresh.oauth("oauth_refresh_biz_token", **fresh.app_keys, refresh_token=business["biz_refresh_token"]))
        == 10010
    )
    assert other["access_token"] == fresh.tokens(1)["access_token"]
    fresh.write("leads_tag_create", 1, tag_name="新")
    fresh._tokens.clear()
    fresh.write("leads_tag_create", tag_name="新")
    fresh.order("POST", "events", event="unauthorize", account=fresh.open_id(1))
    assert fresh.refusal("leads_tag_create", 1, tag_name="又") == 0  # a new consent, requested by this client


@pytest.mark.parametrize(
    ("what", "order"),
    [
        ("people", {"does": "dance"}),
        ("people", {"x": 1}),
        ("people", {"does": ["write"]}),
        ("people", {"does": "write", "account": "unknown"}),
        ("people", {"does": "write", "account": 5}),
        ("people", {"does": "write", "person": "unknown"}),
        ("people", {"does": "write", "person": 5}),
        ("people", {"does": "write", "text": 5}),
        ("people", {"does": "write", "client_key": "unknown"}),
        ("people", {"does": "write", "client_key": ["x"]}),
        ("events", {"event": "nothing"}),
        ("events", {"x": 1}),
        ("events", {"event": "enter_im", "content": "x"}),
        ("events", {"event": "enter_im", "person": 5}),
        ("events", {"event": "enter_im", "as_text": "yes"}),
        ("events", {"event": ["enter_im"]}),
    ],
    ids=str,
)
def test_wrong_orders_are_refused(platform, what, order):
    assert platform.order("POST", what, 400, **order)["error"]
    foreign = platform.people(account=1)[-1]["person"]
    assert platform.order("POST", "people", 400, does="write", account=platform.open_id(0), person=foreign)["error"]


def test_what_was_done_is_forgotten(fresh, receiver):
    before = fresh.people(limit=10_000)
    fresh.order("PUT", "webhooks", url=receiver.url)
    for deed in ("write", "withdraw_consent", "consent"):
        event = fresh.does(deed)
    fresh.write("leads_tag_delete", tag_id=101)
    fresh.write("im_send_msg", **answer_to(fresh.does("write", event["from_user_id"])))
    assert fresh.people(limit=10_000) != before
    assert fresh.order("DELETE", "people") == []
    assert fresh.people(limit=10_000) == before
    assert fresh.messages() == []
    later(fresh)
    assert done(fresh) == []
    assert fresh.order("GET", "webhooks")["delivery"]["url"] == receiver.url
    fresh.does("follow")
    wait_until(lambda: "new_follow_action" in receiver.events())


def test_people_are_listed(platform):
    everybody, some = platform.people(limit=10_000), platform.people(limit=3)
    assert some == everybody[-3:]
    assert len(everybody) > 100
    for query in ("limit=0", "limit=x", "account=unknown", "client_key=unknown"):
        assert platform.order("GET", f"people?{query}", 400)["error"]


# ---- reactions


def sandbox_that_answers(make_platform, delay: float = 0, **rates: float):
    return make_platform(answers=tuple(rates.items()), answer_delay_s=delay)


def send_to_all(platform, number: int = 40) -> list[str]:
    """Reply to messages of the newest people; return their ids."""
    people = [p["person"] for p in platform.people(limit=number)]
    for person in people:
        platform.write("im_send_msg", **answer_to(platform.does("write", person, text="你好，想问一下")))
    return people


def answers(platform, people: list[str], after: float = 1) -> dict[str, list[str]]:
    """Return what each person did after a message: text, or event."""
    later(platform, after)
    found: dict[str, list[str]] = {p: [] for p in people}
    for row in done(platform):
        if row["event"] != "im_send_msg" and row["body"].get("text") != "你好，想问一下":
            found[row["open_id"]].append(row["body"].get("text") or row["body"].get("message_type") or row["event"])
    return found


def test_people_answer_at_the_configured_rates(make_platform):
    platform = sandbox_that_answers(make_platform, enter=0.5, leave_phone=0.25)
    found = answers(platform, send_to_all(platform, 60))
    entered = sum("im_enter_direct_msg" in a for a in found.values())
    phones = sum(any("1380000" in x for x in a) for a in found.values())
    assert 18 <= entered <= 42
    assert 6 <= phones <= 25


def test_answers_follow_from_the_seed(make_platform):
    first, again = (sandbox_that_answers(make_platform, write=0.4, enter=0.3) for _ in range(2))
    assert answers(first, send_to_all(first)) == answers(again, send_to_all(again))


def test_people_answer_only_when_configured(fresh):
    assert not any(answers(fresh, send_to_all(fresh, 10)).values())


def test_who_opts_out_does_nothing_else(make_platform):
    platform = sandbox_that_answers(make_platform, opt_out=1, write=1, enter=1)
    assert set(map(tuple, answers(platform, send_to_all(platform, 5)).values())) == {("退订",)}


def test_proactive_messages_are_answered_too(make_platform):
    platform = sandbox_that_answers(make_platform, write=1, tap_card=1)
    person = platform.people()[-1]["person"]
    platform.does("consent", person)
    platform.write("im_send_msg", to_user_id=person, scene="im_authorize_message", content_list=[text(), CARD])
    assert answers(platform, [person])[person] == ["在吗", "retain_consult_card"]


def test_answers_take_their_time_on_the_sandboxs_clock(make_platform, receiver):
    platform = sandbox_that_answers(make_platform, 600, leave_phone=1)
    platform.order("PUT", "webhooks", url=receiver.url)
    people = send_to_all(platform, 20)
    early = answers(platform, people, 299)
    assert not any(early.values())
    half = answers(platform, people, 600)
    assert 0 < sum(map(bool, half.values())) < 20
    times = Counter(len(a) for a in answers(platform, people, 901).values())
    assert times == {1: 20}
    came = [int(r["event_time"]) for r in done(platform) if "1380000" in str(r["body"].get("text"))]
    assert len(set(came)) == 20
    assert all(START.timestamp() + 300 <= at / 1_000 <= START.timestamp() + 900 for at in came)


def test_an_answer_opens_a_window(make_platform):
    platform = sandbox_that_answers(make_platform, write=1)
    (person,) = send_to_all(platform, 1)
    later(platform)
    row = [r for r in done(platform, person) if r["event"] == "im_receive_msg"][-1]
    platform.write("im_send_msg", **answer_to({"from_user_id": person, "content": row["body"]}))


@pytest.mark.parametrize(
    "settings",
    [
        {"answers": (("dance", 0.5),)},
        {"answers": (("write", 1.5),)},
        {"answers": (("write", -1),)},
        {"answer_delay_s": -1},
    ],
)
def test_wrong_settings_are_refused(settings):
    with pytest.raises(ValueError, match="answers are shares"):
        SandboxConfig(**settings)
