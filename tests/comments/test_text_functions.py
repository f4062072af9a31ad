"""The text functions as SQL calls them: a real connection, vectors with NULLs, and lazy loading."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from patience import scaled

from services.comments.functions import FUNCTIONS, register
from services.comments.rules import SHIPPED

TEXT = "兰朵咖啡的雲棲拿鐵好喝😍 多少錢呀？加v: lanto_2026"


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        register(opened)
        yield opened


def one(connection: duckdb.DuckDBPyConnection, call: str, *values: object) -> object:
    return connection.execute(f"SELECT {call}", values).fetchone()[0]


ANSWERS = {
    "zh_terms": (["兰朵咖啡", "云栖拿铁", "好喝"], []),
    "comment_needs": (["ask_price", "praise"], []),
    "comment_sentiment": (0.8165, None),
    "is_question": (True, False),
    "mask_personal": ("兰朵咖啡的雲棲拿鐵好喝😍 多少錢呀？加v: ***", ""),
}


def test_every_function_is_tested_and_described():
    assert set(ANSWERS) == set(FUNCTIONS)
    for name, function in FUNCTIONS.items():
        assert function.signature == f"{name}(text VARCHAR) -> {function.returns}"
        assert function.en
        assert function.zh
        assert "heuristic" in function.en or name in ("zh_terms", "mask_personal"), "what may be wrong says so"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_answers_types_and_null(connection, name: str):
    said, nothing = ANSWERS[name]
    assert one(connection, f"{name}(?)", TEXT) == said
    assert one(connection, f"{name}('')") == nothing
    assert one(connection, f"{name}(NULL)") is None
    assert one(connection, f"typeof({name}(''))") == FUNCTIONS[name].returns


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("声音太小了听不清🔥🔥", ["complain"]),
        ("声音太小了听不清[赞]", ["complain"]),
        ("声音太小了听不清，画面好看🔥", ["complain", "praise"]),
        ("🔥🔥", ["praise"]),
    ],
)
def test_faces_make_no_praise_of_a_complaint(connection, text: str, needs: list[str]):
    assert one(connection, "comment_needs(?)", text) == needs


@pytest.mark.parametrize("name", FUNCTIONS)
def test_rows_keep_their_places(connection, name: str):
    """Over more than one vector, with NULLs between, filtered, and in another order."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE said AS SELECT n, CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN ? WHEN 2 "
        "THEN '' ELSE '地址 ' || n END AS text FROM range(2500) r(n)",
        [TEXT],
    )
    rows = dict(connection.execute(f"SELECT n, {name}(text) FROM said").fetchall())
    assert len(rows) == 2500
    said, nothing = ANSWERS[name]
    assert all(rows[n] is None for n in range(0, 2500, 4))
    assert all(rows[n] == said for n in range(1, 2500, 4))
    assert all(rows[n] == nothing for n in range(2, 2500, 4))
    assert rows[2499] == one(connection, f"{name}('地址 2499')")
    assert dict(connection.execute(f"SELECT n, {name}(text) FROM said WHERE n % 3 = 0 ORDER BY n DESC").fetchall()) == {
        n: v for n, v in rows.items() if n % 3 == 0
    }


def test_all_in_one_query_and_on_several_threads(connection):
    columns = ", ".join(f"{name}(text)" for name in FUNCTIONS)
    texts = [TEXT, "求地址[赞]", "太好看了", "", "138 0000 0000"]
    alone = [tuple(one(connection, f"{name}(?)", text) for name in FUNCTIONS) for text in texts]

    def ask(first: int) -> bool:
        mine = texts[first:] + texts[:first]
        rows = (
            connection.cursor()
            .execute(
                f"SELECT {columns} FROM (SELECT unnest(?::VARCHAR[]) AS text, n FROM range(300) r(n)) ORDER BY n",
                [mine],
            )
            .fetchall()
        )
        return rows == (alone[first:] + alone[:first]) * 300

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [True] * 4


def test_a_view_of_them_can_be_read_by_a_cursor(connection):
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW needs_of AS SELECT unnest(comment_needs(t)) AS need FROM (VALUES "
        "('多少钱'), ('求链接'), ('哈哈')) v(t)"
    )
    assert connection.cursor().execute("SELECT comment_needs('多少钱')").fetchone() == (["ask_price"],)
    assert connection.execute("SELECT need FROM needs_of ORDER BY ALL").fetchall() == [("ask_link",), ("ask_price",)]


def test_bad_rules_are_reported_by_the_query_not_by_registering(tmp_path: Path):
    with duckdb.connect() as opened:
        register(opened, tmp_path)
        assert one(opened, "mask_personal('微信 abc123')") == "微信 ***", "masking needs no file"
        for _ in range(2):
            with pytest.raises(duckdb.Error, match=r"rules\.yaml|user_words\.txt|sentiment\.yaml"):
                one(opened, "comment_needs('多少钱')")


_CHILD = """
import json, sys, time
import duckdb, pyarrow
from resources.sql import DUCKDB_SESSION
from services.comments.functions import FUNCTIONS, register
register(duckdb.connect())
opened = duckdb.connect()
opened.execute(DUCKDB_SESSION)
began = time.process_time()
register(opened)
took = time.process_time() - began
opened.execute("CREATE TABLE said AS SELECT unnest(?::VARCHAR[]) AS text LIMIT 0", [[]])
columns = ", ".join(f"{name}(text) AS {name}" for name in FUNCTIONS)
opened.execute(f"CREATE VIEW read AS SELECT {columns} FROM said")
early = sorted({"rjieba", "opencc"} & set(sys.modules))
opened.execute("INSERT INTO said SELECT unnest(?::VARCHAR[])", [json.loads(sys.argv[1])])
print(json.dumps([took, early, opened.execute("SELECT * FROM read").fetchall()]))
"""


@pytest.mark.slow  # two seconds of CPU, nearly all of it imports
def test_binding_loads_no_dictionary_and_another_process_answers_the_same(connection):
    texts = ["這個多少錢", TEXT, "太好看了[赞]", "求链接 微信 abc123", None]
    seed = str(hash(TEXT) % 1000 + 1)
    reported = subprocess.run(
        [sys.executable, "-c", _CHILD, json.dumps(texts)],
        env=os.environ | {"PYTHONPATH": str(SHIPPED), "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert reported.returncode == 0, reported.stderr
    took, early, answers = json.loads(reported.stdout)
    assert early == [], "a dictionary was loaded before the first row"
    assert took < scaled(0.02), "2 ms of CPU on an idle machine"
    assert answers == [[one(connection, f"{name}(?)", text) for name in FUNCTIONS] for text in texts]
