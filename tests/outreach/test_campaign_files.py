"""Every campaign file of the repository is valid, and each error names file and place."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
import yaml

from catalog.messages import Scene
from resources.config.settings import Settings
from resources.runtime import Runtime
from services.outreach.audiences import BadAudience, audience_files, read_audience
from services.outreach.campaigns import (
    BadCampaign,
    campaign_files,
    load_campaign,
    load_campaigns,
    load_replies,
    load_tags,
    load_timetable,
)

HERE = Settings(_env_file=None)
FILES = sorted(campaign_files(HERE))
TEXT = {"type": "text", "text": "您好"}
CARD = {"type": "mini_app_card", "card_template_id": "card"}
GOOD = {"name": "hello", "title": "问候", "owner": "team", "audience": "people", "messages": [TEXT]}
COMMENT = {"name": "hello", "title": "问候", "owner": "team", "audience": "people", "kind": "comment", "text": "谢谢"}


@pytest.fixture
def folder(tmp_path: Path):
    """``folder("hello.yaml", {...})`` writes a file and gives settings that read it."""

    def write(name: str, document: object) -> Settings:
        text = document if isinstance(document, str) else yaml.safe_dump(document, allow_unicode=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return Settings(_env_file=None, campaigns_dir=tmp_path)

    return write


# --------------------------------------------------------------------------- the repository's own


def test_every_campaign_of_the_repository_can_be_used():
    campaigns = load_campaigns(HERE)
    assert {f"{name}.yaml" for name in campaigns} | {"replies.yaml", "tags.yaml", "timetable.yaml"} == set(FILES)
    audiences = {p.stem for p in audience_files(HERE).values()}
    assert {c.audience for c in campaigns.values()} | {t.audience for t in load_tags(HERE).tags} == audiences
    for campaign in campaigns.values():
        assert campaign.when.live is None or load_timetable(HERE, campaign.when.live.timetable) == []
        assert campaign.kind == "comment" or campaign.control_share > 0, (
            "without a control group nothing can be said of the effect"
        )
    assert load_replies(HERE).rules[0].opt_out, "whoever wants to be left alone comes before every other rule"


@pytest.mark.parametrize("name", FILES)
def test_files_say_what_they_are_for(name: str):
    assert campaign_files(HERE)[name].read_text(encoding="utf-8").startswith("# ")


# --------------------------------------------------------------------------- what words mean


def test_words_mean_what_people_mean(folder):
    """Times need no quotes, and ``on`` is text."""
    settings = folder(
        "replies.yaml",
        "quiet: {from: 23:30, until: 8:00}\nafter_by_hand: 45s\nrules:\n  - name: hi\n    on: "
        "[im_enter_direct_msg]\n    messages: [{type: text, text: on}]\n",
    )
    replies = load_replies(settings)
    assert replies.quiet_hours == (time(23, 30), time(8, 0))
    assert replies.after_by_hand == timedelta(seconds=45)
    assert (replies.rules[0].on, replies.rules[0].messages[0]["text"]) == (["im_enter_direct_msg"], "on")


def test_without_further_words_a_campaign_is_by_hand_and_once_for_ever(folder):
    campaign = load_campaign(folder("hello.yaml", GOOD), "hello")
    assert (campaign.when.daily, campaign.when.live, campaign.again_after) == (None, None, None)
    assert campaign.caps.per_person_per_day == 1
    assert campaign.usable_scenes == [Scene.REPLY], "a proactive message needs a card"


def test_a_scene_that_cannot_take_the_messages_is_left_out(folder):
    two = folder("hello.yaml", GOOD | {"messages": [TEXT, CARD], "scenes": ["enterprise", "im_authorize_message"]})
    assert load_campaign(two, "hello").usable_scenes == [Scene.CONSENT]


def test_sessions_are_in_beijing_and_in_order_of_time(folder):
    late, early = (
        {"account": "a", "starts_at": at, "title": "t"} for at in ("2026-11-23 20:00", "2026-11-22T12:00:00+00:00")
    )
    sessions = load_timetable(folder("timetable.yaml", {"sessions": [late, early]}), "timetable.yaml")
    assert [s.starts_at for s in sessions] == [
        datetime.fromisoformat(t) for t in ("2026-11-22T20:00:00+08:00", "2026-11-23T20:00:00+08:00")
    ]


# --------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (GOOD | {"massages": [TEXT]}, "massages: Extra inputs are not permitted"),
        ({k: v for k, v in GOOD.items() if k != "owner"}, "owner: Field required"),
        (GOOD | {"name": "Hello!"}, "name: String should match pattern"),
        (GOOD | {"audience": "../other"}, "audience: String should match pattern"),
        (GOOD | {"messages": []}, "a campaign of kind message has messages and no text"),
        (GOOD | {"text": "您好"}, "a campaign of kind message has messages and no text"),
        (GOOD | {"messages": [{"type": "text"}]}, "messages: a message of type text needs text"),
        (GOOD | {"messages": [{"text": "您好"}]}, "messages: type None is none of text, image"),
        (GOOD | {"messages": [TEXT | {"link": "x"}]}, "a message of type text has no member link; it has text"),
        (GOOD | {"messages": [{"type": "text", "text": 5}]}, "text of a message of type text is a text, not 5"),
        (
            GOOD | {"messages": [{"type": "coupon", "activity_id": "1", "coupon_meta_id": 2}]},
            "activity_id of a message of type coupon is a whole number, not '1'",
        ),
        (
            GOOD | {"messages": [{"type": "text", "text": "长" * 1001}]},
            "the text has 1001 characters; 1000 is the most",
        ),
        (GOOD | {"messages": [{"type": "text", "text": "{名字"}]}, "write {{ for a brace"),
        (GOOD | {"messages": [{"type": "text", "text": "{a.b}"}]}, "{a.b} is no plain name"),
        (GOOD | {"scenes": ["by_pigeon"]}, "scenes.0: Input should be 'im_reply_msg'"),
        (GOOD | {"scenes": []}, "name at least one scene"),
        (
            GOOD | {"scenes": ["im_authorize_message"]},
            "im_authorize_message must contain a message of type mini_app_card",
        ),
        (
            GOOD | {"messages": [TEXT] * 4, "scenes": ["im_enter_direct_msg"]},
            "4 messages in one call; im_enter_direct_msg takes 3 at most",
        ),
        (GOOD | {"messages": [CARD], "scenes": ["enterprise"]}, "texts and images only"),
        (GOOD | {"when": {"daily": "noon"}}, "when.daily: 'noon' is no time of day"),
        (GOOD | {"when": {"daily": "24:00"}}, "when.daily: '24:00' is no time of day"),
        (
            GOOD | {"when": {"daily": "10:00", "live": {"timetable": "t.yaml", "before": "2h"}}},
            "daily and live exclude each other",
        ),
        (
            GOOD | {"when": {"live": {"timetable": "t.yaml", "before": "two hours"}}},
            "when.live.before: 'two hours' is no length of time",
        ),
        (GOOD | {"quiet": {"from": "21:30"}}, "quiet.until: Field required"),
        (GOOD | {"again_after": 14}, "again_after: 14 is no length of time: write 30s, 30m, 12h or 7d"),
        (GOOD | {"good_for": "-1h"}, "good_for: '-1h' is no length of time"),
        (GOOD | {"caps": {"per_person_per_day": 0}}, "caps.per_person_per_day: Input should be greater than 0"),
        (GOOD | {"caps": {"per_week": 1}}, "caps.per_week: Extra inputs are not permitted"),
        (GOOD | {"control_share": 0.9}, "control_share: Input should be less than or equal to 0.5"),
        (GOOD | {"effect_hours": 0}, "effect_hours: Input should be greater than 0"),
        (COMMENT | {"text": ""}, "a campaign of kind comment has a text and no messages"),
        (COMMENT | {"messages": [TEXT]}, "a campaign of kind comment has a text and no messages"),
        (COMMENT | {"text": "谢谢 {name"}, "write {{ for a brace"),
        (COMMENT | {"door": "back"}, "door: Input should be 'item' or 'video'"),
        ([GOOD], "must hold names and values"),
        ("name: [", "is no YAML"),
        ("", "must hold names and values"),
    ],
)
def test_a_wrong_campaign(folder, document: object, says: str):
    with pytest.raises(BadCampaign) as reported:
        load_campaign(folder("hello.yaml", document), "hello")
    assert "hello.yaml" in str(reported.value)
    assert says in str(reported.value)


def test_all_mistakes_of_a_file_are_reported_at_once(folder):
    with pytest.raises(BadCampaign) as reported:
        load_campaign(
            folder("hello.yaml", GOOD | {"titel": "x", "effect_hours": 0, "quiet": {"from": "9", "until": "10"}}),
            "hello",
        )
    assert all(place in str(reported.value) for place in ("titel: ", "effect_hours: ", "quiet.from: ", "quiet.until: "))


def test_a_name_that_is_not_that_of_its_file_and_one_that_is_not_there(folder):
    settings = folder("other.yaml", GOOD)
    with pytest.raises(BadCampaign, match="it must be that of the file, 'other'"):
        load_campaigns(settings)
    with pytest.raises(
        BadCampaign, match=r"no campaign is called 'nothing' in .*; there are answer_questions, benefits, "
    ):
        load_campaign(HERE, "nothing")


RULE = {"name": "hi", "messages": [TEXT]}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"rules": [RULE, RULE]}, "two rules are called hi"),
        ({"rules": [{"name": "hi"}]}, "rules.0: a rule sends messages, hands over, or opts out"),
        (
            {"rules": [RULE | {"on": ["im_send_msg"]}]},
            "rules.0.on: im_send_msg cannot be answered; im_receive_msg, im_enter_direct_msg can",
        ),
        (
            {"rules": [RULE | {"on": ["im_enter_direct_msg"], "messages": [TEXT] * 4}]},
            "im_enter_direct_msg takes 3 at most",
        ),
        (
            {"rules": [RULE | {"messages": [{"type": "text", "text": "{account_name}"}]}]},
            "account_name: an answer knows nickname only",
        ),
        ({"rules": [RULE | {"keyword": ["x"]}]}, "rules.0.keyword: Extra inputs are not permitted"),
        ({"rules": [RULE | {"hand_over": "soon"}]}, "rules.0.hand_over: 'soon' is no length of time"),
        ({"rules": [RULE], "most_per_hour": 0}, "most_per_hour: Input should be greater than 0"),
        ({"rules": [RULE], "quiet": {"from": "23:00", "until": "8"}}, "quiet.until: '8' is no time of day"),
        ({"quiet": None}, "rules: Field required"),
    ],
)
def test_wrong_rules(folder, document: object, says: str):
    with pytest.raises(BadCampaign) as reported:
        load_replies(folder("replies.yaml", document))
    assert "replies.yaml" in str(reported.value)
    assert says in str(reported.value)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"owner": "x", "tags": [{"name": "a", "audience": "p"}, {"name": "a", "audience": "q"}]}, "named twice: a"),
        ({"owner": "x", "tags": [{"name": "a", "audience": "p"}], "remove": ["a"]}, "named twice: a"),
        (
            {"owner": "x", "tags": [{"name": "", "audience": "p"}]},
            "tags.0.name: String should have at least 1 character",
        ),
        ({"owner": "x", "tags": [{"name": "a"}]}, "tags.0.audience: Field required"),
    ],
)
def test_wrong_tags(folder, document: object, says: str):
    with pytest.raises(BadCampaign) as reported:
        load_tags(folder("tags.yaml", document))
    assert "tags.yaml" in str(reported.value)
    assert says in str(reported.value)


def test_wrong_timetables(folder):
    settings = folder("timetable.yaml", {"sessions": [{"account": "a", "starts_at": "tonight", "title": "t"}]})
    with pytest.raises(BadCampaign, match=r"sessions\.0\.starts_at: "):
        load_timetable(settings, "timetable.yaml")
    with pytest.raises(BadCampaign, match=r"nothing\.yaml: cannot be read \(No such file or directory\)"):
        load_timetable(settings, "nothing.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT content AS account, 'p' AS open_id, 'r' AS reason FROM read_text('{folder}/secret.txt')",
        "COPY (SELECT 1) TO 'out.csv'",
        "SELECT 1; SELECT 2",
        "SET threads = 1",
        "FROM runtime",
        "SELECT '\xb5",
    ],
)
def test_an_audience_is_one_select_over_the_warehouse(tmp_path, text: str):
    import duckdb

    (tmp_path / "secret.txt").write_text("a")
    (tmp_path / "bad.sql").write_text(text.replace("{folder}", str(tmp_path)), encoding="latin-1")
    duckdb.connect(str(tmp_path / "warehouse.duckdb")).close()
    runtime = Runtime(Settings(_env_file=None, home=tmp_path, audiences_dir=tmp_path))
    with pytest.raises(BadAudience, match=r"bad\.sql"):
        read_audience(runtime, "bad", {"a": "app"})
    assert not Path("out.csv").exists()
