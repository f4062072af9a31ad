"""Views of the schema ``marts``: published beside the tables, described, and never in the way of a publication."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from publishing_rows import hot_words

from assets.warehouse import publish
from catalog import TABLES
from resources.lake import Lake
from resources.marts import MARTS_DIR, BadMart, load_marts, read_mart
from resources.outreach_tables import SOURCES, read_outreach, schema_of
from resources.runtime import Runtime
from resources.schema import arrow_schema
from resources.settings import Settings
from resources.state import State
from resources.state.engine import opt_outs, outbox, plans
from resources.warehouse import Warehouse

DAY = date(2026, 11, 16)
AT = datetime(2026, 11, 16, 2, tzinfo=UTC)
HEADER = "-- Words 词\n-- en: Words.\n-- zh: 词。\n-- grain: a row per word\n-- key: sentence\n-- owner: team:data-platform\n"
WORDS = HEADER + "SELECT sentence, count(*) AS times FROM main.hot_words GROUP BY 1;\n"


@pytest.fixture
def marts(tmp_path: Path) -> Path:
    folder = tmp_path / "marts"
    folder.mkdir()
    (folder / "words.sql").write_text(WORDS, encoding="utf-8")
    return folder


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def warehouse(tmp_path: Path, lake: Lake, marts: Path) -> Warehouse:
    lake.write("hot_words", DAY, hot_words(DAY, 3))
    return Warehouse(tmp_path / "warehouse.duckdb", lake, tmp_path / "locks", marts)


def ask(warehouse: Warehouse, question: str) -> list[tuple]:
    with warehouse.connect() as connection:
        return connection.execute(question).fetchall()


# --------------------------------------------------------------------------- publishing views


def test_a_view_is_published_with_its_description(warehouse):
    assert warehouse.publish().left_out == []
    assert ask(warehouse, "SELECT count(*), sum(times) FROM marts.words") == [(3, 3)]
    ((comment,),) = ask(warehouse, "SELECT comment FROM duckdb_views() WHERE schema_name = 'marts'")
    assert comment == "Words 词: 词。 / Words. [a row per word; key sentence; team:data-platform]"
    with duckdb.connect() as other:  # as a tool has it that attaches the file under a name of its own
        other.execute(f"ATTACH '{warehouse.path}' AS w (READ_ONLY)")
        assert other.execute("SELECT count(*) FROM w.marts.words").fetchone() == (3,)


def test_a_changed_file_is_published_and_an_unchanged_one_is_current(warehouse, marts: Path):
    warehouse.publish()
    assert warehouse.is_current()
    assert warehouse.publish().changed == {}
    (marts / "words.sql").write_text(WORDS.replace("count(*)", "2 * count(*)"), encoding="utf-8")
    assert not warehouse.is_current(), "the sensor publishes it"
    assert not warehouse.publish().rebuilt
    assert ask(warehouse, "SELECT sum(times) FROM marts.words") == [(6,)]
    assert warehouse.is_current()

    (marts / "words.sql").rename(marts / "sentences.sql")
    assert not warehouse.is_current()
    warehouse.publish()
    assert ask(warehouse, "SELECT view_name FROM duckdb_views() WHERE schema_name = 'marts'") == [("sentences",)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEADER + "SELECT * FROM main.nothing_like_it", "nothing_like_it"),
        (HEADER + "SELECT FROM WHERE", "syntax error"),
        (HEADER + "SELECT 1 AS other", "no column sentence"),
        (HEADER + "-- column height: in cm\nSELECT 'a' AS sentence", "no column height"),
    ],
    ids=["no such table", "no SQL", "another key", "another column"],
)
def test_a_view_that_cannot_be_made_is_left_out_and_the_rest_is_published(warehouse, marts: Path, caplog, text: str, why: str):
    (marts / "broken.sql").write_text(text, encoding="utf-8")
    done = warehouse.publish()
    assert done.left_out == ["broken"]
    assert why in caplog.text
    assert "left out" in caplog.text
    assert ask(warehouse, "SELECT count(*) FROM marts.words") == [(3,)]
    assert ask(warehouse, "SELECT count(*) FROM hot_words") == [(3,)]
    assert ask(warehouse, "SELECT view_name FROM duckdb_views() WHERE schema_name = 'marts'") == [("words",)]
    ((name, told),) = ask(warehouse, "SELECT name, left_out FROM meta.marts WHERE left_out IS NOT NULL")
    assert (name, why in told) == ("broken", True)
    assert warehouse.is_current(), "publishing again would change nothing"


@pytest.mark.parametrize("text", ["SELECT 1", HEADER.replace("-- owner: team:data-platform\n", "") + "SELECT 1", ""])
def test_a_file_without_its_description_is_no_mart(warehouse, marts: Path, caplog, text: str):
    (marts / "nameless.sql").write_text(text, encoding="utf-8")
    with pytest.raises(BadMart, match="owner"):
        read_mart(marts / "nameless.sql")
    assert warehouse.publish().left_out == []
    assert "nameless.sql is no mart" in caplog.text
    assert warehouse.is_current()


def test_without_a_folder_there_are_no_marts(tmp_path: Path, lake: Lake):
    warehouse = Warehouse(tmp_path / "warehouse.duckdb", lake, tmp_path / "locks", tmp_path / "nowhere")
    assert warehouse.publish().left_out == []
    assert warehouse.is_current()


# --------------------------------------------------------------------------- the marts of the repository


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Warehouse:
    """The repository's marts over empty tables."""
    home = tmp_path_factory.mktemp("ours")
    warehouse = Warehouse(home / "warehouse.duckdb", Lake(home / "lake"), home / "locks")
    assert warehouse.publish().left_out == []
    return warehouse


