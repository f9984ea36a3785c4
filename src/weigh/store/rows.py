"""What is known of each file of the inventory, in a SQLite file that may be thrown away at any time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import NamedTuple

VERSION = 1  # what is read of a file, or how; another one and everything is read anew
_TABLE = """create table if not exists file (path blob primary key, inode text not null, size integer not null,
    mtime integer not null, left integer not null, used integer not null, traits blob, sample text, sha256 text,
    clone text) without rowid"""
_WAIT = 10.0  # seconds for another process that writes


class Row(NamedTuple):
    """A file as it was: its identity, when it was last used, and what reading it told.

    `left` is the time of access that our own reading left, so that it is not taken for a use. `clone` names files
    that were made to share their bytes though each has an inode of its own.
    """

    inode: str
    size: int
    mtime: int
    left: int
    used: int
    traits: bytes | None = None
    sample: str | None = None
    sha256: str | None = None
    clone: str | None = None


def identity(status: os.stat_result) -> tuple[str, int, int]:
    """What changes with the content: which file, its size, when it was written."""
    return f"{status.st_dev}:{status.st_ino}", status.st_size, status.st_mtime_ns


@contextmanager
def opened(path: str) -> Iterator[sqlite3.Connection]:
    """The file, made where it is not there and made anew where it is none of ours; in memory where none can be made."""
    connection = _first_of(path)
    with closing(connection):
        yield connection


def read_rows(connection: sqlite3.Connection) -> dict[str, Row]:
    """All of them by path; none where the file is damaged."""
    try:
        found = connection.execute("select * from file").fetchall()
        return {os.fsdecode(path): Row(*rest) for path, *rest in found}
    except (sqlite3.DatabaseError, TypeError):
        return {}


def write_rows(connection: sqlite3.Connection, rows: Mapping[str, Row], gone: Iterable[str] = ()) -> bool:
    """Keep these and forget those, all or nothing; False where it could not be written: then it is read again."""
    try:
        with connection:
            connection.executemany("delete from file where path = ?", ((os.fsencode(path),) for path in gone))
            connection.executemany(
                "replace into file values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((os.fsencode(path), *row) for path, row in rows.items()),
            )
    except sqlite3.DatabaseError:
        return False
    return True


def _first_of(path: str) -> sqlite3.Connection:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return _prepared(path)
    except sqlite3.OperationalError:  # locked, or not writable here
        return _prepared(":memory:")
    except sqlite3.DatabaseError:  # not a data base
        with suppress(OSError):
            os.unlink(path)
        return _prepared(path if not os.path.lexists(path) else ":memory:")
    except OSError:
        return _prepared(":memory:")


def _prepared(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_WAIT)
    try:
        if connection.execute("pragma user_version").fetchone()[0] != VERSION:
            with connection:
                connection.execute("drop table if exists file")
                connection.execute(f"pragma user_version = {VERSION}")
        with connection:
            connection.execute(_TABLE)
    except BaseException:
        connection.close()
        raise
    return connection
