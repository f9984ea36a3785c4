"""Where what was fetched stays until it was looked at: partials, whole objects by their hash, what is held and why."""

from __future__ import annotations

import os
import shutil

from weigh.core.value import Value
from weigh.store.digest import Digest, matches, of_file


class Quarantine(Value, frozen=True, kw_only=True):
    """A folder on the same file system as where its content will go."""

    root: str

    def part(self, digest: Digest) -> str:
        """What came so far of a file."""
        return os.path.join(self.root, "parts", f"{digest.key}.part")

    def object(self, digest: Digest) -> str:
        """The whole file, its hash verified."""
        return os.path.join(self.root, "objects", digest.key)

    def lock(self, name: str) -> str:
        """What one process at a time holds."""
        return os.path.join(self.root, "locks", f"{name}.lock")

    def mark(self, digest: Digest) -> str:
        """The note that a file elsewhere was once verified, and how it looked then."""
        return os.path.join(self.root, "verified", digest.key)

    def view(self, repository: str, revision: str) -> str:
        """The files under their own names, as a checker reads them."""
        return os.path.join(self.root, "held", repository, "snapshots", revision)


def near(destination: str, preferred: str) -> Quarantine:
    """The preferred root where it shares a file system with the destination, else a hidden folder beside that."""
    above = destination
    while not os.path.isdir(above) and os.path.dirname(above) != above:
        above = os.path.dirname(above)
    try:
        os.makedirs(preferred, exist_ok=True)
        if os.stat(preferred).st_dev == os.stat(above).st_dev:
            return Quarantine(root=preferred)
    except OSError:
        pass
    return Quarantine(root=os.path.join(destination, ".weigh"))


def verified(path: str, digest: Digest, quarantine: Quarantine) -> bool:
    """Has the file at `path` the content it should have? It is read once, and again only after it changed."""
    try:
        look = _look(path)
        mark = quarantine.mark(digest)
        if _read(mark) == look:
            return True
        if not matches(digest, of_file(path, digest)):
            return False
    except OSError:
        return False
    write(mark, look.encode())
    return True


def note(path: str, digest: Digest, quarantine: Quarantine) -> None:
    """The file at `path` was verified just now."""
    write(quarantine.mark(digest), _look(path).encode())


def write(path: str, data: bytes) -> None:
    """All of it or nothing, in place of what was there. Raises OSError."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise


def move(source: str, target: str) -> None:
    """A rename where that is possible, else a copy that appears whole; `source` is gone then. Raises OSError."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.replace(source, target)
    except OSError:
        copy(source, target)
        os.unlink(source)


def copy(source: str, target: str) -> None:
    """A copy that appears whole. Raises OSError."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    temporary = f"{target}.{os.getpid()}.tmp"
    try:
        shutil.copyfile(source, temporary)
        os.replace(temporary, target)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise


def twin(source: str, target: str) -> None:
    """The same content under a second name: by a hard link, else a symbolic one, else a copy. Raises OSError."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.lexists(target):
        os.unlink(target)
    real = os.path.realpath(source)
    try:
        os.link(real, target)
    except OSError:
        try:
            os.symlink(real, target)
        except OSError:
            copy(real, target)


def _look(path: str) -> str:
    status = os.stat(path)
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read(200)
    except (OSError, ValueError):
        return ""