def test_every_file_is_a_mart():
    assert set(load_marts()) == {p.stem for p in MARTS_DIR.glob("*.sql")} >= {"conversations"}


@pytest.mark.parametrize("name", load_marts())
def test_mart_answers_over_empty_tables_and_every_column_is_described(ours: Warehouse, name: str):
    mart = load_marts()[name]
    assert ask(ours, f"SELECT count(*) FROM marts.{name}") == [(0,)]
    with ours.connect() as connection:
        columns = [c[0] for c in connection.execute(f"SELECT * FROM marts.{name} LIMIT 0").description]
    of_tables = {c for t in TABLES.values() for c in t.columns}
    assert set(columns) - of_tables == set(mart.columns)
    assert all(" / " in about for about in mart.columns.values()), "in both languages"


# --------------------------------------------------------------------------- conversations


def write(lake: Lake, table: str, *rows: dict[str, Any]) -> None:
    schema = arrow_schema(TABLES[table])
    standard = {"dt": DAY, "observed_at": AT, "source": "test", "client_key": "app", "open_id": "shop", "person_open_id": "p", "conversation_id": "c"}
    whole = [{name: ({"event_id": f"{table}-{n}"} | standard | row).get(name) for name in schema.names} for n, row in enumerate(rows)]
    lake.write(table, DAY, pa.Table.from_pylist(whole, schema))


def said(minute: float, event: str = "im_receive_msg", **more: Any) -> dict[str, Any]:
    return {"event": event, "event_at": AT + timedelta(minutes=minute), "message_text": "你好", "message_id": f"{event}-{minute}", **more}


def answered(minute: float, source: str = "app", **more: Any) -> dict[str, Any]:
    return said(minute, "im_send_msg", source_app=source, **more)


def conversations(tmp_path: Path, lake: Lake) -> list[dict[str, Any]]:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb", lake, tmp_path / "locks")
    assert warehouse.publish().left_out == []
    with warehouse.connect() as connection:
        return connection.execute("SELECT * FROM marts.conversations ORDER BY ALL").to_arrow_table().to_pylist()


def test_a_conversation_is_told_of_without_its_words(tmp_path, lake):
    write(
        lake, "im_messages",
        said(0), said(1), answered(2), answered(3, source=""), said(10), answered(14, source="another app"), said(20),
        said(20, event_id="again"),  # the same message, told of twice
        said(5, event="im_group_receive_msg"), said(6, event="receive_msg", conversation_id=None),
    )  # fmt: skip
    write(lake, "im_entries", {"event": "im_enter_direct_msg", "event_at": AT - timedelta(minutes=1), "message_id": "e"})
    (row,) = conversations(tmp_path, lake)
    assert row == {
        "client_key": "app", "open_id": "shop", "person_open_id": "p", "conversation_id": "c", "first_at": AT - timedelta(minutes=1),
        "last_at": AT + timedelta(minutes=20), "messages_in": 4, "messages_out": 3, "by_this_app": 1, "by_hand": 1, "openings": 1, "waits": 3,
        "first_answer_median_s": (120 + 240) / 2, "is_open": True,
    }  # fmt: skip
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
    (row,) = conversations(tmp_path, lake)
    assert (row["waits"], row["first_answer_median_s"], row["is_open"]) == (waits, median, is_open)


