"""Properties of the small parts: numbers from names, ids, curves, envelopes."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.envelopes import read_envelope
from catalog.records import Envelope
from sandbox.clock import day_of, day_start, day_text, last_complete_day
from sandbox.envelopes import failure, success
from sandbox.errors import Refusal
from sandbox.forms import Form
from sandbox.hashing import apportion, mix, unit
from sandbox.world import World
from sandbox.world.curves import LIFE_S, LifeCurve, breathing
from sandbox.world.ids import ItemIds, OpenIds
from sandbox.world.videos import METRICS

IDS = ItemIds(7)
PEOPLE = OpenIds(7)
NOW = 1_794_796_200.0
WORLD = World(11, 5, 30)


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**32 - 1))
def test_item_ids_are_read_back_by_their_own_world_only(owner, slot):
    text = IDS.write(owner, slot)
    assert IDS.read(text) == (owner, slot)
    assert ItemIds(8).read(text) is None


@given(st.text(max_size=60))
def test_other_texts_are_no_ids(text):
    assert IDS.read(text) is None


@given(st.integers(0, 2**64 - 1), st.text(max_size=40))
def test_open_ids_are_read_back_by_their_own_world_only(number, text):
    open_id = PEOPLE.write(number)
    assert str(UUID(open_id)) == open_id
    assert PEOPLE.read(open_id) == number
    assert OpenIds(8).read(open_id) is None
    assert PEOPLE.read(text) is None


@given(st.integers(0, 4), st.integers(0, 200), st.floats(0, 1))
def test_comments_to_be_seen_are_as_many_as_the_counter_says(account, video, share):
    world = WORLD.accounts[account]
    listed = WORLD.video_store.listed(world, NOW)
    chosen = listed[video % len(listed)]
    instant = chosen.created + share * 95 * 86_400
    view = WORLD.comments.view(chosen, instant)
    assert len(view.written) == chosen.count(METRICS.index("comment"), chosen.reach(instant))
    assert (view.written <= instant).all()
    assert (view.written >= int(chosen.created)).all()
    first = view.thread.created
    assert (first[1:] >= first[:-1]).all()
    coming = first[len(view.written) :]
    assert (coming >= int(instant)).all()


@given(st.integers(0, 10**7), st.lists(st.floats(0.001, 1000), min_size=1, max_size=40))
def test_parts_add_up(total, weights):
    parts = apportion(total, weights)
    assert sum(parts) == total
    assert min(parts) >= 0


@given(
    st.floats(0.3, 3), st.floats(5, 30), st.floats(0, 1), st.floats(0, LIFE_S), st.floats(0, 10 * 86_400), st.booleans()
)
def test_curves_never_fall_and_end_at_one(fast, slow, share, age, step, second_wave):
    curve = LifeCurve(NOW, fast * 86_400, slow * 86_400, share, (0.3, 9 * 86_400, 2 * 86_400) if second_wave else None)
    before, after = (curve.at(breathing(NOW + age + s)) for s in (0, step))
    assert -1e-12 <= before <= after + 1e-12 <= 1 + 1e-9
    assert curve.at(breathing(NOW + 2 * LIFE_S)) == 1
    assert curve.at(breathing(NOW - 1)) == 0


def test_mixture_spreads():
    values = [unit(mix(1, i)) for i in range(4_000)]
    assert abs(sum(values) / len(values) - 0.5) < 0.02
    assert len({mix(a, b) for a in range(60) for b in range(60)}) == 3_600
    assert mix(1, 2) != mix(2, 1)


def test_days():
    assert day_text(day_of(NOW)) == "2026-11-16"
    assert day_of(day_start(20_000)) == 20_000 == day_of(day_start(20_001) - 1)
    ten = day_start(20_000) + 36_000
    assert (last_complete_day(ten - 1), last_complete_day(ten)) == (19_998, 19_999)


@pytest.mark.parametrize("kind", [e for e in Envelope if e is not Envelope.WEBHOOK])
@given(bits=st.integers(0, 2**64 - 1))
def test_envelopes_are_read_by_the_catalogue(kind, bits):
    good = success(kind, "some_operation", {"list": []}, NOW, Form(bits))
    assert read_envelope(kind, good).code == 0
    bad = failure(kind, Refusal(28001003), NOW, Form(bits))
    assert read_envelope(kind, bad).code == 28001003


@given(st.integers(0, 2**64 - 1), st.integers(-(10**15), 10**15), st.integers(-(10**8), 10**8))
def test_no_form_changes_a_value(bits, whole, tenths):
    form = Form(bits)
    assert all(int(form.whole(whole)) == whole for _ in range(6))
    assert all(float(form.number(tenths / 10)) == pytest.approx(tenths / 10, rel=1e-9) for _ in range(6))


def test_day_plays_is_the_last_of_the_month_everywhere():
    world = World(3, 6, 60)
    for account in world.accounts:
        for day in (20_500, 20_773, 20_900):
            assert world.series.day_plays(account, day) == world.series.totals(account, day, 0)[-1]
            assert world.series.day_fans(account, day) == world.series.fans(account, day_start(day + 1))


@pytest.mark.parametrize("videos", [1, 5, 40, 300])
def test_accounts_list_about_as_many_videos_as_configured(videos):
    world = World(5, 30, videos)
    for instant in (NOW - 700 * 86_400, NOW, NOW + 900 * 86_400):
        listed = [len(world.video_store.listed(a, instant)) for a in world.accounts]
        assert abs(sum(listed) / len(listed) - videos) < max(1, videos * 0.1)
