"""Generate a year of core tables as numpy and pyarrow columns: plausible values from a fixed seed.

Tables come a day at a time, and the same day has the same values. Each account publishes a video every third day and
lists its newest thirty. A video's plays follow one curve, so totals and the daily series agree with each other. The
last three days of a series are still a little low, as on the platform, and are corrected by the next run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pyarrow as pa

from benchmarks.big_words import HEX, PLACES, make_place_ids, random_strings
from benchmarks.big_world import (
    COMMENTS,
    EVERY,
    LEADS,
    LISTED,
    MESSAGES,
    PERSONS,
    World,
    beijing_at,
    epoch_s,
    rows_of,
    sorted_rows,
)
from sandbox import vocabulary

SERIES_AGE = 30
"""Videos up to this age have a daily series."""
CORRECTED = 3
"""So many days of a series still grow."""
MUSIC, POI_KINDS = ("hot", "soar", "original"), tuple(range(10, 21))
BOARDS = tuple(
    f"{category}_{kind}" for category in vocabulary.CATEGORIES for kind in ("overall", "local", "new", "craft")
)[:31]
DIMENSIONS = {
    "province": vocabulary.PROVINCES,
    "device": vocabulary.DEVICES[:8],
    "interest": vocabulary.INTERESTS,
    "age": ("1-23", "24-30", "31-40", "41-50", "50-"),
    "gender": ("1", "2"),
    "active_days": ("0~4", "5~8", "9~12", "13~16", "17~20", "20+"),
}


def observed(world: World, dt: date) -> Iterator[tuple[str, pa.Table]]:
    """Yield tables whose partition is the day of observation: snapshots, listings, events."""
    rng = np.random.default_rng([world.seed, dt.toordinal()])
    yield from _videos(world, dt)
    yield "comments", _comments(world, dt, rng)
    yield from _people(world, dt, rng)
    yield (
        "account_profiles",
        rows_of(
            "account_profiles",
            dt,
            beijing_at(dt, 10.75),
            "oauth_userinfo",
            world.size,
            open_id=world.accounts,
            nickname=world.nicknames,
        ),
    )
    yield "fans_distributions", _fans(world, dt)
    yield from _hot_words(world, dt, rng)
    yield from _billboards(world, dt)
    places = np.arange(PLACES)
    yield (
        "poi_claims",
        sorted_rows(
            "poi_claims",
            rows_of(
                "poi_claims",
                dt,
                beijing_at(dt, 10.75),
                "poi_claim_list",
                PLACES,
                open_id=world.accounts.take(pa.array(places % world.size)),
                poi_id=make_place_ids(),
                poi_name=[f"{vocabulary.NAME_HEADS[n % 32]}{vocabulary.EVENTS[n % 20]}店{n}" for n in places],
                address=[f"望湖路{n}号" for n in places],
            ),
        ),
    )
    if dt.weekday() == 0:
        yield "ent_ranks", _ent_ranks(world, dt)


def series(world: World, stat_date: date, seen_on: date) -> Iterator[tuple[str, pa.Table]]:
    """Yield tables whose partition is the platform's day, as known on ``seen_on`` at noon."""
    rng = np.random.default_rng([world.seed, stat_date.toordinal(), 1])
    behind = (seen_on - stat_date).days - 1
    known = 1 - 0.02 * max(0, CORRECTED - behind)
    seen = beijing_at(min(seen_on, stat_date + timedelta(days=1 + CORRECTED)), 11)
    row, video, age = _listed(world, stat_date, SERIES_AGE // EVERY)
    plays = _plays_of_day(world, row, video, age) * known
    for name, column, share in (
        ("item_play", "plays", 1.0),
        ("item_like", "likes", 0.03),
        ("item_comment", "comments", 0.004),
        ("item_share", "shares", 0.006),
    ):
        yield (
            name,
            rows_of(
                name,
                stat_date,
                seen,
                name,
                len(row),
                open_id=world.accounts.take(pa.array(row)),
                item_id=_item_ids(world, row, video),
                stat_date=stat_date,
                **{column: (plays * share).astype(np.int64)},
            ),
        )
    n, day = world.size, (stat_date - world.first).days
    total = np.bincount(row, plays, n)
    for name, columns in {
        "user_item": {
            "new_issue": (rng.random(n) < 1 / EVERY).astype(np.int64),
            "new_play": total.astype(np.int64),
            "total_issue": np.full(n, day // EVERY + 60),
        },
        "user_fans": {
            "new_fans": (world.fans * 0.002 * known).astype(np.int64),
            "total_fans": (world.fans * (1 + 0.0018 * day) * (0.98 + 0.02 * known)).astype(np.int64),
        },
        "user_like": {"new_like": (total * 0.03).astype(np.int64)},
        "user_comment": {"new_comment": (total * 0.004).astype(np.int64)},
        "user_share": {"new_share": (total * 0.006).astype(np.int64)},
        "user_profile": {"profile_uv": (total * 0.01).astype(np.int64)},
    }.items():
        yield name, rows_of(name, stat_date, seen, name, n, open_id=world.accounts, stat_date=stat_date, **columns)
    shown = rng.poisson(400 * known, PLACES)
    yield (
        "poi_views",
        rows_of(
            "poi_views",
            stat_date,
            seen,
            "poi_base",
            PLACES,
            poi_id=make_place_ids(),
            stat_date=stat_date,
            detail_views=shown,
        ),
    )
    yield (
        "poi_services",
        rows_of(
            "poi_services",
            stat_date,
            seen,
            "poi_service_base",
            PLACES,
            poi_id=make_place_ids(),
            stat_date=stat_date,
            exposure_uv=shown * 3,
            click_uv=shown // 2,
            order_count=shown // 20,
        ),
    )


# ------------------------------------------------------------------ tables of accounts


def _listed(world: World, dt: date, newest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return account, number and age in days of each account's newest videos, by open_id and item_id."""
    day = (dt - world.first).days + LISTED * EVERY
    offset = np.arange(world.size) % EVERY
    last = (day - offset) // EVERY
    video = last[:, None] - np.arange(newest)[None, :]
    row = np.repeat(np.arange(world.size), newest)
    age = (day - offset[:, None] - video * EVERY).ravel()
    video = video.ravel()
    order = np.lexsort((world.item_rank[row, video], row))
    return row[order], video[order], age[order]


def _item_ids(world: World, row: np.ndarray, video: np.ndarray) -> pa.Array:
    return world.items.take(pa.array(row * world.item_rank.shape[1] + video))


def _until(world: World, row: np.ndarray, video: np.ndarray, age: np.ndarray) -> np.ndarray:
    return np.floor(world.reach[row, video] * (1 - np.exp(-np.maximum(age, 0) / world.fade[row, video])))


def _plays_of_day(world: World, row: np.ndarray, video: np.ndarray, age: np.ndarray) -> np.ndarray:
    return _until(world, row, video, age + 1) - _until(world, row, video, age)


def _videos(world: World, dt: date) -> Iterator[tuple[str, pa.Table]]:
    row, video, age = _listed(world, dt, LISTED)
    n, seen = len(row), beijing_at(dt, 10.75)
    about = {"open_id": world.accounts.take(pa.array(row)), "item_id": _item_ids(world, row, video)}
    plays = _until(world, row, video, age + 0.45)
    counts = {
        "play_count": plays,
        "digg_count": plays * 0.03,
        "comment_count": plays * 0.004,
        "share_count": plays * 0.006,
        "forward_count": plays * 0.001,
        "download_count": plays * 0.002,
    }
    yield (
        "video_totals",
        rows_of(
            "video_totals", dt, seen, "video_list", n, **about, **{k: v.astype(np.int64) for k, v in counts.items()}
        ),
    )
    midnight = epoch_s(datetime.combine(dt, time(), UTC)) - 8 * 3600
    created = (midnight - age.astype(np.int64) * 86400 + world.published_s[row, video]) * 1_000_000
    created = np.minimum(created, epoch_s(seen) * 1_000_000)
    yield (
        "videos",
        rows_of(
            "videos",
            dt,
            seen,
            "video_list",
            n,
            **about,
            title=world.titles.take(pa.array(world.title_of[row, video])),
            cover_url="https://p2-sign.example.cn/obj/cover.jpeg",
            created_at=pa.array(created, pa.timestamp("us", "UTC")),
            is_reviewed=True,
            is_top=False,
            video_status=5,
            media_type=4,
        ),
    )


def _comments(world: World, dt: date, rng: np.random.Generator) -> pa.Table:
    row, video, _ = _listed(world, dt, 10)
    n = world.size * COMMENTS
    which = np.sort(rng.integers(0, len(row), n))
    seen = beijing_at(dt, 11.5)
    age_s = np.where(rng.random(n) < 0.95, rng.uniform(0, 86400, n), rng.uniform(86400, 2 * 86400, n))
    people = rng.integers(0, len(world.persons), n)
    return sorted_rows(
        "comments",
        rows_of(
            "comments",
            dt,
            seen,
            "item_comment_list",
            n,
            open_id=world.accounts.take(pa.array(row[which])),
            item_id=_item_ids(world, row[which], video[which]),
            comment_id=random_strings(rng, n, 32, HEX),
            commenter_open_id=world.persons.take(pa.array(people)),
            content=world.texts.take(pa.array(rng.integers(0, len(world.texts), n))),
            created_at=pa.array(((epoch_s(seen) - age_s) * 1e6).astype(np.int64), pa.timestamp("us", "UTC")),
            is_top=False,
            digg_count=rng.geometric(0.5, n) - 1,
            reply_count=rng.geometric(0.8, n) - 1,
            nickname=world.nicknames.take(pa.array(people % world.size)),
        ),
    )


def _people(world: World, dt: date, rng: np.random.Generator) -> Iterator[tuple[str, pa.Table]]:
    seen = beijing_at(dt, 11.5)
    row = np.repeat(np.arange(world.size), LEADS)
    start = rng.integers(0, PERSONS, world.size)[row]
    person = (start + np.tile(np.arange(LEADS), world.size) * 7) % PERSONS
    order = np.lexsort((person, row))
    row, person = row[order], person[order]
    n = len(row)
    who = world.persons.take(pa.array(row * PERSONS + person))
    of = world.accounts.take(pa.array(row))
    acted = pa.array(((epoch_s(seen) - rng.integers(0, 86400, n)) * 1_000_000), pa.timestamp("us", "UTC"))
    sources = np.array(["主页", "视频", "直播", "橱窗", ""])
    yield (
        "lead_actions",
        rows_of(
            "lead_actions",
            dt,
            seen,
            "leads_user_action_list",
            n,
            open_id=of,
            lead_open_id=who,
            action_at=acted,
            action_type=rng.integers(1, 6, n),
            action_flag=rng.integers(1, 4, n),
            action_source=sources[rng.integers(0, 5, n)],
        ),
    )
    phone = np.where(rng.random(n) < 0.1, "13800000000", "")
    yield (
        "leads",
        rows_of(
            "leads",
            dt,
            seen,
            "leads_user_detail",
            n,
            open_id=of,
            lead_open_id=who,
            nickname="示例",
            telephone=phone,
            wechat="",
            city=np.array(vocabulary.PLACES)[rng.integers(0, 40, n)],
            gender=rng.integers(0, 3, n),
            age=rng.integers(16, 60, n),
            leads_level=rng.integers(0, 4, n),
            is_follow=rng.random(n) < 0.4,
        ),
    )
    for name, each in (("im_messages", MESSAGES), ("im_entries", 1)):
        n = world.size * each
        row = np.repeat(np.arange(world.size), each)
        person = rng.integers(0, PERSONS, n)
        at = pa.array((epoch_s(seen) - rng.integers(0, 86400 // 2, n)) * 1_000_000, pa.timestamp("us", "UTC"))
        is_in = rng.random(n) < 0.6
        more = (
            {
                "message_type": "text",
                "message_text": "在吗",
                "source_app": pa.array(np.where(is_in, None, ""), pa.string()),
                "event": np.where(is_in, "im_receive_msg", "im_send_msg"),
            }
            if name == "im_messages"
            else {"event": "im_enter_direct_msg"}
        )
        rows = rows_of(
            name,
            dt,
            at,
            "webhook",
            n,
            event_id=random_strings(rng, n, 20, HEX),
            open_id=world.accounts.take(pa.array(row)),
            person_open_id=world.persons.take(pa.array(row * PERSONS + person)),
            conversation_id=[f"c{a}-{p}" for a, p in zip(row, person, strict=True)],
            message_id=random_strings(rng, n, 24, HEX),
            conversation_type=1,
            event_at=at,
            **more,
        )
        yield name, sorted_rows(name, rows)


def _fans(world: World, dt: date) -> pa.Table:
    pairs = sorted((d, b) for d, buckets in DIMENSIONS.items() for b in buckets)
    n, m, day = world.size, len(pairs), (dt - world.first).days
    weight = np.random.default_rng(world.seed).dirichlet(np.full(m, 2.0), n)
    fans = (world.fans[:, None] * (1 + 0.0018 * day) * weight * len(DIMENSIONS)).astype(np.int64)
    dimension, bucket = (pa.array([p[k] for p in pairs]).take(pa.array(np.tile(np.arange(m), n))) for k in (0, 1))
    return rows_of(
        "fans_distributions",
        dt,
        beijing_at(dt, 10.75),
        "fans_data",
        n * m,
        open_id=world.accounts.take(pa.array(np.repeat(np.arange(n), m))),
        dimension=dimension,
        bucket_raw=bucket,
        bucket=bucket,
        fans=fans.ravel(),
    )


# ------------------------------------------------------------------ lists of the platform


def _hot_words(world: World, dt: date, rng: np.random.Generator) -> Iterator[tuple[str, pa.Table]]:
    lists, risers = [], []
    born_each, lasts = 0.8, 72
    for hour in range(24):
        now = (dt - world.first).days * 24 + hour + 1000
        alive = np.arange(int((now - lasts) / born_each), int(now / born_each))
        own = np.random.default_rng([world.seed, 7]).permutation(997)[alive % 997] / 997
        age = now - alive * born_each
        heat = (0.3 + own) * np.exp(-(((age - 10 - 20 * own) / (6 + 18 * own)) ** 2))
        top = np.argsort(-heat, kind="stable")[:50]
        seen = datetime.combine(dt, time(), UTC) + timedelta(hours=hour - 8, minutes=5)
        words = [world.sentences[n % len(world.sentences)] for n in alive[top]]
        lists.append(
            rows_of(
                "hot_words",
                dt,
                seen,
                "hotsearch_sentences",
                len(top),
                rank=np.arange(1, len(top) + 1),
                sentence=words,
                hot_level=(heat[top] * 1e7).astype(np.int64) + 1000,
                active_date=dt,
            )
        )
        rising = rng.permutation(len(top))[:20]
        risers.append(
            rows_of(
                "hot_words_rising",
                dt,
                seen,
                "hotsearch_trending_sentences",
                20,
                rank=np.arange(1, 21),
                sentence=[words[n] for n in rising],
                hot_level=rng.integers(1000, 500_000, 20),
                label=rng.integers(0, 6, 20),
            )
        )
    yield "hot_words", sorted_rows("hot_words", pa.concat_tables(lists))
    yield "hot_words_rising", sorted_rows("hot_words_rising", pa.concat_tables(risers))


def _billboards(world: World, dt: date) -> Iterator[tuple[str, pa.Table]]:
    names = [h + t for h in vocabulary.NAME_HEADS for t in ("食堂", "在路上", "球场", "车库", "剧场")]
    twice = [beijing_at(dt, 10.5), beijing_at(dt, 22.5)]

    def ranked(board: int, seen: datetime, length: int = 30, pool: int = 60) -> tuple[np.ndarray, np.ndarray]:
        own = np.random.default_rng([world.seed, 11, board])
        base, phase = own.random(pool), own.random(pool) * 6.28
        score = base + 0.5 * np.sin(epoch_s(seen) / 86400 / 5 + phase)
        top = np.argsort(-score)[:length]
        return top, score[top]

    def lists(
        table: str, boards: dict[int, dict], entry: str, value: str | None, length: int = 30, pool: int = 60, **more
    ) -> pa.Table:
        made = []
        for board, constants in boards.items():
            for seen in twice:
                top, score = ranked(board, seen, length, pool)
                about = {
                    entry: [names[(board * 7 + n) % len(names)] + (f"{n}号" if pool > 60 else "") for n in top]
                } | ({value: np.round((score + 2) * 1e5, 1)} if value else {})
                made.append(
                    rows_of(table, dt, seen, table, length, rank=np.arange(1, length + 1), **about, **constants, **more)
                )
        return sorted_rows(table, pa.concat_tables(made))

    yield (
        "billboard_creators",
        lists(
            "billboard_creators",
            {n: {"board": b} for n, b in enumerate(BOARDS)},
            "nickname",
            "effect_value",
            follower_count=10_000,
        ),
    )
    yield "billboard_videos", lists("billboard_videos", {40: {}}, "title", "hot_value")
    yield "billboard_stars", lists("billboard_stars", {41: {}}, "nickname", "effect_value")
    yield "billboard_live", lists("billboard_live", {42: {}}, "nickname", "hot_value")
    yield "billboard_topics", lists("billboard_topics", {43: {}}, "title", "effect_value")
    yield "billboard_props", lists("billboard_props", {44: {}}, "prop_name", "effect_value")
    yield (
        "billboard_music",
        lists("billboard_music", {50 + n: {"board": b} for n, b in enumerate(MUSIC)}, "title", None, use_count=5000),
    )
    yield (
        "poi_billboard",
        lists(
            "poi_billboard",
            {60 + n: {"poi_category": k} for n, k in enumerate(POI_KINDS)},
            "poi_name",
            "score",
            130,
            160,
        ),
    )


def _ent_ranks(world: World, dt: date) -> pa.Table:
    made = []
    for kind in (1, 2, 3):
        own = np.random.default_rng([world.seed, 13, kind, dt.toordinal() // 28])
        title = own.permutation(80)[:50] + dt.toordinal() // 28 * 20
        made.append(
            rows_of(
                "ent_ranks",
                dt,
                beijing_at(dt + timedelta(days=6), 23.5),
                "ent_rank_item",
                50,
                ent_type=kind,
                version=dt.toordinal(),
                rank=np.arange(1, 51),
                title_id=[f"{kind}{n:08d}" for n in title],
                title=[f"旧城实验室{n}" for n in title],
                hot_value=np.linspace(1e7, 1e5, 50),
            )
        )
    return sorted_rows("ent_ranks", pa.concat_tables(made))


# ------------------------------------------------------------------ words and columns
