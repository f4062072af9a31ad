"""Same seed and instant, same bytes; the order of requests and restarts do not matter."""

from __future__ import annotations

import people_requests
import pytest

from catalog import ENDPOINTS

INSTANT = "2026-11-18T14:20:05+08:00"


def _ask_everything(platform, names) -> dict[str, bytes]:
    platform.reset(INSTANT)
    item_id = next(v["item_id"] for v in platform.videos(1) if int(v["create_time"]))
    sentence = platform.data("hotsearch_sentences")["list"][4]["sentence"]
    values = {"item_id": item_id, "date_type": 15, "count": 20, "hot_sentence": sentence}
    return {
        n: platform.raw(n, 1, **{p.name: values[p.name] for p in ENDPOINTS[n].params if p.name in values}).content
        for n in names
    }


@pytest.fixture
def names():
    others = [n for n, e in ENDPOINTS.items() if e.domain != "billboard" and n not in people_requests.OPERATIONS]
    return [*others, "billboard_food_overall", "billboard_hot_video", "billboard_topic"]


def test_two_servers_and_another_order_give_the_same_bytes(make_platform, names):
    one, other = make_platform(), make_platform(now=None)
    assert _ask_everything(one, names) == _ask_everything(other, names[::-1])


def test_another_seed_is_another_world(make_platform, names):
    one, other = _ask_everything(make_platform(), names), _ask_everything(make_platform(seed=2), names)
    assert all(one[n] != other[n] for n in names)


def test_going_back_in_time_gives_the_old_answer_again(platform):
    before = platform.raw("user_fans", 0, date_type=30).content
    platform.at("2027-03-01T12:00:00+08:00")
    assert platform.raw("user_fans", 0, token=platform.accounts()[0]["code"], date_type=30).content != before
    platform.at("2026-11-16T10:30:00+08:00")
    assert platform.raw("user_fans", 0, date_type=30).content == before


def test_the_number_of_accounts_does_not_change_an_account(make_platform):
    few, many = make_platform(accounts=2), make_platform(accounts=20)
    assert few.videos(1) == many.videos(1)
