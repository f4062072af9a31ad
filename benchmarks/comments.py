"""Measure the text functions over comments in DuckDB, each alone and all five in one query.

The unit is comments per second of CPU. The comments are those of the evaluation, some followed by a number, so that few
are alike.
"""

from __future__ import annotations

import statistics
import time

import duckdb

from services.comments.evaluate import load_examples
from services.comments.functions import FUNCTIONS, register
from services.comments.reading import analyser
from services.comments.rules import SHIPPED

COMMENTS, ROUNDS = 100_000, 3


def main() -> None:
    """Measure and print."""
    began = time.process_time()
    classes = [need.id for need in analyser().classes]
    print(f"loading rules and dictionaries  {time.process_time() - began:6.2f} s, once a process")
    texts = [e.text for e in load_examples(SHIPPED / "needs", classes)]
    connection = duckdb.connect(config={"threads": 1})
    began = time.process_time()
    register(connection)
    print(f"registering                     {(time.process_time() - began) * 1000:6.2f} ms")
    connection.execute("CREATE TABLE said AS SELECT unnest(?::VARCHAR[]) AS text", [texts])
    connection.execute(
        "CREATE TABLE comments AS SELECT text || CASE WHEN n % 3 = 0 THEN ' ' || n ELSE '' END AS text "
        f"FROM said, range({COMMENTS // len(texts) + 1}) r(n) LIMIT {COMMENTS}"
    )
    queries = {name: f"{name}(text)" for name in FUNCTIONS}
    taken: dict[str, list[float]] = {name: [] for name in [*queries, "all five"]}
    for _ in range(ROUNDS):
        for name in taken:
            columns = ", ".join(queries.values()) if name == "all five" else queries[name]
            began = time.process_time()
            connection.execute(f"CREATE OR REPLACE TEMP TABLE answers AS SELECT {columns} FROM comments")
            taken[name].append(time.process_time() - began)
    for name, times in taken.items():
        print(f"{name:<20} {COMMENTS / statistics.median(times):>12,.0f} comments/s")


if __name__ == "__main__":
    main()
