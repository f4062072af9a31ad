"""Consents to messages come and go, in both modes of the list and one by one; media have URLs."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from people_requests import leads, log, media, pages
from sandbox_platform import NOW, code_of

START = datetime.fromisoformat(NOW)


def consenting(platform, account=0, limit=100):
    return [
        r["target_open_id"]
        for page in pages(platform, "im_authorize_user_list", account, limit=limit)
        for r in page["auth_user_list"] or ()
    ]


def status(platform, person, account=0):
    return int(platform.data("im_authorize_status", account, c_open_id=person)["status"])


def test_both_modes_list_the_same_people(platform):
    people = consenting(platform)
    assert len(people) == len(set(people)) > 60
    assert consenting(platform, limit=7) == people
    newest_first, number = [], 1
    while True:
        page = platform.data("im_authorize_user_list", 0, page_num=number, page_size=50)
        newest_first += [r["target_open_id"] for r in page["auth_user_list"] or ()]
        if not page["has_more"]:
            break
        number += 1
    assert newest_first == people[::-1]


def test_status_agrees_with_the_list(platform):
    people = set(consenting(platform))
    requested = [*sorted(people)[:10], *leads(platform, 0, days=14)]
    reported = {p: status(platform, p) for p in requested}
    assert set(reported.values()) == {0, 1}
    assert all((p in people) == (s == 1) for p, s in reported.items())
    whose = platform.data("im_authorize_status", 0, c_open_id=next(iter(people)))
    assert whose["enter_from"]
    assert status(platform, next(iter(people)), account=1) == 0


def test_consents_are_given_and_withdrawn(platform):
    before = consenting(platform)
    platform.at(START + timedelta(days=5))
    after = consenting(platform)
    withdrawn, new = set(before) - set(after), set(after) - set(before)
    assert withdrawn
    assert new
    assert len(withdrawn) < len(before) / 3
    assert {status(platform, p) for p in withdrawn} == {0}
    assert {status(platform, p) for p in new} == {1}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 28001007),
        ({"page_num": 1000, "page_size": 50}, 2100005),
        ({"page_num": 1, "page_size": 51}, 2100005),
        ({"page_num": 0}, 2100005),
        ({"cursor": "0", "limit": 101}, 2100005),
        ({"cursor": "first"}, 2100005),
        ({"page_num": 999, "page_size": 50}, 0),
    ],
)
def test_limits_of_the_list(platform, body, code):
    assert code_of(platform.get("im_authorize_user_list", 0, **body)) == code


def test_unknown_people_are_refused(platform):
    assert code_of(platform.get("im_authorize_status", 0, c_open_id="unknown")) == 2100006
    assert code_of(platform.get("im_authorize_status", 0)) == 28001007


def test_pictures_and_videos_have_addresses_for_a_while(platform):
    found = media(platform)
    kinds = set()
    for ids in found:
        data = platform.data("im_message_resources", **ids)
        kinds.add(data["media_type"])
        assert f"exp={int(START.timestamp()) + 3_600}" in data["url"]
    assert kinds == {"image", "video"}
    assert len({i["conversation_id"] for i in found}) > 3


def test_other_messages_have_none(platform):
    ids = media(platform)[0]
    text = next(r["body"] for r in log(platform, 0) if r["body"].get("message_type") == "text")
    for change in (
        {"message_id": text["server_message_id"], "conversation_id": text["conversation_short_id"]},
        {"conversation_id": text["conversation_short_id"]},
        {"message_id": "@msgnothing"},
        {"account": 1},
    ):
        assert code_of(platform.get("im_message_resources", **(ids | change))) == 2100006
    assert code_of(platform.get("im_message_resources", **(ids | {"message_id": ""}))) == 28001007
