"""Comments, leads and other data about people: same seed and instant, same bytes, after any requests."""

from __future__ import annotations

import people_requests
import pytest

import catalog

INSTANT = "2026-11-18T14:20:05+08:00"
EARLIER, LATER = "2026-11-16T10:30:00+08:00", "2027-01-05T09:00:00+08:00"


def _ask(platform, names, instant=INSTANT) -> dict[str, list[bytes]]:
    platform.reset(instant)
    return {
        n: [platform.raw(n, **r).content for r in people_requests.requests(platform, catalog.ENDPOINTS[n])[:6]]
        for n in names
    }


@pytest.mark.slow
def test_two_servers_and_another_order_give_the_same_bytes(make_platform):
    one, other = make_platform(), make_platform(now=None, accounts=8)
    _ask(other, ("item_comment_list", "leads_user_list"), LATER)
    names = people_requests.OPERATIONS
    assert _ask(one, names) == _ask(other, names[::-1])


def test_going_back_in_time_gives_the_old_answer_again(platform):
    names = ("item_comment_list", "leads_user_list", "im_authorize_user_list", "video_search")
    before = _ask(platform, names, EARLIER)
    assert _ask(platform, names, LATER) != before
    assert _ask(platform, names, EARLIER) == before


@pytest.mark.parametrize(
    "name", ["item_comment_list", "leads_user_list", "intention_log_list", "im_authorize_user_list", "video_search"]
)
def test_another_seed_is_another_world(make_platform, name):
    one, other = _ask(make_platform(), (name,)), _ask(make_platform(seed=2), (name,))
    assert not set(one[name]) & set(other[name])
