"""Copying a large file: the same bytes, by the kernel or by hand, and errors are reported."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from syncing import syncs

from resources.storage import file_copy
from resources.storage.file_copy import copy_file


@pytest.fixture(params=["by the kernel", "by hand", "the kernel cannot"])
def way(request, monkeypatch):
    monkeypatch.setattr(file_copy, "_CHUNK", 1000)
    if request.param == "by hand":
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    elif request.param == "the kernel cannot":

        def refuse(*_: object) -> int:
            raise OSError(errno.EXDEV, "Invalid cross-device link")

        monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 123_456])
def test_the_copy_has_the_same_bytes(tmp_path, way, pool, size: int):
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(os.urandom(size))
    target.write_bytes(b"longer than some" * 10)
    copy_file(source, target, pool).result()
    assert target.read_bytes() == source.read_bytes()


def test_a_full_disk_is_reported(tmp_path, monkeypatch, pool):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    source = tmp_path / "a"
    source.write_bytes(b"x" * 5000)
    from pathlib import Path

    with pytest.raises(OSError, match="No space left"):
        copy_file(source, Path("/dev/full"), pool)


def test_a_missing_source_is_reported(tmp_path, pool):
    with pytest.raises(FileNotFoundError):
        copy_file(tmp_path / "none", tmp_path / "b", pool)


def test_a_failed_flush_is_reported(tmp_path, monkeypatch, pool):
    """The kernel reports it only once."""
    monkeypatch.setattr(file_copy, "_CHUNK", 1000)

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    source = tmp_path / "a"
    source.write_bytes(b"x" * 5000)
    with pytest.raises(OSError, match="Input/output error"):
        copy_file(source, tmp_path / "b", pool).result()


def test_all_of_the_copy_is_on_disk_when_its_flush_is_done(tmp_path, way, pool):
    source = tmp_path / "a"
    source.write_bytes(os.urandom(123_456))
    with syncs() as seen:
        copy_file(source, tmp_path / "b", pool).result()
    assert seen[-1] == ("fsync", "b", 123_456)
