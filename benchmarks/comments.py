"""How many comments a core reads a second: all five functions of ``assets/needs`` in DuckDB, over the sandbox's phrases."""

from __future__ import annotations

import random
import time

import duckdb
import pyarrow as pa

from assets.needs.functions import FUNCTIONS, register
from sandbox.phrases import COMMENTS, ENDINGS

ROWS = 40_000


def main() -> None:
    draw = random.Random(7)
    phrases = [text for _, texts in COMMENTS for text in texts]
    texts = [draw.choice(phrases).format(goods="空气炸锅", object="手擀面", place="武汉", friend="小满", topic="露营") + draw.choice(ENDINGS) for _ in range(ROWS)]
    with duckdb.connect() as connection:
        register(connection)
        connection.execute("SET threads = 1")
        connection.register("comments", pa.table({"content": texts}))
        connection.execute("SELECT " + ", ".join(f"{name}(content)" for name in FUNCTIONS) + " FROM comments LIMIT 1").fetchall()
        for names in (list(FUNCTIONS), *([name] for name in FUNCTIONS)):
            began = time.process_time()
            connection.execute("SELECT " + ", ".join(f"{name}(content)" for name in names) + " FROM comments").to_arrow_table()
            print(f"{' + '.join(names) if len(names) < 3 else 'all five':<20} {ROWS / (time.process_time() - began):>10,.0f} comments per CPU second")


if __name__ == "__main__":
    main()
