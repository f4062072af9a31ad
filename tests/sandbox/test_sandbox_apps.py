"""Several apps in one sandbox: the same world, with ids and tokens of each app's own."""

from __future__ import annotations

import json

import people_requests
import pytest
from sandbox_platform import APP, NOW, Platform, code_of

OTHER = {"client_key": "other-key", "client_secret": "other-secret"}
INVALID = {28001003, 2190002}


@pytest.fixture
def pair(make_platform):
    """(the first app, another app of the same sandbox)."""
    first = make_platform(apps=(("other-key", "other-secret"),))
    other = Platform(first.handle, OTHER)
    yield first, other
    other.close()


def _ids(platform) -> dict[str, set[str]]:
    """Ids of accounts, videos, people, comments, messages and found videos."""
    videos = people_requests.shown(platform)
    log = [r["body"] for r in people_requests.log(platform, 0)]
    comments = people_requests.comments(platform, 0, videos[0]["item_id"])
    return {
        "accounts": {a["open_id"] for a in platform.accounts()},
        "videos": {v["item_id"] for v in videos},
        "people": {*people_requests.leads(platform, 0), *(c["comment_user_id"] for c in comments)},
        "comments": {c["comment_id"] for c in comments},
        "messages": {str(b.get("server_message_id", "")) for b in log} - {""},
        "conversations": {str(b.get("conversation_short_id", "")) for b in log} - {""},
        "found": {v["sec_item_id"] for v in platform.data("video_search", 0, keyword="露营", count=20)["list"]},
    }


def test_ids_differ_and_are_as_many(pair):
    first, other = (_ids(p) for p in pair)
    for what in first:
        assert first[what], what
        assert len(first[what]) == len(other[what]), what
        assert not first[what] & other[what], what


def test_everything_but_ids_is_the_same(pair):
    first, other = pair
    assert [(a["name"], a["fans"]) for a in first.accounts()] == [(a["name"], a["fans"]) for a in other.accounts()]
    one, two = ([(v["title"], int(v["statistics"]["play_count"])) for v in p.videos(1)] for p in pair)
    assert one == two
    one, two = (
        [
            (c["content"], c["digg_count"])
            for c in people_requests.comments(p, 1, people_requests.shown(p, 1)[0]["item_id"])
        ]
        for p in pair
    )
    assert one == two


def test_the_first_app_is_as_if_it_were_alone(make_platform, pair):
    assert [a["open_id"] for a in make_platform().accounts()] == [a["open_id"] for a in pair[0].accounts()]


def test_tokens_are_of_no_use_in_the_other_app(pair):
    first, other = pair
    theirs = other.tokens(0)
    assert code_of(first.get("user_fans", 0, open_id=theirs["open_id"], date_type=7)) in INVALID
    assert code_of(first.get("poi_claim_list", open_id=theirs["open_id"], count=5)) in INVALID
    for secret, code in (({}, 10010), (OTHER, 0)):
        body = first.oauth(
            "oauth_refresh_token", **(APP | secret), grant_type="refresh_token", refresh_token=theirs["refresh_token"]
        )
        assert code_of(body) == code
    code = other.accounts()[1]["code"]
    assert code_of(first.redeem(code)) == 10007
    assert code_of(other.redeem(code)) == 0
    assert code_of(first.oauth("oauth_business_token", **APP, open_id=theirs["open_id"])) == 10002


def test_ids_of_the_other_app_are_unknown(pair):
    first, other = pair
    item_id = people_requests.shown(other)[0]["item_id"]
    assert code_of(first.get("item_base", 0, item_id=item_id)) == 2100006
    assert code_of(other.get("item_base", 0, item_id=item_id)) == 0
    person = people_requests.leads(other)[0]
    assert code_of(first.get("leads_user_detail", 0, user_id=person)) == 2100006


def test_webhooks_name_their_app(pair):
    for platform in pair:
        rows = people_requests.log(platform, 0)
        assert {json.loads(r["content"])["client_key"] for r in rows} == {platform.app_keys["client_key"]}


def test_limits_are_counted_per_app(make_platform):
    first = make_platform(per_day=2, apps=(("other-key", "other-secret"),))
    other = Platform(first.handle, OTHER)
    assert [code_of(first.get("hotsearch_sentences")) for _ in range(3)] == [0, 0, 28003017]
    assert code_of(other.get("hotsearch_sentences")) == 0
    other.close()


def test_unknown_apps(pair):
    first, _ = pair
    assert first.http.get("/_sandbox/accounts", params={"client_key": "unknown"}).status_code == 400
    assert (
        code_of(
            first.oauth("oauth_client_token", client_key="unknown", client_secret="x", grant_type="client_credential")
        )
        == 10003
    )
    assert (
        code_of(
            first.oauth(
                "oauth_client_token",
                client_key="other-key",
                client_secret="sandbox-secret",
                grant_type="client_credential",
            )
        )
        == 10013
    )
    first.reset(NOW)
