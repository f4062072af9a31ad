"""Compare ways from bodies to rows: the JSON list as text in DuckDB against others in DuckDB and Python.

Every way must return the same number of rows and the same sum of ranks.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

import duckdb
import orjson
import pandas as pd

BODIES, ROWS, ROUNDS = 2_000, 30, 3
_MEMBERS = ("rank", "rank_change", "nickname", "avatar", "follower_count", "onbillbaord_times", "effect_value")


def write_spool(path: Path) -> None:
    """Write the bodies as NDJSON."""
    rows = [
        {
            "rank": i + 1,
            "rank_change": "1",
            "nickname": f"示例达人{i}",
            "avatar": f"https://p1.example.cn/avatar/{i}.jpeg",
            "follower_count": str(i * 1000) if i % 2 else i * 1000,
            "onbillbaord_times": 14,
            "effect_value": 98213.5,
            "video_list": [
                {"item_cover": "https://p1.example.cn/c.jpeg", "share_url": "https://example.cn/v", "title": "标题"}
            ]
            * 2,
        }
        for i in range(ROWS)
    ]
    body = orjson.dumps({"data": {"list": rows}, "extra": {"error_code": 0, "logid": "x", "now": 1}})
    with open(path, "wb") as file:
        for i in range(BODIES):
            file.write(b'{"r":%d,"b":%s}\n' % (i, body))


def main() -> None:
    """Measure all ways and print."""
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder) / "bodies.ndjson"
        write_spool(spool)
        read = f"read_json('{spool}', format = 'newline_delimited', columns = {{r: 'BIGINT', b: '%s'}})"
        text = json.dumps(dict.fromkeys(_MEMBERS, "VARCHAR"))
        struct = ", ".join(f"{m} VARCHAR" for m in _MEMBERS)
        connection = duckdb.connect(config={"threads": 1})

        def sql(query: str):
            return lambda: (lambda t: (t.num_rows, sum(int(v) for v in t["rank"].to_pylist())))(
                connection.execute(query).to_arrow_table()
            )

        def python():
            frames = []
            for line in spool.open("rb"):
                frames += [{m: r[m] for m in _MEMBERS} for r in orjson.loads(line)["b"]["data"]["list"]]
            frame = pd.DataFrame(frames, columns=list(_MEMBERS))
            return len(frame), int(frame["rank"].sum())

        rows = f"SELECT r, unnest(json_extract(b, '$.data.list[*]')) AS x FROM {read % 'JSON'}"
        ways = {
            "JSON list, json_transform to text (ours)": sql(
                f"SELECT r, t.* FROM (SELECT r, json_transform(x, '{text}') AS t FROM ({rows}))"
            ),
            "JSON list, ->> per column": sql(
                f"SELECT r, {', '.join(f'x->>{m!r} AS {m}' for m in _MEMBERS)} FROM ({rows})"
            ),
            "typed STRUCT read": sql(
                "SELECT r, x.* FROM (SELECT r, unnest(b.data.list) AS x FROM "
                f"{read % f'STRUCT(data STRUCT(list STRUCT({struct})[]))'})"
            ),
            "orjson, one DataFrame": python,
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                began = time.process_time()
                result = way()
                times[name].append(time.process_time() - began)
                assert result == (BODIES * ROWS, BODIES * ROWS * (ROWS + 1) // 2), (name, result)
        ours = statistics.median(times[next(iter(ways))])
        print(f"{BODIES * ROWS:,} rows, median of {ROUNDS}, CPU seconds and ratio to ours")
        for name, seconds in times.items():
            middle = statistics.median(seconds)
            print(f"  {name:45} {middle:6.3f} s  {middle / ours:5.2f}x")


if __name__ == "__main__":
    main()
