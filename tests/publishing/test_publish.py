"""``warehouse.duckdb``: what publishing changes, what readers see of it, and what a dead publisher leaves behind."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import children
import duckdb
import pyarrow as pa
import pytest
from patience import scaled
from publishing_rows import hot_words
from syncing import hold_whole, syncs

from catalog import FIELDS, TABLES
from catalog.records import History
from resources.state import State
from resources.state.load_status import LoadStatus, Outcome, save_load_status
from resources.storage.lake import Lake
from resources.storage.schema import arrow_schema
from resources.warehouse.publisher import Warehouse
from resources.warehouse.state_tables import load_status_batches

DAY = date(2026, 11, 16)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def warehouse(tmp_path: Path, lake: Lake) -> Warehouse:
    return Warehouse(tmp_path / "warehouse.duckdb", lake, tmp_path / "locks")


def count(warehouse: Warehouse, table: str = "hot_words") -> int:
    with warehouse.connect() as connection:
        return connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]


def test_only_changed_partitions_are_written(lake, warehouse):
    lake.write("hot_words", DAY, hot_words(DAY, 3))
    lake.write("hot_words", DAY + timedelta(days=1), hot_words(DAY + timedelta(days=1), 4))
    first = warehouse.publish()
    assert first.rebuilt
    assert first.changed == {"hot_words": [DAY, DAY + timedelta(days=1)]}
    assert count(warehouse) == 7

    assert warehouse.publish().changed == {}
    lake.write("hot_words", DAY, hot_words(DAY, 5))
    second = warehouse.publish()
    assert not second.rebuilt
    assert second.changed == {"hot_words": [DAY]}
    assert count(warehouse) == 9


def test_lake_and_warehouse_are_on_disk_before_they_have_their_names(lake, warehouse):
    for n in range(2):
        with syncs() as seen:
            lake.write("hot_words", DAY, hot_words(DAY, 3 + n))
        hold_whole(seen, lake.path("hot_words", DAY), ".data.parquet.")
        with syncs() as seen:
            assert warehouse.publish().rebuilt is (n == 0)
        hold_whole(seen, warehouse.path, "warehouse.duckdb.building")


def test_the_same_rows_are_no_change(lake, warehouse):
    assert lake.write("hot_words", DAY, hot_words(DAY, 3))
    warehouse.publish()
    assert not lake.write("hot_words", DAY, hot_words(DAY, 3))
    assert warehouse.publish().changed == {}


def test_a_partition_that_left_the_lake_leaves_the_warehouse(lake, warehouse):
    lake.write("hot_words", DAY, hot_words(DAY, 3))
    warehouse.publish()
    lake.remove("hot_words", DAY)
    assert warehouse.publish().changed == {"hot_words": [DAY]}
    assert count(warehouse) == 0


@pytest.mark.parametrize("name", TABLES)
def test_every_table_answers_also_while_empty(opened_empty: duckdb.DuckDBPyConnection, name: str):
    assert opened_empty.execute(f'SELECT count(*) FROM "{name}"').fetchone() == (0,)
    if TABLES[name].history is History.LISTING:
        assert opened_empty.execute(f'SELECT count(*) FROM "{name}_latest"').fetchone() == (0,)


def test_every_table_and_column_is_commented_in_both_languages(published_empty: Warehouse):
    with published_empty.connect() as connection:
        tables = dict(
            connection.execute(
                "SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 'main' AND NOT internal"
            ).fetchall()
        )
        columns = connection.execute(
            "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE schema_name "
            "= 'main' AND NOT internal AND table_name NOT LIKE '%_latest'"
        ).fetchall()
        meta = connection.execute(
            "SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 'meta'"
        ).fetchall()
    assert tables.keys() == TABLES.keys()
    for name, comment in tables.items():
        assert TABLES[name].zh in comment
        assert TABLES[name].en in comment
    assert len(columns) == sum(len(t.columns) for t in TABLES.values())
    for _, name, _, comment in columns:
        assert FIELDS[name].doc_zh in comment
        assert FIELDS[name].doc_en in comment
    assert {name for name, _ in meta} == {
        "quarantine",
        "drift",
        "load_status",
        "dictionary",
        "not_available",
        "joins",
        "published",
        "accounts",
        "quotas",
        "tables",
        "partitions",
        "load_status_days",
        "layout",
        "marts",
    }
    assert all(comment for _, comment in meta)


def test_the_lake_s_schema_fits_every_published_table(lake, warehouse):
    for table in TABLES.values():
        lake.write(table.name, DAY, arrow_schema(table).empty_table())
    assert warehouse.publish().partitions == len(TABLES)
    with warehouse.connect() as connection:
        for table in TABLES.values():
            assert connection.execute(f'SELECT * FROM "{table.name}"').to_arrow_table().schema.names == list(
                table.columns
            )


@pytest.fixture(scope="module")
def published_empty(tmp_path_factory) -> Warehouse:
    home = tmp_path_factory.mktemp("empty")
    warehouse = Warehouse(home / "warehouse.duckdb", Lake(home / "lake"), home / "locks")
    warehouse.publish()
    return warehouse


@pytest.fixture(scope="module")
def opened_empty(published_empty: Warehouse):
    with published_empty.connect() as connection:
        yield connection


def test_load_status_is_replaced_as_a_whole(lake, warehouse, tmp_path):
    state = State(f"sqlite:///{tmp_path / 'state.db'}")
    for outcome in (Outcome.NOT_READY, Outcome.LOADED):
        save_load_status(
            state,
            [LoadStatus("user_fans", DAY, "user_fans", "app", "someone", outcome, calls=2, reason="因为 why")],
            0.0,
        )
        warehouse.publish(lambda: {"meta.load_status": load_status_batches(state)})
    state.close()
    with warehouse.connect() as connection:
        assert connection.execute("SELECT open_id, status, calls, reason FROM meta.load_status").fetchall() == [
            ("someone", "loaded", 2, "因为 why")
        ]


def test_a_reader_keeps_what_it_opened_and_the_next_one_sees_the_new_file(lake, warehouse, tmp_path):
    lake.write("hot_words", DAY, hot_words(DAY, 3))
    warehouse.publish()
    # Another process keeps the file open: within one process DuckDB shares an open database between connections.
    reader = Reader(warehouse.path)
    try:
        assert reader.count() == 3
        lake.write("hot_words", DAY, hot_words(DAY, 8))
        warehouse.publish()
        assert reader.count() == 3
        assert count(warehouse) == 8
    finally:
        reader.close()


class Reader:
    """A process that keeps the warehouse open and counts hot words on request."""

    def __init__(self, path: Path) -> None:
        import subprocess
        import sys

        code = (
            "import duckdb, sys\n"
            "c = duckdb.connect(sys.argv[1], read_only=True)\n"
            "for line in sys.stdin: print(c.execute('SELECT count(*) FROM hot_words').fetchone()[0], flush=True)\n"
        )
        self._process = children.start(
            [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def count(self) -> int:
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=scaled(20))
        self._process.stdout.close()


def test_what_a_dead_publisher_left_is_harmless(lake, warehouse):
    lake.write("hot_words", DAY, hot_words(DAY, 3))
    warehouse.publish()
    building = warehouse.path.with_name(warehouse.path.name + ".building")
    # A publisher that died: a half-made file, and the log of rows that were never check-pointed.
    with duckdb.connect(str(building)) as connection:
        connection.execute("CREATE TABLE hot_words (phantom INTEGER)")
    wal = building.with_name(building.name + ".wal")
    wal.write_bytes(b"not a log")
    lake.write("hot_words", DAY, hot_words(DAY, 4))
    warehouse.publish()
    assert count(warehouse) == 4
    assert not building.exists()
    assert not wal.exists()


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["lost", "garbage", "other layout"])
def test_a_lost_or_outdated_file_is_rebuilt_from_parquet(lake, warehouse, damage: str):
    for n in range(3):
        lake.write("hot_words", DAY + timedelta(days=n), hot_words(DAY + timedelta(days=n), 2))
    warehouse.publish()
    if damage == "lost":
        warehouse.path.unlink()
    elif damage == "garbage":
        warehouse.path.write_bytes(b"this is no database" * 100)
    else:
        with duckdb.connect(str(warehouse.path)) as connection:
            connection.execute("UPDATE meta.layout SET layout = 'an older one'")
    assert not warehouse.is_current()
    done = warehouse.publish()
    assert done.rebuilt
    assert count(warehouse) == 6
    assert warehouse.is_current()


def test_a_failed_publication_leaves_the_last_file_and_no_rubbish(lake, warehouse):
    lake.write("hot_words", DAY, hot_words(DAY, 3))
    warehouse.publish()
    rows = hot_words(DAY, 2)
    lake.write("hot_words", DAY + timedelta(days=1), rows.append_column("stranger", rows["rank"]))

    def reads_badly():
        raise OSError("the state cannot be read")

    with pytest.raises(OSError, match="the state cannot be read"):
        warehouse.publish(reads_badly)
    assert count(warehouse) == 3
    assert sorted(p.name for p in warehouse.path.parent.iterdir() if p.name.startswith("warehouse")) == [
        "warehouse.duckdb",
        "warehouse.duckdb.holds",
    ]


def test_a_file_that_reads_back_but_does_not_fit_is_left_out_alone(lake, warehouse):
    other = DAY + timedelta(days=1)
    rows = hot_words(other, 2)
    lake.write("hot_words", DAY, hot_words(DAY, 3))
    lake.write("hot_words", other, rows.append_column("stranger", rows["rank"]))
    done = warehouse.publish()
    assert [(d.table, d.dt) for d in done.damaged] == [("hot_words", other)]
    assert "stranger" in str(done.damaged[0])
    assert f"`douyin replay --select hot_words --from {other} --to {other}`" in str(done.damaged[0])
    assert str(lake.path("hot_words", other)) in str(done.damaged[0])
    assert count(warehouse) == 3


def test_nothing_published_yet_is_said_plainly(warehouse):
    with pytest.raises(FileNotFoundError, match="nothing was published"):
        warehouse.connect()


def test_two_publishers_wait_for_each_other(lake, warehouse):
    import threading

    for n in range(4):
        lake.write("hot_words", DAY + timedelta(days=n), hot_words(DAY + timedelta(days=n), 2))
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(3):
                warehouse.publish()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert count(warehouse) == 8


def test_a_listing_s_latest_view_shows_each_entity_once(lake, warehouse):
    schema = arrow_schema(TABLES["videos"])

    def listed(day: date, title: str) -> pa.Table:
        row = dict.fromkeys(schema.names) | {
            "dt": day,
            "observed_at": f"{day}T03:00:00Z",
            "source": "video_list",
            "client_key": "app",
            "open_id": "o",
            "item_id": "@i",
            "title": title,
        }
        return pa.table(
            {
                f.name: pa.array([row[f.name]]).cast(f.type) if row[f.name] is not None else pa.nulls(1, f.type)
                for f in schema
            }
        )

    lake.write("videos", DAY, listed(DAY, "旧标题"))
    lake.write("videos", DAY + timedelta(days=1), listed(DAY + timedelta(days=1), "新标题"))
    warehouse.publish()
    with warehouse.connect() as connection:
        assert connection.execute("SELECT title FROM videos_latest").fetchall() == [("新标题",)]
        assert connection.execute("SELECT count(*) FROM videos").fetchone() == (2,)


def test_an_older_file_is_carried_on_in_the_storage_version_of_today(lake, warehouse):
    """It is not rebuilt, which would take minutes."""
    lake.write("hot_words", DAY, hot_words(DAY, 3))
    warehouse.publish()
    older = warehouse.path.with_name("older.duckdb")
    with duckdb.connect() as connection:
        connection.execute(
            f"ATTACH '{older}' AS older (STORAGE_VERSION 'v1.0.0'); ATTACH '{warehouse.path}' AS newer "
            "(READ_ONLY); COPY FROM DATABASE newer TO older"
        )
    older.replace(warehouse.path)
    lake.write("hot_words", DAY + timedelta(days=1), hot_words(DAY + timedelta(days=1), 4))
    done = warehouse.publish()
    assert not done.rebuilt
    with warehouse.connect() as connection:
        assert connection.execute("SELECT count(*) FROM hot_words").fetchone() == (7,)
        assert connection.execute(
            "SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal"
        ).fetchone() == ("v1.4.0+",)


@pytest.mark.slow
def test_what_daily_publications_leave_is_merged_at_every_eighth_day(lake, warehouse):
    groups = {}
    for n in range(16):
        day = DAY + timedelta(days=n)
        lake.write("hot_words", day, hot_words(day, 3))
        warehouse.publish()
        with warehouse.connect() as connection:
            groups[day], rows = connection.execute(
                "SELECT count(DISTINCT row_group_id), (SELECT count(*) FROM hot_words) FROM "
                "pragma_storage_info('hot_words')"
            ).fetchone()
        assert rows == 3 * (n + 1)
    due = [d for d in groups if d.toordinal() % 8 == 0]
    assert len(due) >= 2
    assert all(groups[d] <= 2 for d in due)
    assert max(groups.values()) >= 7


def test_quarantine_of_an_older_release_is_published_beside_todays(lake: Lake, warehouse: Warehouse):
    """Its files lack the columns about values; every row in them is a row that did not land."""
    from resources.storage.schema import QUARANTINE_SCHEMA

    line = {
        "table_name": "hot_words",
        "operation": "hotsearch_sentences",
        "client_key": "app",
        "open_id": "",
        "position": 1,
        "reason": "r",
        "segment": "s",
        "record": 0,
    }
    new = pa.Table.from_pylist(
        [line | {"dt": DAY, "column_name": "hot_level", "value": "much"}, line | {"dt": DAY}], QUARANTINE_SCHEMA
    )
    old = pa.Table.from_pylist([line | {"dt": DAY - timedelta(days=1)}], QUARANTINE_SCHEMA).drop_columns(
        ["column_name", "value"]
    )
    lake.write("_quarantine/hot_words", DAY, new)
    lake.write("_quarantine/hot_words", DAY - timedelta(days=1), old)
    expected = [(str(DAY - timedelta(days=1)), None, None), (str(DAY), "hot_level", "much"), (str(DAY), None, None)]
    for compacted in (False, True):
        if compacted:
            assert lake.compact("_quarantine/hot_words", f"{DAY:%Y-%m}") == 2
        warehouse.publish(rebuild=True)
        with warehouse.connect() as connection:
            assert (
                connection.execute(
                    "SELECT dt::VARCHAR, column_name, value FROM meta.quarantine ORDER BY ALL NULLS LAST"
                ).fetchall()
                == expected
            )
