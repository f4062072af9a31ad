"""Quoted names and texts come back from the database as they were."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest

from resources.sql import identifier, identifiers, literal

ODD = ["plain", 'a "b"', "it's", "a.b", "'", '"', "抖音; --"]


@pytest.mark.parametrize("connect", [duckdb.connect, lambda: sqlite3.connect(":memory:")], ids=["duckdb", "sqlite"])
def test_odd_names_and_texts_stay_themselves(connect):
    db = connect()
    found = db.execute("SELECT " + ", ".join(f"{literal(text)} AS {identifier(text)}" for text in ODD))
    assert [column[0] for column in found.description] == ODD
    assert found.fetchall() == [tuple(ODD)]
    db.execute(f"CREATE TABLE {identifier('main', ODD[1])} ({identifiers(ODD)})".replace(",", " TEXT,")[:-1] + " TEXT)")
    assert db.execute(f"SELECT count(*) FROM {identifier(ODD[1])}").fetchone() == (0,)


def test_none_is_null():
    assert literal(None) == "NULL"
