"""The metric dictionary: no column of the warehouse without a meaning in both languages."""

from __future__ import annotations

import re

import pytest

from assets.dictionary import dictionary
from assets.marts.binding import bind
from assets.warehouse import publish
from catalog import FIELDS, TABLES
from catalog.notes import NOTES
from resources.marts import load_marts
from resources.runtime import Runtime
from resources.settings import Settings

LINES = dictionary(bind(load_marts())).to_pylist()
_CHINESE = re.compile("[一-鿿]")


def test_every_column_has_a_meaning_in_both_languages():
    bare = [
        (x["table_name"], x["column_name"])
        for x in LINES
        if not (x["name_en"] and x["meaning_en"] and x["name_zh"] and x["meaning_zh"] and _CHINESE.search(x["name_zh"] + x["meaning_zh"]))
    ]
    assert bare == []


def test_every_core_column_is_there_with_the_operations_that_fill_it():
    found = {(x["table_name"], x["column_name"]) for x in LINES if x["table_schema"] == "main"}
    assert found == {(t.name, c) for t in TABLES.values() for c in t.columns}
    assert [x for x in LINES if x["table_schema"] == "main" and not x["source_operations"]] == []


@pytest.mark.parametrize(("ending", "unit"), [("_ratio", "ratio"), ("_per_hour", "ranks/h"), ("_days", "d"), ("hours_on_board", "h")])
def test_a_column_s_name_and_unit_agree(ending: str, unit: str):
    wrong = [(x["table_name"], x["column_name"], x["unit"]) for x in LINES if x["table_schema"] == "marts" and x["column_name"].endswith(ending) and x["unit"] != unit]
    assert wrong == []


def test_ratios_are_never_summed():
    assert [x["column_name"] for x in LINES if x["unit"] == "ratio" and x["additive"] != "not additive"] == []


def test_what_a_mart_s_column_is_made_of_is_told():
    made = {(x["table_name"], x["column_name"]): x for x in LINES if x["table_schema"] == "marts"}
    assert made["account_daily", "engagement_ratio"]["made_of"] == "main.user_comment.new_comment, main.user_item.new_play, main.user_like.new_like, main.user_share.new_share"
    assert "user_fans" in made["account_daily", "total_fans"]["source_operations"]
    assert made["account_daily", "nickname"]["pii"] == "personal"


def test_notes_speak_of_columns_that_there_are():
    known = {(x["table_name"], x["column_name"]) for x in LINES}
    assert [key for key in NOTES if (key not in known and key[0]) or (not key[0] and key[1] not in FIELDS)] == []


def test_the_warehouse_holds_it_and_documents_every_column(tmp_path):
    runtime = Runtime(Settings(_env_file=None, home=tmp_path))
    publish(runtime)
    with runtime.warehouse.connect() as connection:
        assert connection.execute("SELECT count(*) FROM meta.dictionary").fetchone() == (len(LINES),)
        bare = connection.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE comment IS NULL AND database_name = current_database()").fetchall()
    runtime.close()
    assert bare == []
