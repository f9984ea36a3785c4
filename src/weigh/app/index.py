"""A folder made searchable: what changed in it is read, cut into passages, embedded and kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from weigh.codecs.html_lines import html_lines
from weigh.codecs.passages import Line, Passage, Text, cut, prose, read_text
from weigh.codecs.row_lines import json_lines, table_lines
from weigh.codecs.vectors import unit
from weigh.core.engine import Running
from weigh.core.errors import EngineError, SourceError
from weigh.core.value import Value
from weigh.core.work import Embed, Fault, Piece, Vectors
from weigh.store.documents import Document, documents, kind_of, read, suffix_of
from weigh.store.passages import Index

LONGEST = 1600  # of a passage: about 400 tokens
SHORTEST = 80
BATCH = 64
FATAL = ("engine_died", "out_of_memory", "timed_out", "cancelled")
_LINES: dict[str, Callable[[Text], Iterator[Line]]] = {
    ".html": html_lines,
    ".htm": html_lines,
    ".xhtml": html_lines,
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    ".csv": table_lines,
    ".tsv": table_lines,
}


class Changed(Value, frozen=True, kw_only=True):
    """What a refresh found: files that are new, that changed, that are gone, and vectors that were made."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    embedded: int = 0


class Item(NamedTuple):
    """What gets one vector: a passage, or a picture's bytes."""

    digest: bytes
    passage: Passage | None
    image: bytes | None = None

    @property
    def piece(self) -> Piece:
        """As an embedder takes it."""
        return Piece(image=self.image) if self.passage is None else Piece(text=self.passage.text)


async def refresh(model: Running, index: Index, root: str, tell: Callable[[int, int], None]) -> Changed:
    """Raises SourceError, EngineError; what was embedded until then is kept, and is not embedded again.

    `tell` hears how many of how many files are done.
    """
    known = index.files()
    there = documents(root)
    gone = known.keys() - {one.path for one in there}
    index.drop(gone)
    pending = [one for one in there if known.get(one.path) != one.stamp]
    embedder = Embedder(model, index)
    for number, document in enumerate(pending):
        tell(number, len(pending))
        await _one(embedder, index, root, document)
    tell(len(pending), len(pending))
    index.tidy()
    new = sum(one.path not in known for one in pending)
    return Changed(new=new, changed=len(pending) - new, gone=len(gone), embedded=embedder.made)


