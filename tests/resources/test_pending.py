"""Atomic writes: a file is complete or absent, and temporary files are removed once their writer is dead."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resources.storage import atomic
from resources.storage.atomic import is_dead, replace_atomic, sweep, this_process, write_atomic

HOUR = 3600.0


@pytest.fixture(scope="module")
def dead() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def left(folder: Path, host: str, pid: int, hours: float = 0.0) -> Path:
    """Write a temporary file whose last write is so long ago."""
    path = folder / f".data.parquet.{host}-{pid}.tmp"
    path.write_bytes(b"half")
    os.utime(path, (time.time() - hours * HOUR,) * 2)
    return path


def test_files_of_this_host_are_swept_when_their_writer_is_dead_however_young(tmp_path, dead):
    gone, alive = left(tmp_path, atomic._HOST, dead), left(tmp_path, atomic._HOST, os.getppid(), hours=100)
    assert sweep([gone, alive]) == [gone]
    assert not gone.exists()
    assert alive.exists()


def test_files_of_another_host_are_left_for_a_day(tmp_path, dead):
    """Whether their writer lives cannot be seen from here; another process may have its number on this host."""
    for pid in (dead, os.getpid(), os.getppid()):
        young, old = left(tmp_path, "elsewhere", pid, hours=23.9), left(tmp_path, f"{atomic._HOST}2", pid, hours=24.1)
        assert sweep([young, old]) == [old]
        assert young.exists()
        assert not old.exists()


def test_a_file_that_another_process_sweeps_meanwhile_is_no_matter(tmp_path, dead, monkeypatch):
    path = left(tmp_path, atomic._HOST, dead)
    monkeypatch.setattr(atomic, "is_alive", lambda pid: path.unlink())
    assert sweep([path]) == [path]


def test_a_file_of_another_host_that_vanishes_is_no_matter(tmp_path):
    assert sweep([tmp_path / ".data.parquet.elsewhere-1.tmp"]) == []


@pytest.mark.parametrize(
    "name",
    [
        "data.parquet",
        "data.parquet.elsewhere-1.tmp",
        ".data.parquet.tmp",
        ".data.parquet.elsewhere-x.tmp",
        ".data.parquet.elsewhere-1.tmp2",
    ],
)
def test_what_is_no_pending_file_stays(tmp_path, name: str):
    path = tmp_path / name
    path.write_bytes(b"")
    os.utime(path, (0, 0))
    assert sweep([path]) == []
    assert path.exists()


def test_what_this_process_writes_stays_and_what_it_left_goes(tmp_path):
    path = tmp_path / "data.parquet"

    def write(file) -> None:
        file.write(b"half")
        found = list(tmp_path.glob(".*.tmp"))
        assert len(found) == 1
        assert sweep(found) == []
        assert found[0].exists()

    assert replace_atomic(path, write) is True
    assert path.read_bytes() == b"half"
    left(tmp_path, atomic._HOST, os.getpid())
    assert len(sweep(tmp_path.glob(".*.tmp"))) == 1, (
        "in a container that was started again, the dead writer had this number"
    )


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside(tmp_path):
    path = tmp_path / "data.parquet"
    write_atomic(path, b"old")

    def fail(file) -> None:
        file.write(b"new")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace_atomic(path, fail)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["data.parquet"]
    assert atomic._writing == set()


def test_a_write_that_fails_is_reported_also_where_the_file_beside_is_gone(tmp_path):
    def fail(file) -> None:
        Path(file.name).unlink()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace_atomic(tmp_path / "data.parquet", fail)


@pytest.mark.parametrize(("data", "replaced"), [(b"same", False), (b"more", True), (b"longer", True)])
def test_a_file_that_has_these_bytes_already_is_left_alone(tmp_path, data: bytes, replaced: bool):
    path = tmp_path / "data.parquet"
    path.write_bytes(b"same")
    os.utime(path, (0, 0))
    before, seen = path.stat().st_ino, []
    assert (
        replace_atomic(
            path, lambda file: file.write(data), unless_same=True, whole=lambda beside: seen.append(beside.read_bytes())
        )
        is replaced
    )
    assert (path.read_bytes(), seen) == (data, [data])
    assert (path.stat().st_ino != before) is replaced
    assert [p.name for p in tmp_path.iterdir()] == ["data.parquet"]
    assert replace_atomic(path, lambda file: file.write(data)) is True


def test_processes_are_known_to_be_dead_by_host_number_and_start(dead, monkeypatch):
    host, pid, started = this_process().split("-")
    assert int(started) > 0
    assert not is_dead(this_process())
    assert not is_dead(f"{host}-{os.getppid()}-0"), "when it began is not known"
    assert not is_dead(f"elsewhere-{dead}-1"), "on another host it is not known"
    assert not is_dead(f"{host}-x-1")
    assert not is_dead(f"{host}-{os.getppid()}-x")
    monkeypatch.setattr(atomic, "_started", lambda _: None)
    assert not is_dead(f"{host}-{os.getppid()}-1"), "the system does not say when it began"
    monkeypatch.undo()
    assert is_dead(f"{host}-{dead}-{started}")
    assert is_dead(f"{host}-{pid}-{int(started) - 1}"), "the number was given again"
