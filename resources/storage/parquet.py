"""Encode rows as Parquet files, in parts that need little memory."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from resources.storage.partition import ROW_GROUP


def encode(rows: pa.Table) -> memoryview:
    """Encode a table as a Parquet file and return the bytes."""
    sink = io.BytesIO()
    encode_into(sink, rows)
    return sink.getbuffer()


def encode_into(sink: BinaryIO, rows: pa.Table | Iterable[pa.Table]) -> None:
    """Write rows, given whole or in at least one part, to ``sink`` as a Parquet file.

    The same rows give the same bytes, however they are split into parts.
    """
    groups = row_groups([rows] if isinstance(rows, pa.Table) else rows, ROW_GROUP)
    first = next(groups)
    with _writer(sink, first.schema) as writer:
        writer.write_table(first)
        del first
        for group in groups:
            writer.write_table(group)


def row_groups(parts: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """Regroup rows into tables of ``size`` rows, the last one with the remainder.

    Each column has a single chunk, since Parquet's pages follow chunks.
    """
    buffered: list[pa.Table] = []
    count = 0
    for part in parts:
        while count + part.num_rows > size:
            cut = size - count
            buffered, whole = [], pa.concat_tables([*buffered, part.slice(0, cut)]).combine_chunks()
            yield whole
            del whole
            part, count = part.slice(cut), 0
        buffered.append(part)
        count += part.num_rows
    yield pa.concat_tables(buffered).combine_chunks()


def encode_month(days: list[pa.Table], metadata: dict[bytes, bytes]) -> memoryview:
    """Encode days as a Parquet file with one row group for each day that has rows, and return the bytes.

    Columns that days of older releases lack become null.
    """
    sink = io.BytesIO()
    schema = pa.unify_schemas([rows.schema for rows in days]).with_metadata(
        {**(days[0].schema.metadata or {}), **metadata}
    )
    with _writer(sink, schema) as writer:
        for rows in days:
            if rows.num_rows:
                whole = pa.concat_tables([rows, schema.empty_table()], promote_options="default").select(schema.names)
                writer.write_table(whole.combine_chunks().cast(schema), row_group_size=rows.num_rows)
    return sink.getbuffer()


def _writer(sink: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    # zstd level 1: 2.5x less CPU than level 3 for 5 % more bytes.
    return pq.ParquetWriter(sink, schema, compression="zstd", compression_level=1, write_page_checksum=True)
