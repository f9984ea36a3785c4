"""An index file: passages of documents, their words and their vectors, in one SQLite database."""

from __future__ import annotations

import math
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from weigh.codecs.passages import Passage
from weigh.codecs.words import terms, words
from weigh.core.errors import SourceError
from weigh.core.value import Value
from weigh.store.documents import Kind, Stamp

APPLICATION = 0x77676831  # "wgh1": in the head of the file
BUSY_SECONDS = 30.0
MOST_TERMS = 64
_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE files (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, nbytes INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL, kind TEXT NOT NULL, skipped TEXT)",
    "CREATE TABLE passages (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, first INTEGER, last INTEGER,"
    " start INTEGER, digest BLOB NOT NULL, text TEXT NOT NULL)",
    "CREATE TABLE vectors (digest BLOB PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE INDEX passages_file ON passages (file)",
)
_FAST = "CREATE VIRTUAL TABLE words USING fts5 (body, tokenize = 'porter unicode61 remove_diacritics 2')"
_PLAIN = "CREATE TABLE words (body TEXT NOT NULL)"
_SHADOWS = frozenset({"words", *(f"words_{name}" for name in ("config", "content", "data", "docsize", "idx"))})
_K1, _B = 1.2, 0.75  # of BM25, as FTS5 has them


class Found(Value, frozen=True, kw_only=True):
    """One passage, and where it is from. A picture has no lines and no text."""

    id: int
    path: bytes
    kind: Kind
    first: int | None = None
    last: int | None = None
    start: int | None = None
    text: str = ""


class Counts(Value, frozen=True, kw_only=True):
    """What an index holds."""

    files: int
    passages: int
    vectors: int


