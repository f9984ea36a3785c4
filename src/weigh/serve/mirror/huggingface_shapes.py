"""Repositories, files and folders in the shapes that Hugging Face's clients read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from weigh.app.mirror.snapshot import Seen, Snapshot, StoredFile
from weigh.serve.mirror.cards import Card, card_of, when
from weigh.serve.mirror.library import Opened

_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"

Row = dict[str, object]


def brief(card: Card, *, full: bool) -> Row:
    """A repository in a list."""
    row: Row = {
        "_id": hashlib.sha1(card.place.id.encode(), usedforsecurity=False).hexdigest()[:24],
        "id": card.place.id,
        "modelId": card.place.id,
        "author": card.place.id.partition("/")[0],
        "private": False,
        "gated": False,
        "disabled": False,
        "tags": card.tags,
        "lastModified": when(card.modified),
        "createdAt": when(card.modified),
    }
    row |= {key: card.facts[key] for key in ("pipeline_tag", "library_name") if key in card.facts}
    if full:
        row["siblings"] = [{"rfilename": path} for path in card.paths]
        row["cardData"] = dict(card.facts)
    return row


def info(opened: Opened, *, blobs: bool) -> Row:
    """A revision of a repository; `blobs` asks for sizes and hashes."""
    snapshot = opened.snapshot
    seen = tuple(Seen(file.path, file.real, file.look) for file in snapshot.files.values())
    if not seen:
        return {"id": snapshot.place.id, "modelId": snapshot.place.id, "sha": snapshot.commit, "siblings": []}
    siblings = [_sibling(file, blobs=blobs) for _, file in sorted(snapshot.files.items())]
    size = {"usedStorage": sum(file.nbytes for file in snapshot.files.values())}
    scan: Row = {"securityRepoStatus": {"scansDone": True, "filesWithIssues": []}}
    return (
        brief(card_of(snapshot.place, seen), full=True) | {"sha": snapshot.commit, "siblings": siblings} | size | scan
    )


def listed(snapshot: Snapshot, below: str, *, recursive: bool) -> list[Row]:
    """What lies below a folder, sorted; a file's path gives that file."""
    stem = f"{below}/" if below else ""
    rows: dict[str, Row] = {}
    for path, file in sorted(snapshot.files.items()):
        if path == below:
            rows[path] = _file(file)
        if not path.startswith(stem):
            continue
        parts = path[len(stem) :].split("/")
        for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
            folder = stem + "/".join(parts[:depth])
            rows.setdefault(folder, _folder(folder))
        if recursive or len(parts) == 1:
            rows[path] = _file(file)
    return [rows[path] for path in sorted(rows)]


def folders_of(snapshot: Snapshot) -> Iterator[Row]:
    """Every folder."""
    found = {path[:at] for path in snapshot.files for at, sign in enumerate(path) if sign == "/"}
    return (_folder(path) for path in sorted(found))


def _file(file: StoredFile) -> Row:
    row: Row = {"type": "file", "oid": file.git, "size": file.nbytes, "path": file.path}
    if file.is_large:
        row |= {"oid": _pointer_oid(file), "lfs": _lfs(file, "oid")}
    return row


def _folder(path: str) -> Row:
    oid = hashlib.sha1(f"tree {path}".encode(), usedforsecurity=False).hexdigest()
    return {"type": "directory", "oid": oid, "size": 0, "path": path}


def _sibling(file: StoredFile, *, blobs: bool) -> Row:
    row: Row = {"rfilename": file.path}
    if blobs:
        row |= {"size": file.nbytes, "blobId": _pointer_oid(file) if file.is_large else file.git}
        row |= {"lfs": _lfs(file, "sha256")} if file.is_large else {}
    return row


def _lfs(file: StoredFile, name: str) -> Row:
    return {name: file.sha256, "size": file.nbytes, "pointerSize": len(_pointer(file))}


def _pointer(file: StoredFile) -> bytes:
    return _POINTER.format(file.sha256, file.nbytes).encode("ascii")


def _pointer_oid(file: StoredFile) -> str:
    pointer = _pointer(file)
    return hashlib.sha1(b"blob %d\0" % len(pointer) + pointer, usedforsecurity=False).hexdigest()
