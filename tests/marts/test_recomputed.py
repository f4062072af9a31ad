"""Marts of a home that an older release made are rebuilt, and agree with pandas over the core tables."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from catalog import TABLES
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.storage.schema import arrow_schema
from services.marts.build import Marts

pytestmark = pytest.mark.slow
OLD_HOME = Path(__file__).resolve().parents[1] / "homes" / "home-43e3f1b.tar.xz"
ACCOUNT = ["client_key", "open_id"]


@pytest.fixture(scope="module")
def marts(tmp_path_factory) -> Iterator[Marts]:
    home = tmp_path_factory.mktemp("old") / "home"
    with tarfile.open(OLD_HOME) as tar:
        tar.extractall(home, filter="data")
    runtime = Runtime(Settings(_env_file=None, home=home))
    marts = Marts(runtime)
    change_the_past(marts)
    marts.build_stale()
    yield marts
    runtime.close()


def change_the_past(marts: Marts) -> None:
    """Make a video that was published between the two lists of its account, and a comment of the second day."""
    first, second = (pd.read_parquet(marts.lake.path("videos", date(2026, 11, d))) for d in (16, 17))
    new, again = first.item_id.iloc[0], second.item_id == first.item_id.iloc[0]
    second.loc[again, "created_at"] = first.observed_at.max() + pd.Timedelta(hours=5)
    totals = pd.read_parquet(marts.lake.path("video_totals", date(2026, 11, 16)))
    old, young = (pd.read_parquet(marts.lake.path("comments", date(2026, 11, d))) for d in (16, 17))
    young.loc[0, "created_at"] = first.observed_at.max() + pd.Timedelta(hours=20)
    for name, day, rows in (
        ("videos", 16, first[first.item_id != new]),
        ("videos", 17, second),
        ("video_totals", 16, totals[totals.item_id != new]),
        ("comments", 16, old[old.comment_id != young.comment_id[0]]),
        ("comments", 17, young),
    ):
        schema = arrow_schema(TABLES[name])
        marts.lake.write(name, date(2026, 11, day), pa.Table.from_pandas(rows, schema, preserve_index=False))


@pytest.fixture
def table(marts: Marts) -> Callable[[str], pd.DataFrame]:
    """Read all days of a core table or a mart."""

    def read(name: str) -> pd.DataFrame:
        folder = marts.lake.root / name.replace("marts.", "marts/")
        days = [pd.read_parquet(p) for p in sorted(folder.rglob("*.parquet"))]
        return pd.concat([d for d in days if len(d)], ignore_index=True)

    return read


def beijing(instants: pd.Series) -> pd.Series:
    return instants.dt.tz_convert("Asia/Shanghai").dt.date


def test_conversations_have_each_message_of_log_and_webhooks_once(table):
    pushed, logged = table("im_messages"), table("lead_events")
    pushed = pushed.assign(person=pushed.person_open_id, origin="webhook")
    logged = logged.assign(person=logged.actor_open_id, origin="log")
    both = pd.concat([pushed, logged])
    both = both[both.event.isin(["im_receive_msg", "im_send_msg"]) & both.conversation_id.notna()]
    assert both.groupby("origin").message_id.nunique().min() > 0, "the home has both"
    each = both.drop_duplicates([*ACCOUNT, "event", "message_id"])
    found = table("marts.conversations")
    assert found.messages_in.sum() == (each.event == "im_receive_msg").sum()
    assert found.messages_out.sum() == (each.event == "im_send_msg").sum()
    chats = each.groupby([*ACCOUNT, "person", "conversation_id"]).origin.agg(lambda s: "+".join(sorted(set(s))))
    spoken = found[found.messages_in + found.messages_out > 0]
    assert dict(zip(chats.index, chats, strict=True)) == {
        (r.client_key, r.open_id, r.person_open_id, r.conversation_id): r.source for r in spoken.itertuples()
    }
    assert {"log", "webhook"} <= set(found.source)
    assert found[found.source == "log"].nickname.notna().any(), "leads have names without a receiver"


def test_deltas_of_videos_begin_at_an_observation_or_at_publication(table, marts):
    totals, videos = table("video_totals"), table("videos")
    last = totals.sort_values("observed_at").drop_duplicates([*ACCOUNT, "item_id", "dt"], keep="last")
    published = videos.drop_duplicates("item_id", keep="last").set_index("item_id").created_at
    wanted = {}
    for today in last[last.dt > last.dt.min()].itertuples():
        earlier = last[(last.open_id == today.open_id) & (last.dt < today.dt)]
        own = earlier[earlier.item_id == today.item_id].sort_values("dt")
        if len(own):
            wanted[today.dt, today.item_id] = ("observation", today.play_count - own.play_count.iloc[-1])
        elif len(earlier) and published[today.item_id] > earlier.observed_at.min():
            wanted[today.dt, today.item_id] = ("published", today.play_count)
    found = table("marts.video_daily")
    found = found[found.delta_basis.notna()]
    assert {(r.dt, r.item_id): (r.delta_basis, r.play_delta) for r in found.itertuples()} == wanted
    assert {basis for basis, _ in wanted.values()} == {"observation", "published"}
    assert (found.delta_since < found.totals_at).all()


def test_every_place_of_a_board_is_a_row_and_moves_with_its_id(table):
    found = table("marts.billboard_moves")
    for name, board in (("billboard_videos", "hot_video"), ("billboard_topics", "topic")):
        lists = table(name)
        lists = lists[lists.observed_at == lists.groupby("dt").observed_at.transform("max")]
        on_board = found[(found.board == board) & found["rank"].notna()]
        assert set(zip(on_board.dt, on_board["rank"], strict=True)) == set(zip(lists.dt, lists["rank"], strict=True))
    music = table("billboard_music")
    music = music[music.observed_at == music.groupby(["dt", "board"]).observed_at.transform("max")]
    music["id"] = music.share_url.str.extract("/music/([^/]+)/")
    known = music[music.id.notna()]
    ranks = {(r.dt, f"music_{r.board}", r.id): r.rank for r in known.itertuples()}
    moved = found[found.board.str.startswith("music_") & (found.dt == found.dt.max()) & found.entry_id.isin(known.id)]
    before = min(dt for dt, _, _ in ranks)
    assert len(moved) > 50
    for r in moved.itertuples():
        was, now = ranks.get((before, r.board, r.entry_id)), ranks.get((r.dt, r.board, r.entry_id))
        wanted = "leave" if now is None else "enter" if was is None else "up" if now < was else "down"
        assert r.move == ("stay" if was == now else wanted), r
    assert (
        music[music.title.isna()].shape[0]
        == found[found.entry_kind.eq("music") & found.entry_name.isna() & found["rank"].notna()].shape[0]
        > 0
    )


def test_every_known_comment_is_labelled_once_under_its_own_day(table):
    comments = table("comments")
    comments = comments[comments.content.notna()].drop_duplicates([*ACCOUNT, "item_id", "comment_id"])
    labels = table("marts.comment_labels")
    wanted = dict(zip(comments.comment_id, beijing(comments.created_at), strict=True))
    assert dict(zip(labels.comment_id, labels.created_date, strict=True)) == wanted
    assert len(labels) == len(comments)
    assert set(labels.created_date == labels.dt) == {True, False}

    needs = labels.assign(need=labels.needs.replace("", "other").str.split(",")).explode("need")
    by_day = needs.groupby([*ACCOUNT, "created_date", "need"]).size()
    counted = table("marts.comment_needs").groupby([*ACCOUNT, "created_date", "need"]).comments.sum()
    assert counted.to_dict() == by_day.to_dict()
    by_video = needs.groupby([*ACCOUNT, "item_id", "need"]).agg(
        comments=("comment_id", "size"),
        people=("commenter_open_id", "nunique"),
        questions=("is_asking", "sum"),
        first_at=("created_at", "min"),
        last_at=("created_at", "max"),
    )
    found = table("marts.comment_needs_by_video").set_index(by_video.index.names)[by_video.columns]
    assert found.sort_index().to_dict() == by_video.sort_index().to_dict()


def test_every_known_action_of_a_lead_counts_once_on_its_own_day(table):
    actions = table("lead_actions").sort_values("dt")
    actions = actions.drop_duplicates([*ACCOUNT, "lead_open_id", "action_at", "action_type"])
    found = table("marts.lead_funnel")
    assert found.groupby("action_date").actions.sum().to_dict() == beijing(actions.action_at).value_counts().to_dict()
    assert (found.action_date < found.dt.min()).any(), "some of before the first day of collection"


def test_topics_are_those_of_all_lists_of_the_day(table):
    words, found = table("hot_words"), table("marts.topic_matches")
    assert len(found) > 0
    for r in found.itertuples():
        of_day = words[(words.dt == r.dt) & (words.client_key == r.client_key)]
        lists = sorted(of_day.observed_at.unique())
        of_word = of_day[of_day.sentence == r.sentence]
        on = set(of_word.observed_at)
        spans = [min(b - a, pd.Timedelta(hours=3)) for a, b in pairwise(lists) if a in on]
        hours = sum(spans, pd.Timedelta(0)) / pd.Timedelta(hours=1)
        assert (r.lists_on_board, r.best_rank, r.is_on_last_list) == (len(on), of_word["rank"].min(), lists[-1] in on)
        assert r.hours_on_board == pytest.approx(hours, abs=1e-4)
        assert all(term in r.sentence for term in r.matched_terms.split(" "))
