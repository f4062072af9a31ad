"""Dimensions agree with the catalogue, and ``accounts.csv`` adds what only the team knows."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import duckdb
import pytest

from apps.cli.doctor import check_configuration
from catalog import ENDPOINTS, FIELDS
from catalog.records import Origin
from resources.config.account_attributes import read_attributes
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.state.accounts import add_account
from resources.warehouse.mart_files import load_marts
from resources.warehouse.state_tables import read_state_tables

NOW = "2026-11-16T10:00:00+08:00"


def rows(name: str) -> list[tuple]:
    return duckdb.sql(load_marts()[name].sql).fetchall()


def test_every_billboard_of_the_catalogue_is_a_dimension_with_its_name():
    wanted = set()
    for endpoint in (e for e in ENDPOINTS.values() if e.domain == "billboard"):
        table = endpoint.outputs[0].table
        boards = [c.path for c in endpoint.outputs[0].columns if c.field == "board" and c.origin is Origin.CONST]
        board = boards[0] if boards else endpoint.name.removeprefix("billboard_")
        wanted.add((f"music_{board}" if table == "billboard_music" else board, endpoint.zh, endpoint.en, table))
    found = {(board, zh, en, table) for board, zh, en, _, _, table in rows("dim_boards")}
    places = {row for row in found if row[3] == "poi_billboard"}
    assert found - places == wanted
    assert {int(board.removeprefix("poi_")) for board, *_ in places} == set(FIELDS["poi_category"].allowed)


def test_codes_are_those_of_the_catalogue():
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for column, value, _, zh, en in rows("dim_codes"):
        found.setdefault(column, {})[value] = (zh, en)
    for name, field in FIELDS.items():
        if field.allowed is not None:
            assert found[name].keys() == {str(code) for code in field.allowed}, name
    for column, labels in found.items():
        field = FIELDS.get(column)
        for value, (zh, _) in labels.items() if field is not None and column != "status" else ():
            assert value in field.doc_zh, (column, value)
            assert zh.partition("（")[0] in field.doc_zh, (column, zh)


def test_weeks_and_months_of_all_days_are_the_calendar_s():
    days = duckdb.sql(f"SELECT dt, year, month, iso_week, weekday, week_start FROM ({load_marts()['dim_date'].sql})")
    for dt, year, month, week, weekday, monday in days.fetchall():
        iso = dt.isocalendar()
        assert (year, month, week, weekday) == (dt.year, dt.month, f"{iso.year}-W{iso.week:02}", iso.weekday)
        assert monday == date.fromisocalendar(iso.year, iso.week, 1)


@pytest.fixture
def project(tmp_path: Path):
    runtime = Runtime(
        Settings(
            _env_file=None, home=tmp_path / "home", project=tmp_path, clock=NOW, client_key="app", client_secret="s"
        )
    )
    for who in ("a", "b"):
        add_account(runtime.state, "app", who, name=who, now=runtime.clock.now())
    yield runtime, tmp_path / "accounts.csv"
    runtime.close()


def attributes(runtime: Runtime) -> list[tuple]:
    found = read_state_tables(runtime.state, runtime.settings, runtime.clock.now())["meta.accounts"]
    return [tuple(row.values()) for row in found.select(["open_id", "category", "owner", "client"]).to_pylist()]


def test_attributes_of_the_team_stand_with_their_accounts(project, caplog):
    runtime, file = project
    assert attributes(runtime) == [("a", None, None, None), ("b", None, None, None)]
    file.write_text('open_id,name,category,owner,client\na,甲,美食,小王,"客户, 甲"\n', encoding="utf-8-sig")
    assert attributes(runtime) == [("a", "美食", "小王", "客户, 甲"), ("b", None, None, None)]
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("open_id,owner\n,小王\nb,小李\n", 2, "open_id is empty"),
        ("open_id,owner\nb,小李\nb,小王\n", 3, "is in line 2, too"),
        ("open_id,owner\nb,小李\nc,小王\n", 3, "no account has the open_id c"),
        ("open_id,owner\nb,小李\na\n", 3, "it has not 2 fields"),
        ("open_id,owner\nb,小李\na,小王,美食\n", 3, "it has not 2 fields"),
    ],
)
def test_a_wrong_line_is_left_out_with_file_and_line_and_the_others_count(project, caplog, text, line, fault):
    runtime, file = project
    file.write_text(text, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert attributes(runtime) == [("a", None, None, None), ("b", None, "小李", None)]
    assert f"{file}:{line}: " in caplog.text
    assert fault in caplog.text


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("open_id,负责人\na,小王\n".encode(), "负责人 is unknown"),
        ("owner\n小王\n".encode(), "there is no column open_id"),
        ("open_id,owner\na,小王\n".encode("gb18030"), "save it as “CSV UTF-8”"),
        (b"", "there is no column open_id"),
    ],
)
def test_doctor_reports_a_file_that_cannot_be_used(project, content, fault):
    runtime, file = project
    file.write_bytes(content)
    assert attributes(runtime)[0] == ("a", None, None, None)
    (refused,) = read_attributes(runtime.settings.project).refused
    assert refused.startswith(f"{file}:1: ")
    assert fault in refused
    assert refused in [finding.what for finding in check_configuration(runtime.settings)]
