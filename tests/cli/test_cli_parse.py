"""``douyin parse``: what a body would become, and the exit code that a script reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import catalog

SAMPLES = Path(catalog.__file__).parent / "contract" / "samples"


def sample(name: str) -> str:
    return str(SAMPLES / f"{name}.json")


def stars(*rows: dict, **data: object) -> bytes:
    return json.dumps({"data": {"list": list(rows), **data}, "extra": {"error_code": 0}}, ensure_ascii=False).encode()


ROW = {"rank": 1, "nickname": "示例", "avatar": "https://a.example/1", "effect_value": "9.5"}


@pytest.mark.parametrize(
    ("operation", "shown"),
    [
        ("billboard_stars", ["billboard_stars 娱乐明星榜", "3 rows, 0 quarantined"]),
        ("fans_data", ["fans_profile", "fans_distributions", "fans_flow", "20280", "… 19 more"]),
        ("user_fans", ["user_fans", "dt=2024-05-20: 1 rows"]),
        ("video_list", ["videos", "video_totals", "2 rows"]),
        ("user_fans_bc", ["user_fans", "dt=2024-05-20: 1 rows"]),
    ],
)
def test_rows_per_table(douyin, operation: str, shown: list[str]):
    reported = douyin("parse", operation, sample(catalog.ENDPOINTS[operation].twin_of or operation))
    assert reported.exit_code == 0, reported.output
    for words in shown:
        assert words in reported.stdout
    assert "unknown member" not in reported.stdout


@pytest.mark.parametrize("name", ["im_receive_msg", "im_receive_msg__content_as_text", "new_video_digg"])
def test_an_event(douyin, name: str):
    reported = douyin("parse", f"webhook_{name.partition('__')[0]}", sample(f"webhook.{name}"))
    assert reported.exit_code == 0, reported.output
    for words in (
        "webhook_events",
        "interactions" if "digg" in name else "im_messages",
        "<event_id>",
        "1 rows, 0 quarantined",
    ):
        assert words in reported.stdout


def test_limit(douyin):
    assert "… 23 more" in douyin("parse", "fans_data", sample("fans_data"), "--limit", "1").stdout


def test_a_body_from_standard_input(douyin):
    reported = douyin("parse", "billboard_stars", "-", input=stars(ROW))
    assert reported.exit_code == 0
    assert "示例" in reported.stdout


def test_parameters_of_the_request(douyin):
    reported = douyin("parse", "hotsearch_videos", sample("hotsearch_videos"), "--param", "hot_sentence=初雪=大")
    assert reported.exit_code == 0
    assert "初雪=大" in reported.stdout
    assert "<hot_sentence>" in douyin("parse", "hotsearch_videos", sample("hotsearch_videos")).stdout


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("hotsearch_sentences__api_offline", ["28001056", "disable", "console"]),
        ("item_play__token_expired", ["28001008", "refresh"]),
        ("user_fans__quota_used_up", ["2190001", "wait_for_quota"]),
        ("billboard_hot_video__param_error", ["2100005", "alert", "Parameter error"]),
        ("item_like_apps_v1__invalid_token", ["28001003", "refresh"]),
    ],
)
def test_an_error_answer_shows_what_to_do(douyin, name: str, shown: list[str]):
    reported = douyin("parse", name.split("__")[0], sample(name))
    assert reported.exit_code == 0
    for words in ("error answer", "advice", *shown):
        assert words in reported.stdout


def test_an_empty_list_shows_what_it_means(douyin):
    reported = douyin("parse", "billboard_topic", sample("billboard_topic__not_ready"))
    assert reported.exit_code == 0
    assert "not_ready" in reported.stdout


def test_a_malformed_row_shows_its_reason_and_the_others_land(douyin):
    reported = douyin(
        "parse",
        "billboard_stars",
        "-",
        input=stars(ROW, {**ROW, "rank": 2, "effect_value": "much"}, {**ROW, "rank": 3}),
    )
    assert reported.exit_code == 1
    assert "3 rows, 0 quarantined" in reported.stdout
    assert "null row 2: effect_value: expected a number: 'much'" in reported.stdout
    assert "0 rows and 1 values of other rows would go to quarantine" in reported.stderr

    reported = douyin(
        "parse",
        "billboard_stars",
        "-",
        input=stars(ROW, {**ROW, "rank": "much", "effect_value": "much"}, {**ROW, "rank": 3}),
    )
    assert reported.exit_code == 1
    assert "2 rows, 1 quarantined" in reported.stdout
    assert (
        "quarantined row 2: rank: expected a 64-bit integer: 'much'; effect_value: expected a number: 'much'"
        in reported.stdout
    )
    assert "1 rows and 0 values of other rows would go to quarantine" in reported.stderr


def test_an_unknown_member_is_shown_and_is_no_error(douyin):
    reported = douyin("parse", "billboard_stars", "-", input=stars({**ROW, "height_cm": 170}, next_update="x"))
    assert reported.exit_code == 0
    assert "unknown member data.list.height_cm in 1 rows" in reported.stdout
    assert "unknown member data.next_update" in reported.stdout


@pytest.mark.parametrize("text", ["[red]", "[/b]", "[cry] 哭", ":100:", "[logid 1]", "\\[x]"])
def test_text_of_the_platform_is_shown_as_it_is(douyin, text: str):
    """It was once interpreted as the console's markup: styles vanished, and a closing tag ended the command."""
    reported = douyin(
        "parse",
        "billboard_stars",
        "-",
        input=stars({**ROW, "nickname": text}, {**ROW, "rank": text}, {**ROW, "rank": 3, text: 1}),
    )
    assert reported.exit_code == 1
    assert reported.exception is None or isinstance(reported.exception, SystemExit)
    assert f" {text} " in reported.stdout
    assert f"rank: expected a 64-bit integer: {text!r}" in reported.stdout
    assert f"data.list.{text} in 1 rows" in reported.stdout