class Index:
    """An open index file. Every method that changes it leaves it whole, however the program ends."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self.path = path
        self._is_fast = _sql_of(connection, "words") == _FAST

    def said(self, key: str) -> str | None:
        """What is noted under this key."""
        with self._told():
            row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row is not None else None

    def note(self, values: Mapping[str, str]) -> None:
        """Notes these."""
        with self._told(), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())

    def files(self) -> dict[bytes, Stamp]:
        """Each file that was looked at, as it was then."""
        with self._told():
            rows = self._connection.execute("SELECT path, nbytes, mtime_ns FROM files").fetchall()
        return {path: Stamp(nbytes, mtime_ns) for path, nbytes, mtime_ns in rows}

    def has_vector(self, digest: bytes) -> bool:
        """Was this content embedded before?"""
        with self._told():
            return self._connection.execute("SELECT 1 FROM vectors WHERE digest = ?", (digest,)).fetchone() is not None

    def keep(self, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """Vectors by what they are of: they outlive the file that they were made for until `tidy`."""
        with self._told(), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", vectors)

    def put(
        self,
        path: bytes,
        stamp: Stamp,
        kind: Kind,
        content: Sequence[tuple[bytes, Passage | None]],
        skipped: str | None,
    ) -> None:
        """A file with all its passages, in place of what was known of it."""
        with self._told(), self._connection:
            self._drop(path)
            row = (path, *stamp, kind, skipped)
            file = self._connection.execute(
                "INSERT INTO files (path, nbytes, mtime_ns, kind, skipped) VALUES (?, ?, ?, ?, ?)", row
            ).lastrowid
            for digest, passage in content:
                first, last, start = (passage.first, passage.last, passage.offset) if passage else (None, None, None)
                text = passage.text if passage is not None else ""
                id = self._connection.execute(
                    "INSERT INTO passages (file, first, last, start, digest, text) VALUES (?, ?, ?, ?, ?, ?)",
                    (file, first, last, start, digest, text),
                ).lastrowid
                body = " ".join(words(f"{os.fsdecode(path)} {text}".encode("utf-8", "replace").decode()))
                self._connection.execute("INSERT INTO words (rowid, body) VALUES (?, ?)", (id, body))

    def drop(self, paths: Iterable[bytes]) -> None:
        """Files that are no more."""
        with self._told(), self._connection:
            for path in paths:
                self._drop(path)

    def tidy(self) -> None:
        """Lets go of vectors that no passage has any more."""
        with self._told(), self._connection:
            self._connection.execute("DELETE FROM vectors WHERE digest NOT IN (SELECT digest FROM passages)")

    def counts(self) -> Counts:
        """How many of each."""
        ask = (
            "SELECT (SELECT count(*) FROM files WHERE skipped IS NULL),"
            " (SELECT count(*) FROM passages), (SELECT count(*) FROM vectors)"
        )
        with self._told():
            files, passages, vectors = self._connection.execute(ask).fetchone()
        return Counts(files=files, passages=passages, vectors=vectors)

    def skipped(self) -> list[tuple[bytes, str]]:
        """Files that were left out, and why."""
        with self._told():
            return self._connection.execute(
                "SELECT path, skipped FROM files WHERE skipped IS NOT NULL ORDER BY path"
            ).fetchall()

    def vectors(self, kind: Kind, nbytes: int) -> Iterator[tuple[int, bytes]]:
        """Of passages, or of pictures; those that are so long."""
        ask = (
            "SELECT passages.id, vectors.data FROM passages JOIN files ON files.id = passages.file"
            " JOIN vectors ON vectors.digest = passages.digest"
            " WHERE files.kind = ? AND typeof(vectors.data) = 'blob' AND length(vectors.data) = ? ORDER BY passages.id"
        )
        with self._told():
            yield from self._connection.execute(ask, (kind, nbytes))

    def by_words(self, text: str, most: int) -> list[int]:
        """The passages that share the rarest words with a text, by BM25, the best first."""
        asked = terms(text)[:MOST_TERMS]
        if not asked:
            return []
        if not self._is_fast:
            return self._by_reading(asked, most)
        query = " OR ".join(f'"{term}"' for term in asked)
        with self._told():
            rows = self._connection.execute(
                "SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words), rowid LIMIT ?", (query, most)
            )
            return [id for (id,) in rows]

    def found(self, ids: Sequence[int]) -> dict[int, Found]:
        """Each of these passages."""
        ask = (
            "SELECT passages.id, path, kind, first, last, start, text FROM passages"
            " JOIN files ON files.id = passages.file WHERE passages.id = ?"
        )
        with self._told():
            rows = [self._connection.execute(ask, (id,)).fetchone() for id in ids]
            names = ("id", "path", "kind", "first", "last", "start", "text")
            found = [msgspec.convert(dict(zip(names, row, strict=True)), Found) for row in rows if row is not None]
        return {one.id: one for one in found}

    def close(self) -> None:
        """May be called twice."""
        self._connection.close()

    def _drop(self, path: bytes) -> None:
        row = self._connection.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if row is not None:
            inside = "SELECT id FROM passages WHERE file = ?"
            self._connection.execute(f"DELETE FROM words WHERE rowid IN ({inside})", row)
            self._connection.execute("DELETE FROM passages WHERE file = ?", row)
            self._connection.execute("DELETE FROM files WHERE id = ?", row)

    def _by_reading(self, asked: Sequence[str], most: int) -> list[int]:
        """The same without FTS5: every passage is read."""
        with self._told():
            rows = self._connection.execute("SELECT rowid, body FROM words").fetchall()
        held = {id: Counter(body.split(" ")) for id, body in rows}
        usual = sum(counts.total() for counts in held.values()) / max(len(held), 1)
        rare = {term: _rareness(sum(term in counts for counts in held.values()), len(held)) for term in asked}
        scored = []
        for id, counts in held.items():
            weight = _K1 * (1 - _B + _B * counts.total() / usual)
            score = sum(rare[t] * counts[t] * (_K1 + 1) / (counts[t] + weight) for t in asked if counts[t])
            if score:
                scored.append((-score, id))
        return [id for _, id in sorted(scored)[:most]]

    @contextmanager
    def _told(self) -> Iterator[None]:
        with _told(self.path):
            yield


def open_index(path: str) -> Index:
    """The file of this name, made where there is none. Raises SourceError for what is no index of ours."""
    if os.path.islink(path):
        raise SourceError("index.link", path=path)
    with _told(path):
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return Index(connection, path)


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    """What another program planted (a view, a trigger, a table of another form) is no index of ours."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        held = connection.execute("SELECT name, type FROM sqlite_master").fetchall()
        if not held:
            for sql in _TABLES:
                connection.execute(sql)
            connection.execute(_FAST if has_fts5(connection) else _PLAIN)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
        elif not _is_ours(connection, held):
            raise SourceError("index.not_ours", path=path)


def _is_ours(connection: sqlite3.Connection, held: list[tuple[str, str]]) -> bool:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    made = {sql.split(" ")[2]: sql for sql in _TABLES}
    others = {name for name, _ in held} - made.keys() - _SHADOWS
    return (
        application == APPLICATION
        and all(_sql_of(connection, name) == sql for name, sql in made.items())
        and _sql_of(connection, "words") in (_FAST, _PLAIN)
        and all(kind in ("table", "index") for _, kind in held)
        and all(name.startswith("sqlite_autoindex_") for name in others)
    )


def has_fts5(connection: sqlite3.Connection) -> bool:
    """Was this SQLite built with it?"""
    return ("ENABLE_FTS5",) in connection.execute("PRAGMA compile_options").fetchall()


def _sql_of(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return row[0] if row is not None else None


def _rareness(having: int, number: int) -> float:
    return max(math.log((number - having + 0.5) / (having + 0.5)), 1e-6)


@contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, msgspec.ValidationError) as error:
        raise SourceError("index.broken", path=path, problem=str(error)) from error
