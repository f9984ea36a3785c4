"""Repositories and files in the shapes that ModelScope's clients read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weigh.app.mirror.snapshot import Snapshot, StoredFile
from weigh.serve.mirror.cards import Card, when
from weigh.serve.mirror.huggingface_shapes import info, listed
from weigh.serve.mirror.library import Opened

MOST_OF_A_PAGE = 500

Row = dict[str, object]


def described(opened: Opened) -> Row:
    """A repository by itself."""
    snapshot = opened.snapshot
    namespace, _, name = snapshot.place.id.partition("/")
    facts = info(opened, blobs=False).get("cardData")
    licence = facts.get("license") if isinstance(facts, dict) else None
    return {
        "Id": int(snapshot.fingerprint[:8], 16),
        "Path": namespace,
        "Name": name,
        "ChineseName": "",
        "License": licence or "",
        "Revision": "master",
        "Visibility": 5,
        "LastUpdatedTime": int(snapshot.modified),
        "CreatedTime": int(snapshot.modified),
        "StorageSize": sum(file.nbytes for file in snapshot.files.values()),
    }


def file_rows(snapshot: Snapshot, below: str, *, recursive: bool) -> Iterator[Row]:
    """Files and folders below a folder."""
    for row in listed(snapshot, below, recursive=recursive):
        path = str(row["path"])
        file = snapshot.files.get(path)
        yield _row(snapshot, path, file)


def modern(card: Card) -> Row:
    """A repository in the newer list."""
    return {
        "id": card.place.id,
        "display_name": card.place.id.partition("/")[2],
        "license": card.facts.get("license", ""),
        "private": False,
        "gated": False,
        "downloads": 0,  # the client's table wants a number; nobody counts them here
        "likes": 0,
        "created_at": when(card.modified),
        "last_modified": when(card.modified),
        "tags": card.tags,
        "tasks": [card.facts["pipeline_tag"]] if "pipeline_tag" in card.facts else [],
        "file_size": card.nbytes,
    }


def page_of(found: Sequence[Card], number: int, size: int) -> Sequence[Card]:
    """Pages are counted from one."""
    size = min(max(size, 1), MOST_OF_A_PAGE)
    start = (max(number, 1) - 1) * size
    return found[start : start + size]


def _row(snapshot: Snapshot, path: str, file: StoredFile | None) -> Row:
    row: Row = {
        "Path": path,
        "Name": path.rpartition("/")[2],
        "Type": "tree" if file is None else "blob",
        "Size": 0 if file is None else file.nbytes,
        "Revision": snapshot.commit,
        "Mode": "40000" if file is None else "100644",
        "IsLFS": file is not None and file.is_large,
        "CommittedDate": int(snapshot.modified if file is None else file.look.mtime_ns / 1e9),
        "CommitMessage": "",
        "InCheck": False,
    }
    return row if file is None else row | {"Sha256": file.sha256}