def test_an_unknown_operation_shows_the_known_ones(douyin):
    reported = douyin("parse", "billboard_star", sample("billboard_stars"))
    assert reported.exit_code == 2
    assert "'billboard_star' is not an operation" in reported.stderr
    for name in catalog.SOURCES:
        assert name in reported.stderr


@pytest.mark.parametrize("place", ["missing.json", "."])
def test_a_file_that_cannot_be_read(douyin, place: str):
    reported = douyin("parse", "billboard_stars", place)
    assert reported.exit_code == 2
    assert f"cannot read {place}" in reported.stderr


def test_a_parameter_without_a_value(douyin):
    reported = douyin("parse", "hotsearch_videos", sample("hotsearch_videos"), "--param", "hot_sentence")
    assert reported.exit_code == 2
    assert "NAME=VALUE" in reported.stderr


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"<html>502 Bad Gateway</html>", "not JSON"),
        (b'{"data": {"list": [', "not JSON"),
        (b"[]", "list, not an object"),
        (b"{}", "neither a code nor data"),
        (b'{"data": {"error_code": "x"}}', "a code is 'x'"),
    ],
)
def test_a_body_that_is_not_the_platforms(douyin, body: bytes, why: str):
    reported = douyin("parse", "billboard_stars", "-", input=body)
    assert reported.exit_code == 1
    assert why in reported.stderr


@pytest.mark.parametrize(
    ("operation", "given", "shown"),
    [
        (
            "leads_user_list",
            {},
            ["leads 意向用户", "lead_ids 意向用户 id", "lead_taggings", "13800000000", "4 rows, 0 quarantined"],
        ),
        ("leads_tag_user_list", {"tag_id": "101"}, ["lead_tag_people", "2 rows, 0 quarantined", "101"]),
        (
            "intention_log_list",
            {"open_id": "account-1"},
            ["lead_events", "2 rows, 0 quarantined", "价格多少", "new_follow_action", "account-1"],
        ),
        (
            "item_comment_list_apps_v1",
            {"item_id": "@v=="},
            ["comments 评论", "comment_reads", "3 rows, 0 quarantined", "1 rows, 0 quarantined", "@v=="],
        ),
        (
            "ent_rank_item",
            {"type": "1", "version": "231"},
            ["ent_ranks", "演员丙、演员丁", "231", "2 rows, 0 quarantined"],
        ),
        ("poi_user", {"poi_id": "6601131771800000001"}, ["poi_audience", "9 rows, 0 quarantined", "visitors"]),
        ("im_authorize_status", {"c_open_id": "person-1"}, ["im_consent_status", "person-1", "1 rows, 0 quarantined"]),
        ("video_query_bc", {}, ["videos", "video_totals", "anchor-9001", "2 rows, 0 quarantined"]),
        ("oauth_userinfo", {}, ["account_profiles", "EAccountS", "1 rows, 0 quarantined"]),
    ],
)
def test_every_shape_of_answer_as_a_process(command, operation: str, given: dict[str, str], shown: list[str]):
    """Responses of every shape.

    Lists of texts and of objects in one response, text inside text, bodies wrapped twice, rows given once, one object,
    a twin.
    """
    parameters = [word for name, value in given.items() for word in ("--param", f"{name}={value}")]
    reported = command("parse", operation, sample(catalog.ENDPOINTS[operation].twin_of or operation), *parameters)
    assert (reported.returncode, reported.stderr) == (0, "")
    for words in shown:
        assert words in reported.stdout
    assert "unknown member" not in reported.stdout


def test_as_a_process(command):
    reported = command("parse", "billboard_stars", "-", input=stars(ROW, {**ROW, "rank": None}).decode())
    assert reported.returncode == 1
    assert "1 rows, 1 quarantined" in reported.stdout
    assert reported.stderr.startswith("✗ ")
    assert list(command.cwd.iterdir()) == []
    assert not Path(command.environment["DOUYIN_HOME"]).exists(), "parse touches no data"
