"""Conversations: turns, replies and openings, each message once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from catalog import TABLES
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.storage.lake import Lake
from resources.storage.schema import arrow_schema
from resources.warehouse.published_marts import WHOLE
from services.marts.build import Marts

DAY = date(2026, 11, 16)
AT = datetime(2026, 11, 16, 2, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def write(lake: Lake, table: str, *rows: dict[str, Any]) -> None:
    schema = arrow_schema(TABLES[table])
    standard = {
        "dt": DAY,
        "observed_at": AT,
        "source": "test",
        "client_key": "app",
        "open_id": "shop",
        "person_open_id": "p",
        "conversation_id": "c",
    }
    whole = [
        {name: ({"event_id": f"{table}-{n}"} | standard | row).get(name) for name in schema.names}
        for n, row in enumerate(rows)
    ]
    lake.write(table, DAY, pa.Table.from_pylist(whole, schema))


def said(minute: float, event: str = "im_receive_msg", **more: Any) -> dict[str, Any]:
    return {
        "event": event,
        "event_at": AT + timedelta(minutes=minute),
        "message_text": "你好",
        "message_id": f"{event}-{minute}",
        **more,
    }


def answered(minute: float, source: str = "app", **more: Any) -> dict[str, Any]:
    return said(minute, "im_send_msg", source_app=source, **more)


def conversations(home: Path) -> list[dict[str, Any]]:
    runtime = Runtime(Settings(_env_file=None, home=home))
    (built,) = Marts(runtime).build("conversations", [WHOLE])
    runtime.close()
    return built.rows.to_pylist()


def test_a_conversation_is_shown_without_its_words(tmp_path, lake):
    write(
        lake,
        "im_messages",
        said(0),
        said(1),
        answered(2),
        answered(3, source=""),
        said(10),
        answered(14, source="another app"),
        said(20),
        said(20, event_id="again"),  # the same message, pushed twice
        said(5, event="im_group_receive_msg"),
        said(6, event="receive_msg", conversation_id=None),
    )
    write(
        lake, "im_entries", {"event": "im_enter_direct_msg", "event_at": AT - timedelta(minutes=1), "message_id": "e"}
    )
    write(
        lake,
        "im_people",
        {"nickname": "旧名"},
        {"nickname": "小王", "observed_at": AT + timedelta(hours=1)},
        {"nickname": "", "observed_at": AT + timedelta(hours=2)},
        {"person_open_id": "shop", "nickname": "门店"},
    )
    (row,) = conversations(tmp_path)
    assert row == {
        "client_key": "app",
        "open_id": "shop",
        "person_open_id": "p",
        "conversation_id": "c",
        "nickname": "小王",
        "first_at": AT - timedelta(minutes=1),
        "first_message_at": AT,
        "first_answer_at": AT + timedelta(minutes=2),
        "last_at": AT + timedelta(minutes=20),
        "messages_in": 4,
        "messages_out": 3,
        "by_this_app": 1,
        "by_hand": 1,
        "openings": 1,
        "waits": 3,
        "first_answer_median_s": (120 + 240) / 2,
        "is_open": True,
        "source": "webhook",
    }
    assert "你好" not in str(row)


@pytest.mark.parametrize(
    ("messages", "waits", "median", "is_open"),
    [
        ([said(0)], 1, None, True),
        ([answered(0)], 0, None, False),
        ([said(0), answered(1)], 1, 60, False),
        ([answered(0), said(1)], 1, None, True),
        ([said(0), answered(0)], 1, 0, False),  # in one instant, the question came first
        ([answered(1), said(0), said(2), answered(5), said(6)], 3, 120, True),
    ],
)
def test_who_waits_for_whom(tmp_path, lake, messages, waits: int, median: float | None, is_open: bool):
    write(lake, "im_messages", *messages)
    (row,) = conversations(tmp_path)
    assert (row["waits"], row["first_answer_median_s"], row["is_open"]) == (waits, median, is_open)


def test_people_accounts_and_apps_are_kept_apart(tmp_path, lake):
    write(
        lake,
        "im_messages",
        *(
            said(0, **{name: "other", "message_id": name})
            for name in ("client_key", "open_id", "person_open_id", "conversation_id")
        ),
        said(0),
    )
    write(lake, "im_entries", {"event": "im_enter_direct_msg", "conversation_id": "only opened"})
    found = conversations(tmp_path)
    assert len(found) == 6
    (opened,) = (r for r in found if r["conversation_id"] == "only opened")
    assert (opened["messages_in"], opened["openings"], opened["is_open"], opened["first_at"]) == (0, 1, False, AT)
