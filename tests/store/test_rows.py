"""What is known of files is kept, and lost without harm."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from weigh.store.rows import Row, opened, read_rows, write_rows

ROW = Row("1:2", 3, 4, 5, 6, b"{}", "sample", None, None)


def test_rows_are_there_the_next_time(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "inventory.sqlite3")
    odd = os.fsdecode(b"/odd/\xff")
    with opened(path) as rows:
        assert write_rows(rows, {"/a": ROW, odd: ROW, "/gone": ROW})
    with opened(path) as rows:
        assert write_rows(rows, {"/a": ROW._replace(size=7)}, ["/gone"])
        assert read_rows(rows) == {"/a": ROW._replace(size=7), odd: ROW}


@pytest.mark.parametrize("ruin", [b"no data base at all" * 100, b"SQLite format 3\0" + bytes(4080)])
def test_a_damaged_file_is_made_anew(ruin: bytes, tmp_path: Path) -> None:
    path = tmp_path / "inventory.sqlite3"
    path.write_bytes(ruin)
    with opened(str(path)) as rows:
        assert read_rows(rows) == {} and write_rows(rows, {"/a": ROW}) and read_rows(rows) == {"/a": ROW}


def test_rows_of_another_version_are_forgotten(tmp_path: Path) -> None:
    import sqlite3

    path = str(tmp_path / "inventory.sqlite3")
    with closing(sqlite3.connect(path)) as other:
        other.execute("create table file (path text, colour text)")
        other.execute("insert into file values ('/a', 'red')")
        other.execute("pragma user_version = 77")
        other.commit()
    with opened(path) as rows:
        assert read_rows(rows) == {} and write_rows(rows, {"/a": ROW})


def test_where_nothing_can_be_written_all_goes_on_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with opened(str(tmp_path / "file" / "inventory.sqlite3")) as rows:
        assert write_rows(rows, {"/a": ROW}) and read_rows(rows) == {"/a": ROW}
