"""A checksum for each file of the lake: an empty file beside it, whose name is the checksum: ``.data.parquet.sha256-<64 digits>``.

A name is there or not, so nothing has to be flushed and no bit of it can flip. It is made before the file is renamed to
its place, and that of the file before it goes afterwards: at whatever instant a writer is killed, what lies there is
told by one of the names. The file itself
    stays plain Parquet with the same bytes.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def digest_of(path: Path) -> str:
    """The checksum of all bytes of a file, as ``sha256sum`` prints it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded(path: Path) -> set[str]:
    """Checksums that stand beside a file: none where an elder release wrote it, two where a writer was killed."""
    prefix = _name(path, "")
    try:
        return {name.removeprefix(prefix) for name in os.listdir(path.parent) if name.startswith(prefix)}
    except FileNotFoundError:
        return set()


def record(path: Path, digest: str) -> str:
    """Write down the checksum of what lies at ``path``, or will in a moment; gives it back."""
    os.close(os.open(path.with_name(_name(path, digest)), os.O_CREAT | os.O_WRONLY, 0o666))
    return digest


def forget(path: Path, *, but: str | None = None, these: set[str] | None = None) -> None:
    """Take away the checksums of a file: all, all but one, or only these."""
    for digest in (recorded(path) if these is None else these) - {but}:
        path.with_name(_name(path, digest)).unlink(missing_ok=True)


def _name(path: Path, digest: str) -> str:
    return f".{path.name}.sha256-{digest}"
