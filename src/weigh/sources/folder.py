"""A folder on this machine as a Listing."""

from __future__ import annotations

import os
from collections.abc import Container

from weigh.core.errors import OverBudget
from weigh.core.source import Entry
from weigh.sources.file import FileSource, unreadable

MOST_ENTRIES = 200_000
_NOT_THE_MODEL = frozenset({".git", ".hg", ".svn", "__pycache__"})  # what tools leave beside a model
_DOWNLOADS = ".cache/huggingface"  # what the Hub's own client notes of what it fetched


class Folder:
    """The regular files below `root`, sorted; hidden work folders of tools are left out.

    Links to files are listed with where they point (the Hugging Face cache is made of them); links to folders
    are not followed, so a circle of links has no way in.
    """

    def __init__(self, root: str | os.PathLike[str], *, only: Container[str] | None = None) -> None:
        """Of those files `only`. Raises SourceError for a root that cannot be listed, OverBudget above MOST_ENTRIES."""
        self.path = os.fspath(root)
        found = _list(self.path)
        self.entries = found if only is None else tuple(entry for entry in found if entry.path in only)

    def open(self, path: str) -> FileSource:
        """The file at `path`, one of the entries' paths. Raises SourceError."""
        return FileSource(os.path.join(self.path, *path.split("/")), path=path)

    def read(self, path: str, most: int) -> bytes:
        """The first `most` bytes of the file at `path`. Raises SourceError."""
        with self.open(path) as source:
            return source.read(0, most)


def _list(root: str) -> tuple[Entry, ...]:
    found: list[Entry] = []
    pending = [(root, "")]
    while pending:
        folder, stem = pending.pop()
        try:
            files, folders = _scan(folder, stem)
        except OSError as error:
            if folder == root:
                raise unreadable(error, root) from error
            files, folders = [Entry(path=stem.rstrip("/"), nbytes=0)], []  # its open() will say why
        found += files
        pending += folders
        if len(found) > MOST_ENTRIES:
            raise OverBudget("too_many_files", path=root, most=MOST_ENTRIES)
    return tuple(sorted(found, key=lambda entry: entry.path))


def _scan(folder: str, stem: str) -> tuple[list[Entry], list[tuple[str, str]]]:
    """The files of one folder, and the folders to go on with."""
    files, folders = [], []
    with os.scandir(folder) as listing:
        for item in listing:
            path = stem + item.name
            if item.is_dir(follow_symlinks=False):
                if item.name not in _NOT_THE_MODEL and path != _DOWNLOADS:
                    folders.append((item.path, path + "/"))
            elif (entry := _entry(item, path)) is not None:
                files.append(entry)
    return files, folders


def _entry(item: os.DirEntry[str], path: str) -> Entry | None:
    link = os.readlink(item.path) if item.is_symlink() else None
    try:
        status = item.stat()
    except OSError:
        return Entry(path=path, nbytes=0, link=link)  # a dangling or circular link: its open() will say which
    if os.path.isdir(item.path):
        return None
    return Entry(path=path, nbytes=status.st_size, link=link)