def test_people_accounts_and_apps_are_kept_apart(tmp_path, lake):
    write(lake, "im_messages", *(said(0, **{name: "other", "message_id": name}) for name in ("client_key", "open_id", "person_open_id", "conversation_id")), said(0))
    write(lake, "im_entries", {"event": "im_enter_direct_msg", "conversation_id": "only opened"})
    found = conversations(tmp_path, lake)
    assert len(found) == 6
    (opened,) = (r for r in found if r["conversation_id"] == "only opened")
    assert (opened["messages_in"], opened["openings"], opened["is_open"], opened["first_at"]) == (0, 1, False, AT)


# --------------------------------------------------------------------------- what was sent


@pytest.fixture
def runtime(tmp_path: Path):
    runtime = Runtime(Settings(_env_file=None, home=tmp_path / "home"))
    yield runtime
    runtime.close()


def fill(state: State) -> None:
    with state.begin() as db:
        db.execute(plans.insert().values(id=1, kind="messages", name="spring", occasion="2026", planned_at=AT.timestamp(), good_until=AT.timestamp() + 0.25, hash="h", state="open", rules="{}"))
        db.execute(
            outbox.insert().values(
                id=7, plan_id=1, operation="im_send_msg", campaign="spring", client_key="app", open_id="shop", person_open_id="p", reason="r", messages=1,
                request="sealed:words", fingerprint="1:secret", state="sent", key="k", claim="k", planned_at=AT.timestamp(), claimed_by="host-1", code=2**40,
            )
        )  # fmt: skip
        db.execute(opt_outs.insert().values(client_key="app", open_id="", person_open_id="p", since=AT.timestamp(), how="command"))


def test_plans_messages_and_opt_outs_are_published_without_what_was_said(runtime: Runtime):
    publish(runtime)
    assert ask(runtime.warehouse, "SELECT count(*) FROM outreach.messages") == [(0,)]
    fill(runtime.state)
    assert publish(runtime).changed == {}
    warehouse = runtime.warehouse
    assert ask(warehouse, "SELECT name, planned_at, epoch_us(good_until) - epoch_us(planned_at), approved_at FROM outreach.plans") == [("spring", AT, 250_000, None)]
    assert ask(warehouse, "SELECT plan_id, state, planned_at, ended_at, code FROM outreach.messages") == [(1, "sent", AT, None, 2**40)]
    assert ask(warehouse, "SELECT open_id, person_open_id, since, how FROM outreach.opt_outs") == [("", "p", AT, "command")]
    assert b"sealed:words" not in warehouse.path.read_bytes()
    assert not {"request", "fingerprint", "claimed_by"} & set(schema_of(outbox).names)
    types = dict(ask(warehouse, "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'outreach'"))
    assert {t for name, t in types.items() if name.endswith("_at") or name in ("since", "good_until")} == {"TIMESTAMP WITH TIME ZONE"}
    comments = dict(ask(warehouse, "SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 'outreach'"))
    assert {name: " / " in comment for name, comment in comments.items()} == dict.fromkeys(SOURCES, True)


def test_a_publication_of_the_lake_alone_leaves_them_as_they_were(runtime: Runtime):
    fill(runtime.state)
    publish(runtime)
    runtime.warehouse.publish()
    assert ask(runtime.warehouse, "SELECT count(*) FROM outreach.messages") == [(1,)]
    runtime.warehouse.publish(rebuild=True)
    assert ask(runtime.warehouse, "SELECT count(*) FROM outreach.messages") == [(0,)]


def test_an_empty_ledger_has_its_columns(runtime: Runtime):
    assert {name: t.num_rows for name, t in read_outreach(runtime.state).items()} == dict.fromkeys(SOURCES, 0)
