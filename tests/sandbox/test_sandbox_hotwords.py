"""Hot words rise, peak and fade; lists change at the top of the hour."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

START = datetime.fromisoformat("2026-11-16T08:00:00+08:00")


def words(platform, instant):
    platform.reset(instant.isoformat())
    data = platform.data("hotsearch_sentences")
    return data["active_time"], [(r["sentence"], int(r["hot_level"])) for r in data["list"]]


def test_list_of_fifty_hottest_first(platform):
    _, rows = words(platform, START)
    assert len(rows) == len({s for s, _ in rows}) == 50
    levels = [level for _, level in rows]
    assert levels == sorted(levels, reverse=True)


def test_list_changes_at_the_top_of_the_hour(platform):
    _, early = words(platform, START + timedelta(minutes=5))
    active, late = words(platform, START + timedelta(minutes=59, seconds=59))
    assert early == late
    assert active in ("2026-11-16 08:00:37", "2026-11-16")
    _, just_before = words(platform, START + timedelta(hours=1, seconds=36))
    _, just_after = words(platform, START + timedelta(hours=1, seconds=37))
    assert just_before == early != just_after


def test_ranks_move_but_words_stay_for_some_hours(platform):
    lists = [[s for s, _ in words(platform, START + timedelta(hours=h, minutes=10))[1]] for h in range(6)]
    for before, after in itertools.pairwise(lists):
        both = set(before) & set(after)
        assert 25 <= len(both) < 50
        assert any(before.index(s) != after.index(s) for s in both)
    assert len(set(lists[0]) & set(lists[-1])) > 5


def test_words_rise_to_a_peak_and_fade(platform):
    tracks: dict[str, list[int]] = {}
    for hour in range(30):
        for sentence, level in words(platform, START + timedelta(hours=hour, minutes=10))[1]:
            tracks.setdefault(sentence, []).append(level)
    long = [t for t in tracks.values() if len(t) >= 6]
    risen = [t for t in long if 0 < t.index(max(t)) < len(t) - 1]
    assert len(tracks) > 80
    assert len(risen) > 10


def test_rising_words_over_all_pages(platform):
    platform.reset(START.isoformat())
    pages = platform.pages("hotsearch_trending_sentences", count=20)
    rows = [r for page in pages for r in page["list"]]
    assert len(pages) >= 3
    assert len(rows) == len({r["sentence"] for r in rows}) > 50
    assert {p["total"] for p in pages if "total" in p} <= {len(rows)}
    assert {int(r["label"]) for r in rows} <= {0, 1, 2, 3, 4, 5}


def test_all_labels_occur_within_a_day(platform):
    seen = set()
    for hour in range(24):
        platform.reset((START + timedelta(hours=hour)).isoformat())
        seen |= {
            int(r["label"]) for page in platform.pages("hotsearch_trending_sentences", count=50) for r in page["list"]
        }
    assert seen == {0, 1, 2, 3, 4, 5}


def test_rising_words_are_hotter_than_an_hour_ago(platform):
    platform.reset((START + timedelta(hours=1, minutes=5)).isoformat())
    top = [r["sentence"] for r in platform.data("hotsearch_trending_sentences", count=10)["list"]]
    after = dict(words(platform, START + timedelta(hours=1, minutes=5))[1])
    before = dict(words(platform, START + timedelta(minutes=5))[1])
    known = [s for s in top if s in before and s in after]
    assert known
    assert all(after[s] > before[s] for s in known)


def test_beyond_the_end_there_is_an_empty_last_page(platform):
    page = platform.data("hotsearch_trending_sentences", cursor=500, count=20)
    assert not page["list"]
    assert page["has_more"] is False


def test_videos_of_a_word(platform):
    counts, plays = [], {}
    for sentence, _ in words(platform, START + timedelta(minutes=30))[1]:
        rows = platform.data("hotsearch_videos", hot_sentence=sentence)["list"]
        assert all(sentence in r["title"] for r in rows)
        assert all(int(r["create_time"]) <= (START + timedelta(minutes=30)).timestamp() for r in rows)
        counts.append(len(rows))
        plays |= {r["item_id"]: int(r["statistics"]["play_count"]) for r in rows}
    assert min(counts) >= 4
    assert max(counts) == 8
    assert len(plays) == sum(counts)
    sentence = words(platform, START + timedelta(minutes=45))[1][0][0]
    for row in platform.data("hotsearch_videos", hot_sentence=sentence)["list"]:
        assert int(row["statistics"]["play_count"]) >= plays.get(row["item_id"], 0)


def test_word_that_is_not_hot_has_no_videos(platform):
    assert not platform.data("hotsearch_videos", hot_sentence="没有这个词")["list"]
