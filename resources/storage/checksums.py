"""Record a checksum for each file of the lake, in the name of an empty file beside it.

The name is ``.data.parquet.sha256-<64 digits>``. A name exists or not, so nothing has to be flushed and no bit of it
can flip. It is created before the data file is renamed to its place, and the previous file's checksum is removed
afterwards: at whatever instant a writer is killed, one of the names matches the data file. The data file itself stays
plain Parquet with the same bytes.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal, as ``sha256sum`` prints it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded(path: Path) -> set[str]:
    """Return the checksums recorded for a file: none for older releases' files, two if a writer was killed."""
    prefix = _name(path, "")
    try:
        return {name.removeprefix(prefix) for name in os.listdir(path.parent) if name.startswith(prefix)}
    except FileNotFoundError:
        return set()


def record(path: Path, digest: str) -> str:
    """Record the checksum of the file that is, or is about to be, at ``path``; return the checksum."""
    os.close(os.open(path.with_name(_name(path, digest)), os.O_CREAT | os.O_WRONLY, 0o666))
    return digest


def forget(path: Path, *, but: str | None = None, these: set[str] | None = None) -> None:
    """Remove a file's recorded checksums: all, all but ``but``, or only ``these``."""
    for digest in (recorded(path) if these is None else these) - {but}:
        path.with_name(_name(path, digest)).unlink(missing_ok=True)


def _name(path: Path, digest: str) -> str:
    return f".{path.name}.sha256-{digest}"