class Embedder:
    """A model that embeds into an index: each content once."""

    def __init__(self, model: Running, index: Index) -> None:
        self._model = model
        self._index = index
        self._sees = True
        self.made = 0

    @property
    def longest(self) -> int:
        """How heavy a passage may be, so that nothing of it is cut off."""
        context = self._model.ready.context_length
        return LONGEST if not context else max(min(LONGEST, context * 3), SHORTEST)

    async def embed(self, items: Sequence[Item]) -> str | None:
        """Keeps the vector of each item that has none. The kind of the last fault, where the model did not take one."""
        refused = None
        missing = {item.digest: item for item in items if not self._index.has_vector(item.digest)}
        for batch in _batches([*missing.values()], 1 if items[:1] and items[0].passage is None else BATCH):
            refused = await self._batch(batch) or refused
        return refused

    async def _batch(self, items: Sequence[Item]) -> str | None:
        if items[0].passage is None and not self._sees:
            return "unsupported"
        made = await vectors(self._model, tuple(item.piece for item in items), purpose="document")
        if isinstance(made, Fault):
            if made.kind in FATAL:
                raise EngineError("index.fault", detail=made.detail)
            if len(items) == 1:
                self._sees = self._sees and (items[0].passage is not None or made.kind != "unsupported")
                return made.kind
            told = [await self._batch([item]) for item in items]
            return next((kind for kind in told if kind is not None), None)
        self._note_width(len(made[0]) // 4)
        self._index.keep(zip((item.digest for item in items), made, strict=True))
        self.made += len(items)
        return None

    def _note_width(self, dimensions: int) -> None:
        said = self._index.said("dimensions")
        if said is None:
            self._index.note({"dimensions": str(dimensions)})
        elif said != str(dimensions):
            raise SourceError("index.dimensions", path=self._index.path, said=said, found=dimensions)


async def vectors(model: Running, pieces: tuple[Piece, ...], *, purpose: str) -> list[bytes] | Fault:
    """One vector of length 1 a piece, or why there is none."""
    found: list[bytes] = []
    job = Embed(pieces=pieces, purpose="query" if purpose == "query" else "document")
    async for event in model.run(job):
        match event:
            case Vectors():
                width = event.dimensions * 4
                found += [unit(event.data[at : at + width]) for at in range(0, len(event.data), width)]
            case Fault():
                return event
    if len(found) != len(pieces):
        return Fault(kind="failed", detail=f"{len(found)} vectors for {len(pieces)} texts")
    return found


def bind(index: Index, name: str, path: str) -> None:
    """Notes which embedder an index is of, by the hash of its files. Raises SourceError where it is of another.

    The hash is taken again only where a file of the model has another size or time than it had.
    """
    files = list(_files(path))
    stamp = hashlib.sha256(
        repr([(name, os.stat(file).st_size, os.stat(file).st_mtime_ns) for name, file in files]).encode()
    )
    seen = f"{os.path.abspath(path)} {stamp.hexdigest()}" if files else path
    said = index.said("sha256")
    if said is not None and index.said("seen") == seen:
        return
    sha256 = _sha256(files) if files else hashlib.sha256(path.encode()).hexdigest()
    if said is not None and said != sha256 and (index.files() or index.counts().vectors):
        raise SourceError("index.other_model", path=index.path, name=index.said("embedder") or "?", sha256=said[:12])
    index.note({"embedder": name, "sha256": sha256, "seen": seen})


def items_of(path: bytes, data: bytes, longest: int) -> tuple[list[Item], str | None]:
    """What of a file gets a vector; why there is nothing, where it is neither text nor picture."""
    if kind_of(path) == "image":
        return [Item(_digest(b"image", data), None, data)], None
    text = read_text(data)
    if text is None:
        return [], "not_text"
    lines = _LINES.get(suffix_of(path), prose)(text)
    return [Item(_digest(b"text", one.text.encode()), one) for one in cut(lines, longest, text.nbytes)], None


async def _one(embedder: Embedder, index: Index, root: str, document: Document) -> None:
    """One file read, embedded and kept; a file that cannot be taken is kept as left out, with the reason."""
    got = read(root, document.path)
    if got is None:
        index.put(document.path, document.stamp, kind_of(document.path), (), "unread")
        return
    data, stamp = got
    items, skipped = items_of(document.path, data, embedder.longest)
    refused = await embedder.embed(items)
    if kind_of(document.path) == "image" and refused is not None:
        items, skipped = [], "not_seen"
    index.put(document.path, stamp, kind_of(document.path), [(item.digest, item.passage) for item in items], skipped)


def _files(path: str) -> Iterator[tuple[str, str]]:
    """What of a model decides its vectors: all its files but pages and what is hidden."""
    if os.path.isfile(path):
        yield "", path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith((".md", ".txt~")):
                file = os.path.join(folder, name)
                if os.path.isfile(file):
                    yield os.path.relpath(file, path).replace(os.sep, "/"), file


def _sha256(files: Iterable[tuple[str, str]]) -> str:
    """Of their names and contents."""
    whole = hashlib.sha256()
    for name, path in files:
        with open(path, "rb") as file:
            whole.update(
                f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode("utf-8", "surrogateescape")
            )
    return whole.hexdigest()


def _digest(kind: bytes, data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=20, person=kind).digest()


def _batches(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    for at in range(0, len(items), most):
        yield items[at : at + most]
